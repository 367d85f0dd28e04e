"""Vectors that are written at the beginning of a tensor leave the rest of it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harl_mlir.export.loaded import load
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for

# The vector's sizes are those of the tensor's first dimensions, or more.
ROW = """
func.func @f(%a: tensor<4x17xi32>, %v: vector<16xi32>) -> tensor<4x17xi32> {
  %c0 = arith.constant 0 : index
  %r = vector.transfer_write %v, %a[%c0, %c0] {in_bounds = [true]} : vector<16xi32>, tensor<4x17xi32>
  return %r : tensor<4x17xi32>
}
"""
NUMBER = """
func.func @f(%a: tensor<4x17xi32>, %v: vector<i32>) -> tensor<4x17xi32> {
  %c0 = arith.constant 0 : index
  %r = vector.transfer_write %v, %a[%c0, %c0] : vector<i32>, tensor<4x17xi32>
  return %r : tensor<4x17xi32>
}
"""
TURNED = """
func.func @f(%a: tensor<4x17xi32>, %v: vector<16x17xi32>) -> tensor<4x17xi32> {
  %c0 = arith.constant 0 : index
  %r = vector.transfer_write %v, %a[%c0, %c0] {permutation_map = affine_map<(i, j) -> (j, i)>}
    : vector<16x17xi32>, tensor<4x17xi32>
  return %r : tensor<4x17xi32>
}
"""
SUMS = """
func.func @sums(%x: tensor<33x1x17xi32>, %start: tensor<1x17xi32>) -> tensor<1x17xi32> {
  %r = linalg.reduce ins(%x : tensor<33x1x17xi32>) outs(%start : tensor<1x17xi32>) dimensions = [0]
    (%a: i32, %b: i32) {
      %y = arith.addi %a, %b : i32
      linalg.yield %y : i32
    }
  return %r : tensor<1x17xi32>
}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as one:
        yield one


def _of_sevens(kernel: str) -> str:
    """The kernel with a vector of sevens, and with a linalg op, without which nothing is compiled."""
    kind = kernel.split("%v: ")[1].split(")")[0]
    return (
        kernel.replace(f", %v: {kind}", "")
        .replace("%c0 = arith", f"%v = arith.constant dense<7> : {kind}\n  %c0 = arith")
        .replace(
            "-> tensor<4x17xi32> {",
            "-> (tensor<4x17xi32>, tensor<4x17xi32>) {\n  %e = tensor.empty() : tensor<4x17xi32>",
        )
        .replace(
            "  return %r : tensor<4x17xi32>",
            "  %s = linalg.add ins(%a, %a : tensor<4x17xi32>, tensor<4x17xi32>) outs(%e : tensor<4x17xi32>)\n"
            "    -> tensor<4x17xi32>\n  return %r, %s : tensor<4x17xi32>, tensor<4x17xi32>",
        )
    )


@pytest.mark.parametrize(("kernel", "columns"), [(ROW, 16), (NUMBER, 1), (TURNED, 16)])
def test_the_rest_is_kept(pool: Pool, kernel: str, columns: int) -> None:
    compiled = pool.compile(_of_sevens(kernel), "kernel.mlir")
    function = load(compiled.object, compiled.functions)["f"]
    given = np.arange(68, dtype=np.int32).reshape(4, 17)
    wanted = given.copy()
    wanted[: 4 if kernel is TURNED else 1, :columns] = 7
    for _ in range(3):
        assert np.array_equal(function(given)[0], wanted)


def test_sums_that_start_from_an_argument(pool: Pool) -> None:
    """Of 17 columns 16 are one vector: the last started from what the result's memory held."""
    (task,) = pool.analyse(SUMS, "kernel.mlir").tasks
    x, start = np.ones((33, 1, 17), np.int32), np.zeros((1, 17), np.int32)
    for space in sketches_for(task, this_processor()):
        library = pool.library([(task, space.default())])
        compiled = pool.compile(SUMS, "kernel.mlir", library)
        function = load(compiled.object, compiled.functions)["sums"]
        for _ in range(3):
            assert (function(x, start) == 33).all()
