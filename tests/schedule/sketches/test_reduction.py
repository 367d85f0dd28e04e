"""Every candidate of the reduction sketch is right."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from tests.schedule.sketches.legality import assert_legal
from tests.schedule.sketches.loop_nests import LoopNest, plain

_SIZES = (1, 2, 3, 5, 7, 8, 13, 16, 17, 24, 31, 33, 48, 64, 67, 100, 131)
_COMBINERS = {
    "f32": ("addf", "maximumf", "minnumf"),
    "f64": ("addf", "mulf", "minimumf"),
    "f16": ("maximumf",),
    "i32": ("addi", "maxsi", "muli"),
    "i8": ("addi", "xori"),
}
_INPUT_BODIES = {
    "f32": ("%t = arith.subf %x0, %x1 : f32", "%s = arith.subf %x0, %x1 : f32\n %t = math.exp %s : f32"),
    "f64": ("%t = arith.mulf %x0, %x1 : f64",),
    "f16": ("%t = arith.maximumf %x0, %x1 : f16",),
    "i32": ("%t = arith.muli %x0, %x1 : i32",),
    "i8": ("%t = arith.addi %x0, %x1 : i8",),
}


@st.composite
def nests(draw: st.DrawFn) -> LoopNest:
    rank = draw(st.integers(1, 3))
    dims = tuple(draw(st.lists(st.sampled_from(_SIZES), min_size=rank, max_size=rank)))
    assume(1 < math.prod(dims) <= 30000)
    reduced = draw(st.sets(st.integers(0, rank - 1), min_size=1))
    output = tuple(draw(st.permutations([d for d in range(rank) if d not in reduced])))
    element = draw(st.sampled_from(sorted(_COMBINERS)))
    every: list[int] = draw(st.permutations(range(rank)))
    inputs = [(element, plain(*every))]
    combiner = draw(st.sampled_from(_COMBINERS[element]))
    body = f"%y = arith.{combiner} %x0, %out : {element}"
    if draw(st.booleans()):
        second: list[int] = draw(st.permutations(range(rank)))[draw(st.integers(0, rank - 1)) :]
        inputs.append((element, plain(*second)))
        body = (
            draw(st.sampled_from(_INPUT_BODIES[element])) + f"\n %y = arith.{combiner} %t, %out : {element}"
        )
    is_float = element.startswith("f")
    init = draw(st.sampled_from((None, "0.25" if is_float else "3")))
    epilogue = f"%y = arith.{'subf' if is_float else 'subi'} %p, %q : {element}"
    return LoopNest(
        dims,
        "".join("r" if d in reduced else "p" for d in range(rank)),
        tuple(inputs),
        output,
        element,
        body,
        init=init,
        epilogue=epilogue if draw(st.booleans()) and output else None,
    )


@settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(nests(), st.sampled_from((16, 32, 64)), st.integers(0, 1000))
def test_random_kernels(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    # A product of two operands may be a contraction, which has a sketch of its own.
    assert assert_legal(pool, nest.text, "reduction", 1, seed, vector_bytes) <= 1


_SUM = "%y = arith.addf %x0, %out : f32"
_DOT = "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %t, %out : f32"
_SCALE = "%y = arith.mulf %p, %q : f32"


def _sum(
    dims: tuple[int, ...], kinds: str, source: tuple[int, ...] | None = None, epilogue: str | None = None
) -> str:
    output = tuple(d for d, kind in enumerate(kinds) if kind == "p")
    rows = plain(*(source or range(len(dims))))
    return LoopNest(dims, kinds, (("f32", rows),), output, "f32", _SUM, "0.0", epilogue).text


_AWKWARD = {
    "rows": _sum((7, 67), "pr", epilogue=_SCALE),
    "rows of a prime": _sum((1, 1009), "pr"),
    "rows shorter than a vector": _sum((10, 3), "pr"),
    "columns": _sum((67, 45), "rp", epilogue=_SCALE),
    "columns shorter than a vector": _sum((67, 3), "rp"),
    "columns of a transposed operand": _sum((19, 45), "pr", (1, 0)),
    "all of one loop": _sum((1009,), "r"),
    "all of three loops": _sum((3, 5, 37), "rrr"),
    "last two": _sum((5, 7, 24), "prr"),
    "first and last": _sum((5, 8, 40), "rpr"),
    "middle": _sum((3, 20, 45), "prp", epilogue=_SCALE),
    "nothing to reduce": _sum((30, 1), "pr"),
    "one element": _sum((1, 1), "pr"),
    "matvec": LoopNest(
        (12, 45), "pr", (("f32", plain(0, 1)), ("f32", plain(1))), (0,), "f32", _DOT, "0.0"
    ).text,
    "dot": LoopNest((131,), "r", (("f32", plain(0)), ("f32", plain(0))), (), "f32", _DOT, "0.0").text,
    "widened integers": LoopNest(
        (9, 70),
        "pr",
        (("i8", plain(0, 1)),),
        (0,),
        "i32",
        "%t = arith.extsi %x0 : i8 to i32\n %y = arith.addi %t, %out : i32",
        "0",
    ).text,
}


@pytest.mark.parametrize("name", _AWKWARD)
def test_awkward_kernels(pool: Pool, name: str) -> None:
    assert assert_legal(pool, _AWKWARD[name], "reduction", 2, 1) == 1
