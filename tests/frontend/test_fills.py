"""Shared fills taken apart."""

from __future__ import annotations

import pytest

from harl_mlir.frontend.fills import part_fills
from harl_mlir.frontend.program import functions
from harl_mlir.mlir import PassManager, ir

KERNEL = """func.func @f(%a: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %m = linalg.matmul ins(%a, %a : tensor<8x8xf32>, tensor<8x8xf32>)
    outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %n = linalg.matmul ins(%m, %f : tensor<8x8xf32>, tensor<8x8xf32>)
    outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %m, %n, %f : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}
"""


@pytest.mark.parametrize("generic", [False, True])
def test_every_op_gets_its_own(generic: bool) -> None:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(KERNEL)
        if generic:
            passes = "builtin.module(func.func(linalg-generalize-named-ops))"
            PassManager.parse(passes).run(module.operation)
        (function,) = functions(module)
        part_fills(function)
        module.operation.verify()
        *_, end = function.regions[0].blocks[0].operations
        first, second, _ = (value.owner for value in end.operands)
        # What the function returns may stay shared: no schedule takes it.
        assert len({fill.owner for fill in [first.operands[2], *second.operands[1:]]}) == 3


def test_what_is_not_shared_stays_as_it_is() -> None:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(
            KERNEL.replace("%n = linalg.matmul ins(%m, %f", "%n = linalg.matmul ins(%m, %a")
        )
        (function,) = functions(module)
        part_fills(function)
        before = str(module)
        part_fills(function)
        assert str(module) == before
