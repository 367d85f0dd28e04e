"""Vectors of several cache lines taken apart into lines, in the order in which these lie in memory.

LLVM cuts a vector into registers by itself, but reads and writes the pieces in an order of its own: of the
rows of a window's sum every other one backwards. The processor foresees reads from memory that go on in one
direction, and has less than half of its bandwidth where they turn round again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harl_mlir.codegen.buffer_views import root_of
from harl_mlir.codegen.vectors import make, vector_type
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, ir

_LINE = 64
_READ = "vector.transfer_read"
_WRITE = "vector.transfer_write"
_CONSTANT = "arith.constant"
_BROADCAST = "vector.broadcast"


def cut_into_lines(loop: ir.Operation) -> bool:
    """Take the vectors of one dimension in a loop apart that are of several lines, all of them or none.

    That is for loops that read a buffer at several places. None where a vector comes from, or goes to,
    anything but transfers in bounds, elementwise arithmetic, constants and numbers that are the same in all
    lanes. Returns whether they were.
    """
    inside = all_ops(loop)
    if not _reads_again(inside):
        return False
    sizes = [_bits(value) // 8 for op in inside for value in (*op.operands, *op.results)]
    lanes = _LINE // min((size for size in sizes if size), default=_LINE)
    cut = _Cut(loop, lanes)
    wide = [op for op in inside if any(map(cut.is_wide, (*op.operands, *op.results)))]
    if not wide or not all(map(cut.may, wide)):
        return False
    for op in wide:
        with ir.InsertionPoint(op), op.location:
            cut.make(op)
    for op in reversed(wide):
        op.erase()
    return True


@dataclass
class _Cut:
    """The pieces, of so many lanes, of vectors in a loop, by vector."""

    loop: ir.Operation
    lanes: int
    made: dict[ir.Value, list[ir.Value]] = field(default_factory=dict)

    def is_wide(self, value: ir.Value) -> bool:
        """Whether it is a vector of more than one piece, in one dimension."""
        return _bits(value) > 0 and ir.VectorType(value.type).shape[0] > self.lanes

    def may(self, op: ir.Operation) -> bool:
        """Whether an op with vectors of more than one piece can be made of pieces."""
        wide = [value for value in (*op.operands, *op.results) if self.is_wide(value)]
        shapes = {ir.VectorType(value.type).shape[0] for value in wide}
        if len(shapes) != 1 or min(shapes) % self.lanes:
            return False
        if not all(self._is_known(value) for value in op.operands if self.is_wide(value)):
            return False
        if op.name in (_READ, _WRITE):
            return _is_plain(op)
        if op.name in (_CONSTANT, _BROADCAST):
            return same_lanes(op.results[0])
        others = [value.type for value in (*op.operands, *op.results) if not self.is_wide(value)]
        return (
            op.name.startswith(("arith.", "math."))
            and len(op.results) == 1
            and not any(isinstance(kind, ir.VectorType) for kind in others)
        )

    def make(self, op: ir.Operation) -> None:
        """Put the pieces of an op in front of it; those of its operands are there."""
        held = (*op.operands, *op.results)
        count = max(ir.VectorType(value.type).shape[0] for value in held if self.is_wide(value)) // self.lanes
        if op.name in (_CONSTANT, _BROADCAST):
            self.made[op.results[0]] = self._pieces(op.results[0], count)
            return
        pieces = [self._piece(op, number, count) for number in range(count)]
        if len(op.results):
            self.made[op.results[0]] = [piece.results[0] for piece in pieces]

    def _piece(self, op: ir.Operation, number: int, count: int) -> ir.Operation:
        operands = [self._pieces(v, count)[number] if self.is_wide(v) else v for v in op.operands]
        if op.name in (_READ, _WRITE) and number:
            last = len(op.operands) - (2 if op.name == _READ else 1)
            moved = arith.ConstantOp(ir.IndexType.get(), number * self.lanes).result
            operands[last] = arith.AddIOp(operands[last], moved).result
        results = [vector_type(self.lanes, ir.VectorType(v.type).element_type) for v in op.results]
        attributes = {name: op.attributes[name] for name in op.attributes}
        return ir.Operation.create(op.name, results=results, operands=operands, attributes=attributes)

    def _pieces(self, value: ir.Value, count: int) -> list[ir.Value]:
        """Of a vector that is the same in all lanes the same piece again and again."""
        if value not in self.made:
            kind = vector_type(self.lanes, ir.VectorType(value.type).element_type)
            op = value.owner
            attributes: dict[str, ir.Attribute] = {}
            if op.name == _CONSTANT:
                number = ir.DenseElementsAttr(op.attributes["value"]).get_splat_value()
                attributes["value"] = ir.DenseElementsAttr.get_splat(kind, number)
            with ir.InsertionPoint(op), op.location:
                piece = make(op.name, list(op.operands), kind, **attributes)
            self.made[value] = [piece] * count
        return self.made[value]

    def _is_known(self, value: ir.Value) -> bool:
        """Whether the pieces of an operand are made in the loop, or can be made wherever it is used."""
        if isinstance(value, ir.BlockArgument):
            return False
        return _is_inside(value.owner, self.loop) or same_lanes(value)


def _reads_again(ops: list[ir.Operation]) -> bool:
    """Whether a buffer is read in vectors at more than one place."""
    roots = [root_of(op.operands[0]) for op in ops if op.name == _READ]
    return len(set(roots)) < len(roots)


def _is_inside(op: ir.Operation, loop: ir.Operation) -> bool:
    around = op
    while around is not None and around.name != "builtin.module":
        if around == loop:
            return True
        around = around.parent
    return False


def same_lanes(value: ir.Value) -> bool:
    """Whether a vector is a constant or made of one number."""
    op = value.owner
    if op.name == _BROADCAST:
        return not isinstance(op.operands[0].type, ir.VectorType)
    if op.name != _CONSTANT or not isinstance(op.attributes["value"], ir.DenseElementsAttr):
        return False
    return bool(ir.DenseElementsAttr(op.attributes["value"]).is_splat)


def _is_plain(transfer: ir.Operation) -> bool:
    """Whether a transfer is of neighbours in the last dimension of a buffer, in bounds, without a mask."""
    vector, buffer = (
        (transfer.results[0], transfer.operands[0])
        if transfer.name == _READ
        else (transfer.operands[0], transfer.operands[1])
    )
    if not isinstance(buffer.type, ir.MemRefType) or ir.VectorType(vector.type).rank != 1:
        return False
    rank = ir.MemRefType(buffer.type).rank
    in_order = ir.AffineMap.get_minor_identity(rank, 1)
    return (
        len(transfer.operands) == rank + 2
        and ir.AffineMapAttr(transfer.attributes["permutation_map"]) == ir.AffineMapAttr.get(in_order)
        and all(ir.BoolAttr(each).value for each in transfer.attributes["in_bounds"])
    )


def _bits(value: ir.Value) -> int:
    """Of an element of a vector of one dimension; 0 for anything else."""
    if not isinstance(value.type, ir.VectorType):
        return 0
    kind = ir.VectorType(value.type)
    if kind.rank != 1 or kind.scalable:
        return 0
    return int(getattr(kind.element_type, "width", 64))
