"""Loops that compute a tensor in the place of another: of a softmax's powers, their quotients by the sums.

A loop over vectors that reads a tensor where it writes another, of which nothing was known before, needs no
second buffer if nothing reads the first tensor later. Bufferization cannot see that, as the loop reads and
writes different tensors; it can where the loop carries the first one. A row that fills much of a cache is
then there once.

`passes/lib/InPlace.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.frontend.program import all_ops, constant_number, made_by
from harl_mlir.mlir import ir


def compute_in_place(module: ir.Module) -> None:
    """Let such loops of a module carry what they read, in place."""
    for op in all_ops(module.operation):
        if op.name != "scf.for" or len(op.results) != 1 or not _is_unknown(op.operands[3]):
            continue
        write = _only_write(op)
        reads = [] if write is None else _reads_of_one(op, write)
        if reads and _is_free(reads, op):
            op.operands[3] = reads[0].operands[0]
            for read in reads:
                read.operands[0] = op.regions[0].blocks[0].arguments[1]


def _is_unknown(value: ir.Value) -> bool:
    """Whether nothing is known of a tensor's elements: it is empty, or a part of an empty result."""
    if made_by(value, "tensor.empty") is not None:
        return True
    part = made_by(value, "tensor.extract_slice")
    shared = value if part is None else part.operands[0]
    if not isinstance(shared.owner, ir.Block):
        return False
    loop = shared.owner.owner.operation
    if part is None or loop.name != "scf.forall":
        return False
    number = shared.arg_number - len(shared.owner.arguments) + len(loop.results)
    return made_by(loop.operands[len(loop.operands) - len(loop.results) + number], "tensor.empty") is not None


def _only_write(loop: ir.Operation) -> ir.Operation | None:
    """The op that writes a vector at each step to the tensor which the loop carries, that nothing else uses.

    No two steps write the same elements.
    """
    block = loop.regions[0].blocks[0]
    number, carried = list(block.arguments)
    write = made_by(list(block.operations)[-1].operands[0], "vector.transfer_write")
    uses = list(carried.uses)
    if write is None or write.block != block or len(uses) != 1 or uses[0].owner.operation != write:
        return None
    vector, _, *indices = write.operands
    step = made_by(loop.operands[2], "arith.constant")
    size = None if step is None else constant_number(step)
    if list(indices).count(number) != 1 or len(vector.type.shape) != len(indices) or size is None:
        return None
    identity = ir.AffineMap.get_identity(len(indices))
    along = vector.type.shape[indices.index(number)]
    plain = ir.AffineMapAttr(write.attributes["permutation_map"]).value == identity
    return write if plain and ir.IntegerAttr(size).value >= along else None


def _reads_of_one(loop: ir.Operation, write: ir.Operation) -> list[ir.Operation]:
    """All reads of one tensor in the loop, where each is of what is written at the same step; else none."""
    vector, carried, *indices = write.operands
    found: dict[ir.Value, list[ir.Operation]] = {}
    for op in all_ops(loop)[1:]:
        if op.name == "vector.transfer_read" and op.operands[0].type == carried.type:
            found.setdefault(op.operands[0], []).append(op)
    for reads in found.values():
        if all(
            read.block == write.block
            and list(read.operands)[1 : 1 + len(indices)] == indices
            and len(read.operands) == len(indices) + 2
            and read.results[0].type == vector.type
            and read.attributes["permutation_map"] == write.attributes["permutation_map"]
            for read in reads
        ):
            return reads
    return []


def _is_free(reads: list[ir.Operation], loop: ir.Operation) -> bool:
    """Whether the tensor that is read was made for this loop, and nothing else reads it later."""
    value = reads[0].operands[0]
    maker = value.owner
    if isinstance(maker, ir.Block) or maker.name != "scf.for" or maker.operation.block != loop.block:
        return False
    if len(maker.results) != 1 or not _is_unknown(maker.operands[3]):
        return False
    ops = [op.operation for op in loop.block.operations]
    others = {use.owner.operation for use in value.uses} - set(reads)
    return all(ops.index(_in_block(op, loop.block)) < ops.index(loop) for op in others)


def _in_block(op: ir.Operation, block: ir.Block) -> ir.Operation:
    """The op of a block that `op` is, or is in."""
    while op.block != block:
        op = op.parent.operation
    return op
