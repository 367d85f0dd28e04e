"""Which vectors are written to whole lines of memory, as far as a buffer begins with one."""

from __future__ import annotations

import math

from harl_mlir.codegen.buffer_views import VIEWS
from harl_mlir.mlir import ir

LINE = 64
_UNLIMITED = 1 << 40


def written_by_lines(write: ir.Operation) -> ir.Value | None:
    """The buffer in which whole lines are written, in bounds, if that begins with one; else None."""
    vector, buffer = write.operands[0].type, write.operands[1]
    if not isinstance(buffer.type, ir.MemRefType) or not isinstance(vector, ir.VectorType):
        return None
    if write.parent is not None and write.parent.name == "vector.mask":
        return None
    kind = ir.MemRefType(buffer.type)
    rank = kind.rank
    if len(write.operands) != rank + 2 or not 0 < vector.rank <= rank or vector.scalable:
        return None
    in_order = ir.AffineMap.get_minor_identity(rank, vector.rank)
    if ir.AffineMapAttr(write.attributes["permutation_map"]) != ir.AffineMapAttr.get(in_order):
        return None
    if not all(ir.BoolAttr(each).value for each in write.attributes["in_bounds"]):
        return None
    strides = strides_of(kind)
    size = bytes_of(kind.element_type)
    if not size or not strides or strides[-1] != 1 or vector.shape[-1] * size % LINE:
        return None
    moves = [
        *((1, step) for step in strides[rank - vector.rank : rank - 1]),
        *((_divisor(index), step) for index, step in zip(write.operands[2:], strides, strict=True)),
    ]
    keeps = not any(factor * step * size % LINE for factor, step in moves)
    return _root_of_lines(buffer, size) if keeps else None


def strides_of(kind: ir.MemRefType) -> list[int]:
    """Of a buffer all of whose strides are known; empty for others."""
    strides, _ = kind.get_strides_and_offset()
    return [] if ir.ShapedType.get_dynamic_stride_or_offset() in strides else list(strides)


def _root_of_lines(buffer: ir.Value, size: int) -> ir.Value | None:
    """The buffer that a view of elements of `size` bytes is of, if it begins with a line where that does."""
    while not isinstance(buffer, ir.BlockArgument) and buffer.owner.name in VIEWS:
        made = buffer.owner
        source = made.operands[0]
        if made.name == "memref.subview" and not _moves_by_lines(made, ir.MemRefType(source.type), size):
            return None
        buffer = source
    if not isinstance(buffer.type, ir.MemRefType):
        return None
    kind = ir.MemRefType(buffer.type)
    plain = ir.AffineMapAttr.get(ir.AffineMap.get_identity(kind.rank))
    return buffer if kind.layout == plain else None


def _moves_by_lines(view: ir.Operation, source: ir.MemRefType, size: int) -> bool:
    strides = strides_of(source)
    if not strides:
        return False
    dynamic = iter(list(view.operands)[1:])
    none = ir.ShapedType.get_dynamic_stride_or_offset()
    for offset, stride in zip(ir.DenseI64ArrayAttr(view.attributes["static_offsets"]), strides, strict=True):
        factor = _divisor(next(dynamic)) if offset == none else offset
        if factor * stride * size % LINE:
            return False
    return True


def _divisor(value: ir.Value) -> int:
    """A number that an index is a multiple of; large for zero."""
    if isinstance(value, ir.BlockArgument):
        loop = value.owner.owner
        if loop.operation.name != "scf.for" or value.arg_number:
            return 1
        start, _, step = list(loop.operation.operands)[:3]
        return math.gcd(_divisor(start), _divisor(step))
    made = value.owner
    match made.name:
        case "arith.constant":
            return ir.IntegerAttr(made.attributes["value"]).value or _UNLIMITED
        case "arith.addi":
            return math.gcd(*(_divisor(operand) for operand in made.operands))
        case "arith.muli":
            return math.prod(_divisor(operand) for operand in made.operands)
        case "affine.apply":
            (result,) = ir.AffineMapAttr(made.attributes["map"]).value.results
            dims = ir.AffineMapAttr(made.attributes["map"]).value.n_dims
            return _divisor_of(result, [_divisor(operand) for operand in made.operands], dims)
    return 1


def _divisor_of(expression: ir.AffineExpr, given: list[int], dims: int) -> int:
    if isinstance(expression, ir.AffineConstantExpr):
        return expression.value or _UNLIMITED
    if isinstance(expression, ir.AffineDimExpr):
        return given[int(expression.position)]
    if isinstance(expression, ir.AffineSymbolExpr):
        return given[dims + int(expression.position)]
    if isinstance(expression, (ir.AffineAddExpr, ir.AffineMulExpr)):
        sides = [_divisor_of(side, given, dims) for side in (expression.lhs, expression.rhs)]
        return math.gcd(*sides) if isinstance(expression, ir.AffineAddExpr) else math.prod(sides)
    return 1


def bytes_of(element: ir.Type) -> int:
    """Whole bytes of an element: of bits none."""
    return int(getattr(element, "width", 64)) // 8
