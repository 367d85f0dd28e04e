"""Rows that begin anywhere in a line of the caches, written by whole lines but for their ends.

A loop along a row begins with the first whole line of the result, and so reads its operands at any element.
What is in front of that line, and behind the last whole step, is computed as one vector each and stored under
a mask: every element is stored once, and nothing is read beside what the loop read.
"""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.codegen.buffer_views import root_of
from harl_mlir.codegen.line_pieces import same_lanes
from harl_mlir.codegen.vectors import make, vector_type
from harl_mlir.codegen.whole_lines import LINE, bytes_of, strides_of, written_by_lines
from harl_mlir.frontend.program import all_ops, made_by
from harl_mlir.mlir import arith, ir

_READ = "vector.transfer_read"
_WRITE = "vector.transfer_write"
_INDEX_SUMS = ("affine.apply", "arith.addi")
_FEWEST_BYTES = 512
_MASKED_BYTES = (4, 8)
"""Of elements for which every processor with vectors can store under a mask."""


@dataclass(frozen=True)
class _Row:
    """A loop along a row: what it writes, from where to where, and how far at once."""

    loop: ir.Operation
    write: ir.Operation
    first: int
    past: int
    step: int


def shift_rows(loop: ir.Operation) -> list[ir.Operation]:
    """Have loops along rows inside a loop begin with whole lines of what they write.

    Those of elementwise arithmetic, of one result in vectors of whole lines, whose rows are not known to
    begin lines. Returns their writes, which are then of whole lines.
    """
    found = [_row(op) for op in all_ops(loop) if op.name == "scf.for"]
    return [_shift(row) for row in found if row is not None]


def _row(loop: ir.Operation) -> _Row | None:
    numbers = [made_by(bound, "arith.constant") for bound in list(loop.operands)[:3]]
    if any(number is None for number in numbers) or len(loop.results):
        return None
    first, past, step = (ir.IntegerAttr(number.attributes["value"]).value for number in numbers if number)
    inside = [op.operation for op in loop.regions[0].blocks[0].operations][:-1]
    writes = [op for op in inside if op.name == _WRITE]
    if len(writes) != 1 or (past - first) % step:
        return None
    (write,) = writes
    kind = write.operands[1].type
    if not isinstance(kind, ir.MemRefType) or not _is_long(write, past - first, step):
        return None
    if written_by_lines(write) is not None or root_of(write.operands[1]) in (
        root_of(op.operands[0]) for op in inside if op.name in (_READ, "memref.load")
    ):
        return None
    along = _Along(loop, step)
    return _Row(loop, write, first, past, step) if all(map(along.may, inside)) else None


def _is_long(write: ir.Operation, length: int, step: int) -> bool:
    """Whether a row of so many elements is worth it, and written in vectors of whole lines of one step."""
    kind, size = ir.MemRefType(write.operands[1].type), bytes_of(write.operands[1].type.element_type)
    lanes = ir.VectorType(write.operands[0].type)
    strides = strides_of(kind)
    return (
        size in _MASKED_BYTES
        and list(lanes.shape) == [step]
        and step * size % LINE == 0
        and length * size >= max(_FEWEST_BYTES, 2 * step * size)
        and strides[-1:] == [1]
        and len(strides) == kind.rank
    )


def _shift(row: _Row) -> ir.Operation:
    """Put loops for a row's ends in front of that over its whole steps, whose write is returned."""
    index = ir.IndexType.get()
    with ir.InsertionPoint(row.loop), row.loop.location:
        first, past = list(row.loop.operands)[:2]
        one, width = (arith.ConstantOp(index, number).result for number in (1, row.step))
        before = _to_line(row)
        left = arith.SubIOp(arith.SubIOp(past, first).result, before).result
        behind = arith.RemUIOp(left, width).result
        begin = arith.AddIOp(first, before).result
        last = arith.SubIOp(past, width).result
        lanes = vector_type(row.step, ir.IntegerType.get_signless(1))
        in_front = make("vector.create_mask", [before], lanes)
        other = make("vector.create_mask", [arith.SubIOp(width, behind).result], lanes)
        every = ir.DenseElementsAttr.get_splat(lanes, ir.BoolAttr.get(True))
        at_end = arith.XOrIOp(other, arith.ConstantOp(lanes, every).result).result
        for start, mask, elements in ((first, in_front, before), (last, at_end, behind)):
            # One step, or none.
            any_ = arith.MinUIOp(elements, one).result
            piece = row.loop.clone()
            piece.operands[0], piece.operands[1] = start, arith.AddIOp(start, any_).result
            piece.move_before(row.loop)
            _mask(piece, mask)
        row.loop.operands[0] = begin
        row.loop.operands[1] = arith.AddIOp(last, one).result
    return row.write


