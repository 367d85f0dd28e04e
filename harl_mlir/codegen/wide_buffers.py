"""Copies of f16 and bf16 that are only read to be widened hold f32.

A contraction reads each element of a copied panel for every tile of rows. The processor, without arithmetic
of that type, widens it each time, which takes an instruction for every few multiplications. As widening is
exact, it may as well be done when the copy is made.
"""

from __future__ import annotations

import math

from harl_mlir.codegen.buffer_views import VIEWS
from harl_mlir.codegen.vectors import make
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, ir, linalg

_ROW = 1024
"""Elements that are copied as a vector."""
_NARROW = ("f16", "bf16")
_READS = ("memref.load", "vector.load", "vector.transfer_read")
_MOVES = ("vector.broadcast", "vector.extract", "vector.shape_cast", "vector.transpose")


def widen_buffers(module: ir.Module) -> int:
    """Rewrite the allocations of a module in place; returns how many hold wider numbers."""
    count = 0
    # All found first: of an op that is erased nothing may be asked any more.
    allocations = [op for op in all_ops(module.operation) if op.name == "memref.alloc"]
    for op in allocations:
        if str(op.results[0].type.element_type) in _NARROW:
            uses = _Uses()
            if uses.found(op.results[0]) and uses.widened:
                _widen(op.results[0], uses)
                count += 1
    return count


class _Uses:
    """What a buffer is used by: views of it, ops that write it, and what its numbers pass through."""

    def __init__(self) -> None:
        self.views: list[ir.Operation] = []
        self.writes: list[ir.Operation] = []
        self.moves: list[ir.Operation] = []
        self.widened: list[ir.Operation] = []

    def found(self, buffer: ir.Value) -> bool:
        """Whether a buffer is only copied to, and read to be widened to f32; notes what does."""
        return all(self._of_buffer(use.owner.operation, use.operand_number) for use in buffer.uses)

    def _of_buffer(self, user: ir.Operation, operand: int) -> bool:
        if user.name in VIEWS:
            self.views.append(user)
            return self.found(user.results[0])
        if user.name == "memref.dealloc":
            return True
        if user.name in _READS:
            return _is_unmasked(user, user.operands[0]) and self._is_widened(user)
        self.writes.append(user)
        return (user.name, operand) == ("memref.copy", 1) or (
            (user.name, operand) == ("vector.transfer_write", 1) and _is_unmasked(user, user.operands[1])
        )

    def _is_widened(self, made: ir.Operation) -> bool:
        self.moves.append(made)
        return all(self._of_number(use.owner.operation) for use in made.results[0].uses)

    def _of_number(self, user: ir.Operation) -> bool:
        if user.name == "arith.extf":
            self.widened.append(user)
            return str(_element(user.results[0].type)) == "f32"
        return user.name in _MOVES and self._is_widened(user)


def _widen(buffer: ir.Value, uses: _Uses) -> None:
    wide = ir.F32Type.get()
    for value in (buffer, *(view.results[0] for view in uses.views)):
        kind = ir.MemRefType(value.type)
        value.set_type(ir.MemRefType.get(kind.shape, wide, kind.layout, kind.memory_space))
    for move in uses.moves:
        (result,) = move.results
        kind = result.type
        result.set_type(ir.VectorType.get(kind.shape, wide) if isinstance(kind, ir.VectorType) else wide)
        if move.name == "vector.transfer_read":
            padding = 1 + ir.MemRefType(move.operands[0].type).rank
            with ir.InsertionPoint(move), move.location:
                move.operands[padding] = arith.ExtFOp(wide, move.operands[padding]).result
    for extension in uses.widened:
        extension.results[0].replace_all_uses_with(extension.operands[0])
        extension.erase()
    for write in uses.writes:
        with ir.InsertionPoint(write), write.location:
            if write.name == "memref.copy":
                _copy(write.operands[0], write.operands[1])
            else:
                kind = ir.VectorType(write.operands[0].type)
                write.operands[0] = arith.ExtFOp(
                    ir.VectorType.get(kind.shape, wide), write.operands[0]
                ).result
        if write.name == "memref.copy":
            write.erase()


def _copy(source: ir.Value, target: ir.Value) -> None:
    """Widen what is in one buffer into another: a row as a vector, more in loops."""
    given, made = (ir.MemRefType(each.type) for each in (source, target))
    identity = ir.AffineMapAttr.get(ir.AffineMap.get_identity(given.rank))
    if given.rank and given.has_static_shape and math.prod(given.shape) == given.shape[-1] <= _ROW:
        first = [arith.ConstantOp(ir.IndexType.get(), 0).result] * given.rank
        inside = ir.ArrayAttr.get([ir.BoolAttr.get(True)])
        last = ir.AffineMapAttr.get(ir.AffineMap.get_minor_identity(given.rank, 1))
        padding = arith.ConstantOp(given.element_type, ir.FloatAttr.get(given.element_type, 0.0)).result
        narrow, wide = (ir.VectorType.get([given.shape[-1]], each.element_type) for each in (given, made))
        facts = {"permutation_map": last, "in_bounds": inside}
        sizes = ir.DenseI32ArrayAttr.get
        read = make(
            "vector.transfer_read",
            [source, *first, padding],
            narrow,
            **facts,
            operandSegmentSizes=sizes([1, given.rank, 1, 0]),
        )
        ir.Operation.create(
            "vector.transfer_write",
            operands=[arith.ExtFOp(wide, read).result, target, *first],
            attributes={**facts, "operandSegmentSizes": sizes([1, 1, given.rank, 0])},
        )
        return
    loops = ir.ArrayAttr.get([ir.Attribute.parse("#linalg.iterator_type<parallel>")] * given.rank)
    op = linalg.GenericOp([], [source], [target], ir.ArrayAttr.get([identity] * 2), loops)
    body = op.regions[0].blocks.append(given.element_type, made.element_type)
    with ir.InsertionPoint(body):
        linalg.YieldOp([arith.ExtFOp(made.element_type, body.arguments[0]).result])


def _is_unmasked(op: ir.Operation, buffer: ir.Value) -> bool:
    """Whether all that a read or write of a buffer says it moves is moved."""
    others = {"vector.transfer_read": 1, "vector.transfer_write": 1}.get(op.name, 0)
    whole = len(op.operands) == 1 + ir.MemRefType(buffer.type).rank + others
    return whole and (op.parent is None or op.parent.name != "vector.mask")


def _element(kind: ir.Type) -> ir.Type:
    return kind.element_type if isinstance(kind, ir.VectorType) else kind
