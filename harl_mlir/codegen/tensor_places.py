"""Which part of a tensor a value or a vector is, and of which tensors nothing is known.

`passes/lib/TensorPlaces.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.frontend.program import made_by
from harl_mlir.mlir import ir

_SLICE = "tensor.extract_slice"


def is_plain(transfer: ir.Operation) -> bool:
    """Whether a vector has the dimensions of the tensor, in their order, and nothing is left out of it."""
    map_ = ir.AffineMapAttr(transfer.attributes["permutation_map"]).value
    masked = list(ir.DenseI32ArrayAttr(transfer.attributes["operandSegmentSizes"]))[-1]
    inside = all(ir.BoolAttr(each).value for each in ir.ArrayAttr(transfer.attributes["in_bounds"]))
    return bool(map_ == ir.AffineMap.get_identity(map_.n_dims)) and inside and not masked


def sum_of(index: ir.Value, more: int = 0) -> tuple[tuple[ir.Value, ...], int]:
    """An index as a value, if it has one, and a number."""
    constant = made_by(index, "arith.constant")
    if constant is not None:
        return (), more + int(ir.IntegerAttr(constant.attributes["value"]).value)
    applied = made_by(index, "affine.apply")
    if applied is not None and len(applied.operands) == 1:
        (row,) = ir.AffineMapAttr(applied.attributes["map"]).value.results
        single = (ir.AffineDimExpr, ir.AffineSymbolExpr)
        added = isinstance(row, ir.AffineAddExpr) and isinstance(row.rhs, ir.AffineConstantExpr)
        if added and isinstance(row.lhs, single):
            return (applied.operands[0],), more + row.rhs.value
    return (index,), more


def offsets_of(op: ir.Operation) -> tuple[int, ...] | None:
    """Where the part is that `op` takes or puts, of as many dimensions as the whole, if that is known."""
    if op.name == "vector.transfer_write":
        sums = [sum_of(index) for index in list(op.operands)[2:]]
        known = is_plain(op) and not any(values for values, _ in sums)
        return tuple(number for _, number in sums) if known else None
    if op.name not in (_SLICE, "tensor.insert_slice"):
        return None
    tensors = [
        value.type for value in [*op.operands, *op.results] if isinstance(value.type, ir.RankedTensorType)
    ]
    if len(tensors) != len(op.operands) + 1 or len({len(type_.shape) for type_ in tensors}) > 1:
        return None
    strides = list(ir.DenseI64ArrayAttr(op.attributes["static_strides"]))
    return tuple(ir.DenseI64ArrayAttr(op.attributes["static_offsets"])) if set(strides) <= {1} else None


def start_of(value: ir.Value) -> tuple[ir.Value, tuple[int, ...] | None]:
    """What a tensor is a part of, to which nothing was written there before; and where in that it is."""
    sizes = list(value.type.shape)
    place = [0] * len(sizes)
    while not isinstance(value.owner, ir.Block):
        op = value.owner.operation
        offsets = offsets_of(op)
        if offsets is None or (op.name == _SLICE and isinstance(op.operands[0].owner, ir.Block)):
            break
        if op.name == _SLICE:
            place = [a + b for a, b in zip(place, offsets, strict=True)]
            value = op.operands[0]
            continue
        ranges = zip(place, sizes, offsets, op.operands[0].type.shape, strict=True)
        if not any(a + n <= b or b + m <= a for a, n, b, m in ranges):
            return value, None
        value = op.operands[1]
    return value, tuple(place)


def is_unknown(value: ir.Value) -> bool:
    """Whether nothing is known of a tensor's elements: it is empty, or a part of an empty result.

    That may be a part, too: of what the loop around makes.
    """
    if made_by(value, "tensor.empty") is not None:
        return True
    part = made_by(value, _SLICE)
    if part is None:
        return False
    shared = part.operands[0]
    if not isinstance(shared.owner, ir.Block):
        return is_unknown(shared)
    loop = shared.owner.owner.operation
    if loop.name != "scf.forall":
        return False
    return is_unknown(loop.operands[shared.arg_number - len(shared.owner.arguments) + len(loop.operands)])
