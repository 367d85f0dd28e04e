"""Numbers of bf16 that are only moved, as 16 bits each.

LLVM ends the process at some of them ("Cannot select": a store of a bf16 that was in a vector) for
processors with AVX512-BF16. Of integers it knows all ways to move them. So in functions where numbers go
into vectors or out of them one by one, what moves numbers (loads, stores, shuffles, branches) is of i16, and
what computes them takes and makes bf16 as before. `passes/lib/BF16Moves.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir

_ONE_BY_ONE = frozenset({"llvm.extractelement", "llvm.insertelement"})
_MOVES = _ONE_BY_ONE | {
    f"llvm.{name}"
    for name in (
        "load", "store", "shufflevector", "br", "cond_br", "switch", "mlir.poison", "mlir.undef", "mlir.zero",
    )
}  # fmt: skip


def move_as_bits(module: ir.Module) -> int:
    """Move numbers of bf16 as i16 where some go one by one, in the LLVM dialect; how many values do."""
    count = 0
    for view in module.body.operations:
        ops = all_ops(view.operation)
        if any(op.name in _ONE_BY_ONE and _bits(op.operands[0].type) for op in ops):
            count += _retype(ops)
    return count


def _retype(ops: list[ir.Operation]) -> int:
    # What enters a region comes from outside, as a function's parameters do.
    blocks = [block for op in ops for region in op.regions for block in list(region.blocks)[1:]]
    values = [argument for block in blocks for argument in block.arguments]
    values += [result for op in ops if op.name in _MOVES for result in op.results]
    moved = {value for value in values if _bits(value.type)}
    for op in ops:
        moves = op.name in _MOVES
        for number, value in enumerate(op.operands):
            bits = _bits(value.type)
            if bits and moves != (value in moved):
                with ir.InsertionPoint(op), op.location:
                    kind = bits if moves else value.type
                    op.operands[number] = ir.Operation.create("llvm.bitcast", [kind], [value]).result
    for value in moved:
        value.set_type(_bits(value.type))
    return len(moved)


def _bits(kind: ir.Type) -> ir.Type | None:
    """The type of the bits of a number or of a vector of bf16."""
    if isinstance(kind, ir.VectorType):
        element = _bits(kind.element_type)
        return element and ir.VectorType.get(kind.shape, element)
    return ir.IntegerType.get_signless(16, kind.context) if isinstance(kind, ir.BF16Type) else None
