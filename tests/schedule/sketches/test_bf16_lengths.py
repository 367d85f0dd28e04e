"""Whatever length of vectors a candidate for a narrow type takes, LLVM can compile it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches.legality import assert_legal, processor_with

_BODIES = (
    "%y = arith.addf %p, %q : T",
    "%c = arith.cmpf ogt, %p, %q : T\n %y = arith.select %c, %p, %q : T",
    "%k = arith.constant 2.0 : T\n %z = arith.mulf %p, %k : T\n %y = arith.maximumf %z, %q : T",
    "%v = arith.extf %p : T to f32\n %w = arith.mulf %v, %v : f32\n %y = arith.truncf %w : f32 to T",
    "%y = arith.addf %o, %p : T",
    "%y = arith.maximumf %o, %p : T",
)
_SUMS = 4
_LENGTHS = st.one_of(st.sampled_from((9, 17, 25, 33, 41, 49, 65, 81, 97, 113)), st.integers(1, 130))


def _kernel(element: str, length: int, body: int, along: bool) -> str:
    """Of a matrix `p` and a row `q`; the last bodies reduce `p`, along rows or across them."""
    whole, row = f"tensor<5x{length}x{element}>", f"tensor<{length}x{element}>"
    all_, columns, rows = (f"affine_map<(i, j) -> ({each})>" for each in ("i, j", "j", "i"))
    result, into, kinds = whole, all_, ["parallel", "parallel"]
    if body >= _SUMS:
        result, into = (f"tensor<5x{element}>", rows) if along else (row, columns)
        kinds[1 if along else 0] = "reduction"
    iterators = ", ".join(f'"{kind}"' for kind in kinds)
    return f"""func.func @k(%a: {whole}, %b: {row}, %start: {result}) -> {result} {{
  %r = linalg.generic {{indexing_maps = [{all_}, {columns}, {into}], iterator_types = [{iterators}]}}
    ins(%a, %b : {whole}, {row}) outs(%start : {result}) {{
  ^bb0(%p: {element}, %q: {element}, %o: {element}):
    {_BODIES[body].replace("T", element)}
    linalg.yield %y : {element}
  }} -> {result}
  return %r : {result}
}}"""


def test_any_length_of_any_narrow_type(pool: Pool) -> None:
    @settings(
        max_examples=14,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @example(element="bf16", length=17, body=0, along=True, seed=0)
    @example(element="bf16", length=33, body=1, along=True, seed=1)
    @example(element="bf16", length=9, body=5, along=True, seed=2)
    @given(
        element=st.sampled_from(("bf16", "bf16", "f16")),
        length=_LENGTHS,
        body=st.integers(0, len(_BODIES) - 1),
        along=st.booleans(),
        seed=st.integers(0, 99),
    )
    def every_candidate_is_right(element: str, length: int, body: int, along: bool, seed: int) -> None:
        assert_legal(pool, _kernel(element, length, body, along), "", 2, seed)

    every_candidate_is_right()


def test_lengths_in_a_loop_over_strict_sums(strict_pool: Pool) -> None:
    """Sums of bf16 are carried in bf16 from step to step."""
    assert_legal(strict_pool, _kernel("bf16", 17, _SUMS, along=False), "", 2, 3, every=True)


@pytest.mark.parametrize(
    ("body", "block"),
    [
        ("linalg.yield %p : bf16", 0),
        ("linalg.yield %p : bf16", 32),
        ("%n = arith.negf %p : bf16\n linalg.yield %n : bf16", 0),
    ],
)
def test_what_is_transposed_goes_one_by_one(pool: Pool, body: str, block: int) -> None:
    """LLVM ended the process at one of the stores that were left of it."""
    text = f"""func.func @k(%a: tensor<33x17xbf16>) -> tensor<17x33xbf16> {{
  %e = tensor.empty() : tensor<17x33xbf16>
  %r = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
    iterator_types = ["parallel", "parallel"]}} ins(%a : tensor<33x17xbf16>) outs(%e : tensor<17x33xbf16>) {{
  ^bb0(%p: bf16, %o: bf16):
    {body}
  }} -> tensor<17x33xbf16>
  return %r : tensor<17x33xbf16>
}}"""
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    values = {"width": 32, "rows": 16, "tail": 32, "order": "operand", "block": block}
    candidate = space.candidate({**space.default().assignment, **values})
    assert space.is_legal(candidate)
    assert pool.verify(task, candidate, run=True) is None
