"""Writes of vectors that MLIR's bufferization would take for writes of whole tensors.

It compares the sizes of the vector with the first ones of the tensor, as if both had as many dimensions:
of 16 numbers at the beginning of a tensor of 4 x 17 it thinks that nothing is left of what was there, and
takes a buffer with anything in it. It thinks so of indices that are known to be zero only. So where a vector
is not simply as the tensor is, one of its indices becomes a sum of zeros while buffers are made. Reads get
the same one: they have to be seen to be at the same place. `passes/lib/PartWrites.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, func, ir

_FIRST_INDEX = {"vector.transfer_read": 1, "vector.transfer_write": 2}


def keep_part_writes(module: ir.Module) -> int:
    """Hide from bufferization that vectors lie at the beginning of tensors; how many reads and writes."""
    count = 0
    for view in module.body.operations:
        function = view.operation.opview
        if not isinstance(function, func.FuncOp) or function.is_external:
            continue
        found = [op for op in all_ops(function.operation) if _is_at_the_beginning(op)]
        if found:
            zero = _sum_of_zeros(function)
        for op in found:
            op.operands[_FIRST_INDEX[op.name]] = zero
        count += len(found)
    return count


def _is_at_the_beginning(op: ir.Operation) -> bool:
    """Whether a vector is read from or written to a tensor, of which it is a part, at indices of zero."""
    first = _FIRST_INDEX.get(op.name)
    if first is None or not isinstance(op.operands[first - 1].type, ir.RankedTensorType):
        return False
    rank = op.operands[first - 1].type.rank
    map_ = ir.AffineMapAttr(op.attributes["permutation_map"]).value
    return (
        rank > 0
        and map_ != ir.AffineMap.get_identity(rank)
        and all(_is_zero(index) for index in list(op.operands)[first : first + rank])
    )


def _is_zero(index: ir.Value) -> bool:
    if isinstance(index, ir.BlockArgument) or index.owner.name != "arith.constant":
        return False
    return bool(ir.IntegerAttr(index.owner.attributes["value"]).value == 0)


def _sum_of_zeros(function: func.FuncOp) -> ir.Value:
    index = ir.IndexType.get(function.context)
    with ir.InsertionPoint.at_block_begin(function.entry_block), function.location:
        zero = arith.ConstantOp(index, 0).result
        made: ir.Value = ir.Operation.create("arith.addi", [index], [zero, zero]).result
        return made
