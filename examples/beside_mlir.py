"""Text is all that goes in and out, so a program with MLIR bindings of its own can call this package.

    python examples/beside_mlir.py [SECONDS]

Here they are those of torch-mlir; another version's will do as well, as far as its text is read alike.
"""

from __future__ import annotations

import sys

from torch_mlir import ir
from torch_mlir.dialects import arith, func, linalg, tensor

import harl_mlir


def batch_matmul() -> ir.Module:
    """A module built op by op: a batch of 4 products of 32x48 and 48x64."""
    f32 = ir.F32Type.get()
    a, b = ir.RankedTensorType.get([4, 32, 48], f32), ir.RankedTensorType.get([4, 48, 64], f32)
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):

        @func.FuncOp.from_py_func(a, b)
        def products(left: ir.Value, right: ir.Value) -> ir.Value:
            zero = arith.ConstantOp(f32, ir.FloatAttr.get(f32, 0.0)).result
            empty = tensor.EmptyOp([4, 32, 64], f32).result
            filled = linalg.fill(zero, outs=[empty])
            result: ir.Value = linalg.batch_matmul(left, right, outs=[filled])
            return result

    return module


def main(seconds: float) -> None:
    """Build a module, have it tuned as text, and read it back."""
    with ir.Context(), ir.Location.unknown():
        module = batch_matmul()
        tuned = harl_mlir.tune(str(module), seconds=seconds)
        scheduled = ir.Module.parse(tuned.module)
        print(f"{len(tuned.library)} schedule(s); scheduled: {scheduled.operation.verify()}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20)
