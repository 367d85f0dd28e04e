"""Loops that compute a tensor in the place of another: of a softmax's powers, their quotients by the sums.

A loop over vectors that reads a tensor where it writes another, of which nothing was known before, needs no
second buffer if nothing reads the first tensor later. Bufferization cannot see that, as the loop reads and
writes different tensors; it can where the loop carries the first one. A row that fills much of a cache is
then there once.

`passes/lib/InPlace.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harl_mlir.codegen.tensor_places import is_plain, is_unknown, start_of, sum_of
from harl_mlir.frontend.fills import own_empties
from harl_mlir.frontend.program import all_ops, constant_number, made_by
from harl_mlir.mlir import ir

_READ, _SLICE = "vector.transfer_read", "tensor.extract_slice"


@dataclass(frozen=True)
class _Writer:
    """A loop that writes a part of a tensor, and the reads at what it writes of one other tensor."""

    loop: ir.Operation
    write: ir.Operation
    reads: tuple[ir.Operation, ...]


def compute_in_place(module: ir.Module) -> None:
    """Let such loops of a module carry what they read, in place."""
    writers: dict[ir.Value, list[tuple[ir.Operation, tuple[int, ...]]]] = {}
    ops = all_ops(module.operation)
    for op in ops:
        if op.name == "scf.for":
            own_empties(op)
    for op in ops:
        if op.name != "scf.for" or len(op.results) != 1 or not _is_static(op.results[0].type):
            continue
        start, place = start_of(op.operands[3])
        if is_unknown(start) and place is not None:
            writers.setdefault(start, []).append((op, place))
    for start, loops in writers.items():
        found = [_writer(loop, start.type, place) for loop, place in loops]
        kept = [writer for writer in found if writer is not None]
        if len(kept) == len(found):
            _take_over(start, kept)


def _is_static(kind: ir.Type) -> bool:
    return isinstance(kind, ir.RankedTensorType) and bool(kind.has_static_shape)


def _writer(loop: ir.Operation, kind: ir.Type, place: Sequence[int]) -> _Writer | None:
    """The loop, if its steps write apart from one another and read there one tensor of this type."""
    block = loop.regions[0].blocks[0]
    number, carried = list(block.arguments)
    write = made_by(list(block.operations)[-1].operands[0], "vector.transfer_write")
    uses = list(carried.uses)
    if write is None or write.block != block or len(uses) != 1 or uses[0].owner.operation != write:
        return None
    vector, _, *indices = write.operands
    step = made_by(loop.operands[2], "arith.constant")
    size = None if step is None else constant_number(step)
    shape = vector.type.shape
    if list(indices).count(number) != 1 or len(shape) != len(indices) or size is None or not is_plain(write):
        return None
    if ir.IntegerAttr(size).value < shape[indices.index(number)]:
        return None
    wanted = [sum_of(index, more) for index, more in zip(indices, place, strict=True)]
    found: dict[ir.Value, list[ir.Operation]] = {}
    for op in all_ops(loop)[1:]:
        if op.name == _READ and op.operands[0].type == kind:
            found.setdefault(op.operands[0], []).append(op)
    for reads in found.values():
        if all(
            read.block == block
            and [sum_of(index) for index in list(read.operands)[1:-1]] == wanted
            and read.results[0].type == vector.type
            and is_plain(read)
            for read in reads
        ):
            return _Writer(loop, write, tuple(reads))
    return None


def _take_over(start: ir.Value, writers: Sequence[_Writer]) -> None:
    """Put the tensor that all writers read in the place of `start`, if it was made for them."""
    (value, *others) = {writer.reads[0].operands[0] for writer in writers}
    block = writers[0].loop.block
    if others or isinstance(value.owner, ir.Block) or value.owner.operation.block != block:
        return
    order = {op.operation: number for number, op in enumerate(block.operations)}
    root = _root(value)
    began = None if root is None else _in_block(root.owner.operation, block)
    if root is None or began is None or root == start or root.type != start.type:
        return
    found = [_in_block(use.owner.operation, block) for use in start.uses]
    users = [user for user in found if user is not None]
    first = min(users, key=lambda user: order[user])
    if len(users) < len(found) or order[first] <= order[value.owner.operation]:
        return
    ours = {read for writer in writers for read in writer.reads}
    uses = [use.owner.operation for use in value.uses if use.owner.operation not in ours]
    late = [op for op in uses if order[_in_block(op, block) or first] >= order[first]]
    if not all(op.name == _READ and op.block == block and _may_stand(op, first, order) for op in late):
        return
    if not _may_stand(start.owner.operation, began, order):
        return
    for op in late:
        op.move_before(first)
    start.replace_all_uses_with(value)
    start.owner.operation.move_before(began)
    root.replace_all_uses_with(start)
    for writer in writers:
        tensor_and_place = list(writer.write.operands)[1:]
        for read in writer.reads:
            for number, operand in enumerate(tensor_and_place):
                read.operands[number] = operand


def _may_stand(op: ir.Operation, before: ir.Operation, order: Mapping[ir.Operation, int]) -> bool:
    """Whether an op could stand before one of a block whose ops are in this order."""
    makers = [value.owner.operation for value in op.operands if not isinstance(value.owner, ir.Block)]
    return all(maker.block != before.block or order[maker] < order[before] for maker in makers)


def _root(value: ir.Value) -> ir.Value | None:
    """The empty tensor that a tensor was written to, if nothing else was."""
    ops: set[ir.Operation] = set()
    roots: set[ir.Value] = set()
    stack = [value]
    while stack:
        value = stack.pop()
        op = None if isinstance(value.owner, ir.Block) else value.owner.operation
        if op is None or op.name == "tensor.empty":
            roots.add(value)
            continue
        ops.add(op)
        if op.name == "scf.for" and len(op.results) == 1:
            stack.append(op.operands[3])
        elif op.name in ("tensor.insert_slice", "vector.transfer_write", _SLICE):
            stack += [operand for operand in op.operands if isinstance(operand.type, ir.RankedTensorType)]
        else:
            return None
    (root, *others) = roots
    if others or made_by(root, "tensor.empty") is None:
        return None
    return root if all(use.owner.operation in ops for use in root.uses) else None


def _in_block(op: ir.Operation, block: ir.Block) -> ir.Operation | None:
    """The op of a block that `op` is, or is in; None if it is elsewhere."""
    while op.block != block:
        # Of a module, which is in no block, none may be asked for.
        if op.parent is None or op.parent.name == "builtin.module":
            return None
        op = op.parent.operation
    return op