def _to_line(row: _Row) -> ir.Value:
    """Elements of a row that lie in front of its first whole line; written for the current place."""
    index = ir.IndexType.get()
    buffer, *indices = list(row.write.operands)[1:]
    kind = ir.MemRefType(buffer.type)
    of_one = ir.MemRefType.get([], kind.element_type)
    facts = ir.Operation.create(
        "memref.extract_strided_metadata", results=[of_one, *[index] * (1 + 2 * kind.rank)], operands=[buffer]
    )
    address = make("memref.extract_aligned_pointer_as_index", [facts.results[0]], index)
    size = arith.ConstantOp(index, bytes_of(kind.element_type)).result
    place = arith.AddIOp(arith.DivUIOp(address, size).result, facts.results[1]).result
    for at, stride in zip(indices, strides_of(kind), strict=True):
        moved = arith.MulIOp(_at_start(at, row.loop), arith.ConstantOp(index, stride).result).result
        place = arith.AddIOp(place, moved).result
    last = arith.ConstantOp(index, LINE // bytes_of(kind.element_type) - 1).result
    none = arith.ConstantOp(index, 0).result
    return arith.AndIOp(arith.SubIOp(none, place).result, last).result


def _at_start(value: ir.Value, loop: ir.Operation) -> ir.Value:
    """An index of the loop's body as it is in the first step; computed in front of the loop."""
    block = loop.regions[0].blocks[0]
    if value == block.arguments[0]:
        return loop.operands[0]
    if isinstance(value, ir.BlockArgument) or value.owner.operation.block != block:
        return value
    made = value.owner.operation
    given = [_at_start(operand, loop) for operand in made.operands]
    attributes = {name: made.attributes[name] for name in made.attributes}
    return make(made.name, given, value.type, **attributes)


def _mask(loop: ir.Operation, mask: ir.Value) -> None:
    """Store under a mask what a loop writes."""
    (write,) = [op for op in all_ops(loop) if op.name == _WRITE]
    value, buffer, *indices = write.operands
    with ir.InsertionPoint(write), write.location:
        ir.Operation.create("vector.maskedstore", operands=[buffer, *indices, mask, value])
    write.erase()


class _Along:
    """Whether ops do the same for each element along a row, wherever a vector of them begins."""

    def __init__(self, loop: ir.Operation, step: int) -> None:
        self._loop = loop
        self._step = step
        self._counter = loop.regions[0].blocks[0].arguments[0]

    def may(self, op: ir.Operation) -> bool:
        """Whether an op of the loop's body may be done from another element on."""
        moves = [self._moves(value) for value in op.operands]
        if op.name in (_READ, _WRITE):
            return self._may_transfer(op, moves)
        if op.name in _INDEX_SUMS and isinstance(op.results[0].type, ir.IndexType):
            return self._moves(op.results[0]) in (0, 1)
        if moves != [0] * len(moves) or len(op.regions):
            return False
        if op.name == "memref.load":
            return True
        held = [v for v in op.operands if isinstance(v.type, ir.VectorType) and self._is_outside(v)]
        if any(isinstance(value, ir.BlockArgument) or not same_lanes(value) for value in held):
            return False
        if op.name in ("arith.constant", "vector.broadcast"):
            return not isinstance(op.results[0].type, ir.VectorType) or same_lanes(op.results[0])
        return op.name.startswith(("arith.", "math.")) and len(op.results) == 1

    def _may_transfer(self, op: ir.Operation, moves: list[int | None]) -> bool:
        reads = op.name == _READ
        buffer = op.operands[0 if reads else 1].type
        if not isinstance(buffer, ir.MemRefType):
            return False
        rank = ir.MemRefType(buffer).rank
        begin = 1 if reads else 2
        held = ir.VectorType((op.results[0] if reads else op.operands[0]).type)
        if len(op.operands) != begin + rank + int(reads) or held.rank != 1 or held.scalable:
            return False
        map_ = ir.AffineMapAttr(op.attributes["permutation_map"]).value
        *outer, last = moves[begin : begin + rank] or [0]
        if moves == [0] * len(moves):
            return reads and all(isinstance(each, ir.AffineConstantExpr) for each in map_.results)
        in_order = ir.AffineMap.get_minor_identity(rank, 1)
        return (
            last == 1
            and held.shape[0] == self._step
            and outer == [0] * (rank - 1)
            and map_ == in_order
            and all(ir.BoolAttr(each).value for each in op.attributes["in_bounds"])
        )

    def _is_outside(self, value: ir.Value) -> bool:
        block = self._loop.regions[0].blocks[0]
        return isinstance(value, ir.BlockArgument) or value.owner.operation.block != block

    def _moves(self, value: ir.Value) -> int | None:
        """How far a number moves with each step of one along the row; None where that is not known.

        Vectors are what is computed, and do not.
        """
        if value == self._counter:
            return 1
        if self._is_outside(value) or isinstance(value.type, ir.VectorType):
            return 0
        made = value.owner
        moves = [self._moves(operand) for operand in made.operands]
        if made.name == "arith.addi":
            return None if None in moves else sum(move for move in moves if move)
        if made.name == "affine.apply":
            map_ = ir.AffineMapAttr(made.attributes["map"]).value
            return _moves_of(map_.results[0], moves, map_.n_dims)
        return 0 if moves == [0] * len(moves) else None


def _moves_of(expression: ir.AffineExpr, given: list[int | None], dims: int) -> int | None:
    if isinstance(expression, ir.AffineConstantExpr):
        return 0
    if isinstance(expression, ir.AffineDimExpr):
        return given[int(expression.position)]
    if isinstance(expression, ir.AffineSymbolExpr):
        return given[dims + int(expression.position)]
    sides = [_moves_of(side, given, dims) for side in (expression.lhs, expression.rhs)]
    if sides == [0, 0]:
        return 0
    if None in sides:
        return None
    if isinstance(expression, ir.AffineAddExpr):
        return sum(side for side in sides if side)
    if isinstance(expression, ir.AffineMulExpr) and isinstance(expression.rhs, ir.AffineConstantExpr):
        return (sides[0] or 0) * int(expression.rhs.value)
    return None
