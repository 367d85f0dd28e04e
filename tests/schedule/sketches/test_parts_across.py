"""Parts that threads share of contractions whose vectors lie across the result."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest
from tests.threads import NEEDS_THREADS

pytestmark = NEEDS_THREADS


@pytest.fixture(scope="module")
def two(all_cores: None) -> Iterator[Pool]:
    with Pool(threads=2) as pool:
        yield pool


def test_a_part_that_is_read_with_strides_in_all_dimensions(two: Pool) -> None:
    """Each part has a batch to itself, which lies along the contiguous dimension of an operand."""
    text = """
func.func @f(%a: tensor<3x33x20xf32>, %b: tensor<33x20x3xf32>, %c: tensor<3x33x33xf32>)
    -> tensor<3x33x33xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(n, i, j, k) -> (n, i, k)>, affine_map<(n, i, j, k) -> (j, k, n)>,
                       affine_map<(n, i, j, k) -> (n, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]
  } ins(%a, %b : tensor<3x33x20xf32>, tensor<33x20x3xf32>) outs(%c : tensor<3x33x33xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x33x33xf32>
  return %r : tensor<3x33x33xf32>
}
"""
    (task,) = two.analyse(text, "kernel.mlir").tasks
    spaces = sketches_for(task, this_processor(), threads=2)
    (space,) = (each for each in spaces if each.sketch == "contraction_across")
    values = {"rows": 7, "vector": 15, "order": "BCORV", "copy": "none", "shared": "d0/3"}
    candidate = space.candidate({**space.default().assignment, **values})
    assert space.is_legal(candidate)
    assert two.verify(task, candidate, run=True) is None


def test_a_part_is_not_one_transposed_tile(two: Pool) -> None:
    nest = LoopNest(
        (1, 16, 8, 16, 16),
        "ppprr",
        (("i16", (((0, 1),), ((4, 1),), ((2, 1), (3, 1)))), ("i16", (((1, 1),), ((3, 1),), ((4, 1),)))),
        (0, 1, 2),
        "i32",
        "%l = arith.extsi %x0 : i16 to i32\n %w = arith.extsi %x1 : i16 to i32\n"
        " %t = arith.muli %l, %w : i32\n %y = arith.addi %out, %t : i32",
        init="0",
    )
    (task,) = two.analyse(nest.text, "kernel.mlir").tasks
    (space,) = (
        each
        for each in sketches_for(task, processor_with(16), threads=2)
        if each.sketch == "contraction_across"
    )
    tile = {"rows": 8, "vector": 8, "shared": "d1/2"}
    # It would be computed in a buffer, and copied.
    assert not space.is_legal(space.candidate({**space.default().assignment, **tile}))
    half = space.candidate({**space.default().assignment, **tile, "rows": 4})
    assert space.is_legal(half)
    assert two.verify(task, half, run=True) is None


def test_a_part_of_one_batch_that_lies_behind_the_lanes(two: Pool) -> None:
    """Of the operand read as vectors each part has [3, k, i, 1]: turning its tile moves no element."""
    text = """
func.func @f(%a: tensor<3x40x32x4xi8>, %b: tensor<3x4x12x40xi8>)
    -> tensor<3x4x32x12xi8> {
  %zero = arith.constant 0 : i8
  %e = tensor.empty() : tensor<3x4x32x12xi8>
  %c = linalg.fill ins(%zero : i8) outs(%e : tensor<3x4x32x12xi8>) -> tensor<3x4x32x12xi8>
  %r = linalg.generic {
      indexing_maps = [affine_map<(m, n, i, j, k) -> (m, k, i, n)>,
                       affine_map<(m, n, i, j, k) -> (m, n, j, k)>,
                       affine_map<(m, n, i, j, k) -> (m, n, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
  } ins(%a, %b : tensor<3x40x32x4xi8>, tensor<3x4x12x40xi8>) outs(%c : tensor<3x4x32x12xi8>) {
  ^bb0(%x: i8, %y: i8, %o: i8):
    %p = arith.muli %x, %y : i8
    %s = arith.addi %o, %p : i8
    linalg.yield %s : i8
  } -> tensor<3x4x32x12xi8>
  return %r : tensor<3x4x32x12xi8>
}
"""
    (task,) = two.analyse(text, "kernel.mlir").tasks
    spaces = sketches_for(task, processor_with(16), threads=2)
    across = [each for each in spaces if each.sketch.startswith("contraction_across")]
    assert across
    for space in across:
        values = {**space.default().assignment, "rows": 5, "vector": 16, "shared": "d1/4"}
        candidate = space.candidate(values)
        assert space.is_legal(candidate)
        assert two.verify(task, candidate, run=True) is None
