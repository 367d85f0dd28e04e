"""Under `strict` every candidate computes, bit for bit, what the untuned kernel computes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches import test_elementwise, test_reduction, test_window
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import assert_legal, drawn, processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_NESTS = {
    "contraction": st.one_of(contractions(), convolutions()),
    "reduction": test_reduction.nests(),
    "elementwise": test_elementwise.nests(),
    "window": test_window.nests(),
}
_WIDTHS = st.sampled_from((16, 32, 64, 64))
_QUICK = settings(
    max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("sketch", _NESTS)
def test_random_kernels(strict_pool: Pool, sketch: str) -> None:
    @_QUICK
    @given(_NESTS[sketch], _WIDTHS, st.integers(0, 1000))
    def every_candidate_is_exact(nest: LoopNest, vector_bytes: int, seed: int) -> None:
        assert_legal(strict_pool, nest.text, sketch, 1, seed, vector_bytes)

    every_candidate_is_exact()


@pytest.mark.slow
@pytest.mark.parametrize("sketch", _NESTS)
def test_many_random_kernels(strict_pool: Pool, sketch: str) -> None:
    @settings(_QUICK, max_examples=300, derandomize=False)
    @given(_NESTS[sketch], _WIDTHS, st.integers(0, 1000))
    def every_candidate_is_exact(nest: LoopNest, vector_bytes: int, seed: int) -> None:
        assert_legal(strict_pool, nest.text, sketch, 3, seed, vector_bytes)

    every_candidate_is_exact()


_SUM = "%y = arith.addf %x0, %out : f32"
_DOT = "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %t, %out : f32"
_LARGEST = "%y = arith.maximumf %x0, %out : f32"
_MATRICES = (("f32", plain(0, 2)), ("f32", plain(2, 1)))
_MATMUL = LoopNest((33, 45, 70), "ppr", _MATRICES, (0, 1), "f32", _DOT, "0.0").text
_CONV = LoopNest(
    (9, 33, 5, 3),
    "pprr",
    (("f32", (((0, 1), (3, 1)), ((2, 1),))), ("f32", plain(3, 2, 1))),
    (0, 1),
    "f32",
    _DOT,
    "0.0",
).text
_MATVEC = LoopNest((37, 100), "pr", (("f32", plain(0, 1)), ("f32", plain(1))), (0,), "f32", _DOT, "0.0").text
_ROWS = LoopNest((37, 100), "pr", (("f32", plain(0, 1)),), (0,), "f32", _SUM, "0.0").text
_ROUNDED_OTHERWISE = {"matmul": _MATMUL, "convolution": _CONV, "matvec": _MATVEC, "row sums": _ROWS}


@pytest.mark.parametrize("name", _ROUNDED_OTHERWISE)
def test_a_candidate_that_rounds_otherwise_is_wrong(strict_pool: Pool, pool: Pool, name: str) -> None:
    (task,) = pool.analyse(_ROUNDED_OTHERWISE[name], "kernel.mlir").tasks
    space, *_ = sketches_for(task, processor_with(64), "reassociate")
    assert pool.measure(task, space.default()).ok
    failure = strict_pool.measure(task, space.default()).failure
    assert failure is not None
    assert failure.kind == "wrong_result"
    assert "not exactly the untuned kernel's" in failure.message


@pytest.mark.parametrize("name", _ROUNDED_OTHERWISE)
def test_a_library_for_it_fuses_and_splits_nothing(strict_pool: Pool, name: str) -> None:
    text = _ROUNDED_OTHERWISE[name]
    (task,) = strict_pool.analyse(text, "kernel.mlir").tasks
    for space in sketches_for(task, processor_with(64), "strict"):
        for candidate in drawn(space, 4, 1):
            library = strict_pool.library([(task, candidate)])
            assert 'harl.accuracy = "strict"' in library
            applied = strict_pool.apply(text, "kernel.mlir", library).text
            assert "arith.addf" in applied
            for word in ("linalg.", "vector.contract", "vector.fma", "fastmath", "reduction <add>"):
                assert word not in applied, candidate.values


def test_what_no_order_changes_is_still_split(strict_pool: Pool) -> None:
    text = _ROWS.replace(_SUM, _LARGEST)
    (task,) = strict_pool.analyse(text, "kernel.mlir").tasks
    strict, free = (
        sketches_for(task, processor_with(64), accuracy) for accuracy in ("strict", "reassociate")
    )
    assert strict == free
    assert strict_pool.measure(task, strict[0].default()).ok


_SPREAD = """
func.func @k(%x: tensor<1x5x6x7xf32>, %w: tensor<3x3x7x16xf32>) -> tensor<1x10x12x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x12x14x7xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x12x14x7xf32>) -> tensor<1x12x14x7xf32>
  %i = tensor.insert_slice %x into %f[0, 1, 1, 0] [1, 5, 6, 7] [1, 2, 2, 1]
    : tensor<1x5x6x7xf32> into tensor<1x12x14x7xf32>
  %o = tensor.empty() : tensor<1x10x12x16xf32>
  %g = linalg.fill ins(%z : f32) outs(%o : tensor<1x10x12x16xf32>) -> tensor<1x10x12x16xf32>
  %r = linalg.conv_2d_nhwc_hwcf ins(%i, %w : tensor<1x12x14x7xf32>, tensor<3x3x7x16xf32>)
    outs(%g : tensor<1x10x12x16xf32>) -> tensor<1x10x12x16xf32>
  return %r : tensor<1x10x12x16xf32>
}
"""


def test_products_with_inserted_zeros_are_kept(strict_pool: Pool, pool: Pool) -> None:
    for accurate, zeros in ((strict_pool, True), (pool, False)):
        found = accurate.analyse(_SPREAD, "kernel.mlir").tasks
        task = next(task for task in found if task.anchor_op.reduction_dims)
        assert (task.anchor_op.flops == 2 * 10 * 12 * 16 * 9 * 7) == zeros
        space, *_ = sketches_for(task, processor_with(64), accurate.accuracy)
        library = accurate.library([(task, space.default())])
        applied = accurate.apply(_SPREAD, "kernel.mlir", library)
        assert [op.op for op in applied.outcomes if op.matched]
        (whole,) = accurate.functions(_SPREAD, "kernel.mlir").tasks
        assert accurate.measure(whole, library).ok


def test_a_sum_of_everything_has_no_candidate(strict_pool: Pool) -> None:
    text = LoopNest((1009,), "r", (("f32", plain(0)),), (), "f32", _SUM, "0.0").text
    (task,) = strict_pool.analyse(text, "kernel.mlir").tasks
    assert sketches_for(task, processor_with(64), "strict") == ()
