"""The repeat loop around a kernel, as IR: so that no Python call is inside the timed region."""

from __future__ import annotations

from harl_mlir.codegen.lowering import find_function
from harl_mlir.mlir import arith, func, ir, scf

REPEAT = "harl_repeat"
"""Name of the function added: the kernel's parameters, then how often to call it (index)."""


def add_repeat_loop(module: ir.Module, kernel: str) -> None:
    """Add `@harl_repeat(kernel's parameters, n)`, which calls the kernel n times, to a bufferized module.

    The kernel is marked not to be inlined, so the loop always holds a call of the very function that
    a user of the schedule would call.
    """
    target = find_function(module, kernel)
    parameters = [argument.type for argument in target.arguments]
    with module.context, ir.Location.unknown():
        index = ir.IndexType.get()
        target.attributes["passthrough"] = ir.ArrayAttr.get([ir.StringAttr.get("noinline")])
        with ir.InsertionPoint(module.body):
            repeat = func.FuncOp(REPEAT, ([*parameters, index], []))
        repeat.attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
        block = repeat.add_entry_block()
        with ir.InsertionPoint(block):
            *arguments, count = block.arguments
            zero, one = arith.constant(index, 0), arith.constant(index, 1)
            loop = scf.ForOp(zero, count, one)
            with ir.InsertionPoint(loop.body):
                func.CallOp([], kernel, arguments)
                scf.YieldOp([])
            func.ReturnOp([])
