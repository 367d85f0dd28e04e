"""The repeat loop around a kernel, as IR: so that no Python call is inside the timed region."""

from __future__ import annotations

from harl_mlir.codegen.lowering import find_function
from harl_mlir.mlir import arith, func, ir, scf

REPEAT = "harl_repeat"
"""Name of the function added: the kernel's parameters, then how often to call it (index)."""


def add_repeat_loop(module: ir.Module, kernel: str) -> None:
    """Add `@harl_repeat(kernel's parameters, n)`, which calls the kernel n times, to a bufferized module.

    The loop always holds a call of the very function that a user of the schedule would call.
    """
    target = find_function(module, kernel)
    parameters = [argument.type for argument in target.arguments]
    with module.context, ir.Location.unknown():
        index = ir.IndexType.get()
        # A weak function may be another one at link time, so LLVM neither inlines it nor learns what it
        # does: from a kernel that only writes it would move the call out of the loop.
        target.attributes["llvm.linkage"] = ir.Attribute.parse("#llvm.linkage<weak>")
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
