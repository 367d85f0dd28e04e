"""Rows that are kept in pieces: what a loop over whole vectors writes, and what it leaves over.

Where vectors do not divide a row, a loop writes all but its end, other ops write the rest, and all is put
into the row, which its readers read. `online_sums` has the loop write earlier than the others. So that it is
plain that nothing need be copied then, the loop carries the row instead of its piece.

`passes/lib/RowPieces.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.codegen.row_loops import splat
from harl_mlir.codegen.tensor_places import is_plain, offsets_of, sum_of
from harl_mlir.frontend.program import made_by
from harl_mlir.mlir import ir

_READ, _WRITE = "vector.transfer_read", "vector.transfer_write"
_SLICE, _INSERT = "tensor.extract_slice", "tensor.insert_slice"

Ranges = tuple[tuple[int, int], ...]
"""The first number and the one after the last, for each dimension."""


def carry_whole_rows(block: ir.Block) -> None:
    """Have loops that write vectors into the beginning of a tensor carry all of it, in place."""
    for op in [each.operation for each in block.operations]:
        if op.name == _INSERT:
            loop = _loop_of(op)
            if loop is not None:
                _carry_whole(loop, op)


def _loop_of(insert: ir.Operation) -> ir.Operation | None:
    """The loop that makes what is put back to where it was taken from, the beginning."""
    loop = made_by(insert.operands[0], "scf.for")
    if loop is None or loop.block != insert.block or len(loop.results) != 1:
        return None
    taken, piece = made_by(loop.operands[3], _SLICE), insert.operands[0].type
    if taken is None or taken.operands[0] != insert.operands[1] or taken.results[0].type != piece:
        return None
    places = (offsets_of(taken), offsets_of(insert))
    if any(place is None or any(place) for place in places):
        return None
    if any(len(list(value.uses)) != 1 for value in (taken.results[0], loop.results[0])):
        return None
    block = loop.regions[0].blocks[0]
    (last,) = list(block.operations)[-1].operands
    write = made_by(last, _WRITE)
    carried = block.arguments[1]
    users = [use.owner.operation for use in carried.uses]
    if write is None or write.operands[1] != carried or len(list(last.uses)) != 1:
        return None
    plain = all(op == write or op.name == _READ for op in users) and all(map(is_plain, users))
    return loop if plain and write.operands[0] != carried else None


def _carry_whole(loop: ir.Operation, insert: ir.Operation) -> None:
    taken, row = loop.operands[3].owner, insert.operands[1]
    block = loop.regions[0].blocks[0]
    loop.operands[3] = row
    taken.erase()
    for value in (block.arguments[1], list(block.operations)[-1].operands[0], loop.results[0]):
        value.set_type(row.type)
    insert.results[0].replace_all_uses_with(loop.results[0])
    insert.erase()


def touched(use: ir.OpOperand) -> Ranges | None:
    """Where a user reads or writes a tensor, in all steps of its loop; None if that is not known."""
    op = use.owner.operation
    if op.name in (_INSERT, _WRITE):
        return _written(op) if use.operand_number == 1 else None
    if op.name == _SLICE:
        offsets = offsets_of(op)
        return None if offsets is None else _from_to(offsets, offsets, op.results[0].type.shape)
    return ranges_of(op) if op.name == _READ else None


def before_at(tensor: ir.Value, place: Ranges) -> ir.Value:
    """What a tensor was before it was written elsewhere than at a place."""
    while not isinstance(tensor.owner, ir.Block):
        op = tensor.owner.operation
        if op.name not in (_INSERT, _WRITE):
            break
        written = _written(op)
        if written is None or not are_apart(written, place):
            break
        tensor = op.operands[1]
    return tensor


def _written(op: ir.Operation) -> Ranges | None:
    """Where an op writes, in all steps of its loop; None if that is not known."""
    if op.name == _WRITE:
        return ranges_of(op)
    offsets = offsets_of(op)
    return None if offsets is None else _from_to(offsets, offsets, op.operands[0].type.shape)


def ranges_of(transfer: ir.Operation) -> Ranges | None:
    """Where a vector is read or written, in all steps of its loop; None if that is not known."""
    if not is_plain(transfer):
        return None
    reads = transfer.name == _READ
    indices = list(transfer.operands)[1:-1] if reads else list(transfer.operands)[2:]
    bounds = [_bounds(index) for index in indices]
    known = [each for each in bounds if each is not None]
    if len(known) != len(bounds):
        return None
    vector = transfer.results[0] if reads else transfer.operands[0]
    return _from_to([low for low, _ in known], [high for _, high in known], vector.type.shape)


def _from_to(low: Sequence[int], high: Sequence[int], sizes: Sequence[int]) -> Ranges:
    return tuple((a, b + size) for a, b, size in zip(low, high, sizes, strict=True))


def _bounds(index: ir.Value) -> tuple[int, int] | None:
    """The least and greatest number that an index is."""
    values, number = sum_of(index)
    if not values:
        return number, number
    (value,) = values
    loop = value.owner.owner.operation if isinstance(value.owner, ir.Block) else None
    if loop is None or loop.name != "scf.for" or value.arg_number:
        return None
    first, last, step = (splat(bound) for bound in list(loop.operands)[:3])
    if not isinstance(first, int) or not isinstance(last, int) or not isinstance(step, int) or last <= first:
        return None
    return first + number, first + (last - first - 1) // step * step + number


def are_apart(one: Ranges, other: Ranges) -> bool:
    """Whether two parts of a tensor have nothing in common."""
    return any(a[1] <= b[0] or b[1] <= a[0] for a, b in zip(one, other, strict=True))
