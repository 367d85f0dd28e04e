"""Vector ops put into a module: slices, shuffles, and rows that lie contiguously in memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from harl_mlir.mlir import arith, ir

ANY_LANE = -1
"""In a shuffle: a lane of which nothing is known."""


def make(name: str, operands: Sequence[ir.Value], result: ir.Type, **attributes: ir.Attribute) -> ir.Value:
    """An op of one result at the current place."""
    made: ir.Value = ir.Operation.create(
        name, results=[result], operands=list(operands), attributes=attributes
    ).result
    return made


def vector_type(count: int, element: ir.Type) -> ir.VectorType:
    """A vector of one dimension."""
    return ir.VectorType.get([count], element)


def numbers(*values: int) -> ir.ArrayAttr:
    """An array of `i64`."""
    kind = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get([ir.IntegerAttr.get(kind, value) for value in values])


def extract(vector: ir.Value, *place: int) -> ir.Value:
    """The part of a vector at a place of its first dimensions."""
    kind = ir.VectorType(vector.type)
    left = kind.shape[len(place) :]
    result = ir.VectorType.get(left, kind.element_type) if left else kind.element_type
    return make("vector.extract", [vector], result, static_position=ir.DenseI64ArrayAttr.get(list(place)))


def insert(part: ir.Value, vector: ir.Value, *place: int) -> ir.Value:
    """`vector` with `part` at a place of its first dimensions."""
    position = ir.DenseI64ArrayAttr.get(list(place))
    return make("vector.insert", [part, vector], vector.type, static_position=position)


def places(shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The indices of all elements of a shape in row-major order."""
    return itertools.product(*(range(size) for size in shape))


def shuffle(first: ir.Value, second: ir.Value, lanes: Sequence[int]) -> ir.Value:
    """Lanes of two vectors of one dimension, those of the second counted on from the first's."""
    kind = vector_type(len(lanes), first.type.element_type)
    return make("vector.shuffle", [first, second], kind, mask=ir.DenseI64ArrayAttr.get(list(lanes)))


def resized(vector: ir.Value, count: int) -> ir.Value:
    """The first `count` lanes of a vector of one dimension; of those beyond its own nothing is known."""
    has = vector.type.shape[0]
    if has == count:
        return vector
    if not isinstance(vector, ir.BlockArgument) and vector.owner.name == "vector.shuffle":
        source, lanes = vector.owner.operands[0], vector.owner.attributes["mask"]
        first = list(ir.DenseI64ArrayAttr(lanes)) == list(range(has))
        if first and source.type.shape[0] == count:
            return source
    return shuffle(vector, vector, [lane if lane < has else ANY_LANE for lane in range(count)])


def lanes_from(vector: ir.Value, first: int, count: int) -> ir.Value:
    """`count` lanes of a vector of one dimension."""
    if first == 0 and count == vector.type.shape[0]:
        return vector
    kind = vector_type(count, vector.type.element_type)
    return make(
        "vector.extract_strided_slice",
        [vector],
        kind,
        offsets=numbers(first),
        sizes=numbers(count),
        strides=numbers(1),
    )


def put_lanes(part: ir.Value, vector: ir.Value, first: int) -> ir.Value:
    """`vector` with `part` in the place of its lanes from `first` on."""
    if part.type == vector.type:
        return part
    return make(
        "vector.insert_strided_slice",
        [part, vector],
        vector.type,
        offsets=numbers(first),
        strides=numbers(1),
    )


def bitcast(vector: ir.Value, kind: ir.VectorType) -> ir.Value:
    """The bits of a vector as another type."""
    return vector if vector.type == kind else make("vector.bitcast", [vector], kind)


def extended(value: ir.Value, element: ir.Type) -> ir.Value:
    """A float, or a vector of them, in a type that may be wider."""
    kind = value.type
    wide = ir.VectorType.get(kind.shape, element) if isinstance(kind, ir.VectorType) else element
    return value if wide == kind else make("arith.extf", [value], wide)


def truncated(value: ir.Value, kind: ir.Type) -> ir.Value:
    """A float, or a vector of them, rounded to a type that may be narrower."""
    return value if value.type == kind else make("arith.truncf", [value], kind)


def flattened(vector: ir.Value) -> ir.Value:
    """A vector as one of one dimension."""
    kind = ir.VectorType(vector.type)
    return make("vector.shape_cast", [vector], vector_type(math.prod(kind.shape), kind.element_type))


def splat(value: int, kind: ir.VectorType) -> ir.Value:
    """The same integer in every lane."""
    number = ir.IntegerAttr.get(kind.element_type, value)
    return arith.ConstantOp(kind, ir.DenseElementsAttr.get_splat(kind, number)).result


def row_of(transfer: ir.Operation) -> tuple[ir.Value, list[ir.Value]] | None:
    """Where the last two dimensions of a vector lie as one row of a buffer: that buffer, and the indices.

    `transfer` is a `vector.transfer_read` or `_write`. None unless it is in bounds, not masked, and takes
    whole rows of the buffer's last dimension; else ops that see the buffer so are put at the current place.
    """
    at = 0 if transfer.name == "vector.transfer_read" else 1
    source = transfer.operands[at]
    if not isinstance(source.type, ir.MemRefType):
        return None
    buffer = ir.MemRefType(source.type)
    vector = ir.VectorType((transfer.results[0] if at == 0 else transfer.operands[0]).type)
    rank = buffer.rank
    if rank < 2 or vector.rank < 2 or not buffer.has_static_shape:
        return None
    strides, offset = buffer.get_strides_and_offset()
    operands = 2 + rank
    in_order = ir.AffineMap.get_minor_identity(rank, vector.rank)
    group = buffer.shape[-1]
    if (
        len(transfer.operands) != operands
        or ir.AffineMapAttr(transfer.attributes["permutation_map"]) != ir.AffineMapAttr.get(in_order)
        or not all(ir.BoolAttr(each).value for each in transfer.attributes["in_bounds"])
        or list(strides[-2:]) != [group, 1]
        or vector.shape[-1] != group
    ):
        return None
    shape = [*buffer.shape[:-2], group * buffer.shape[-2]]
    layout = ir.StridedLayoutAttr.get(offset, [*strides[:-2], 1])
    plain = buffer.layout == ir.AffineMapAttr.get(ir.AffineMap.get_identity(rank))
    row = ir.MemRefType.get(
        shape, buffer.element_type, None if plain else layout, memory_space=buffer.memory_space
    )
    groups = ir.ArrayAttr.get(
        [numbers(*group) for group in [*([d] for d in range(rank - 2)), [rank - 2, rank - 1]]]
    )
    flat = make("memref.collapse_shape", [source], row, reassociation=groups)
    indices = list(transfer.operands)[at + 1 : at + 1 + rank]
    count = arith.ConstantOp(ir.IndexType.get(), group).result
    return flat, [*indices[:-2], arith.MulIOp(indices[-2], count).result]


def load_row(buffer: ir.Value, indices: Sequence[ir.Value], count: int, lanes: int) -> ir.Value:
    """`count` elements of a row of a buffer in a vector of `lanes`; in those beyond lies 0."""
    element = ir.MemRefType(buffer.type).element_type
    kind = vector_type(lanes, element)
    if count == lanes:
        return make("vector.load", [buffer, *indices], kind)
    flags = ir.VectorType.get([lanes], ir.IntegerType.get_signless(1))
    size = arith.ConstantOp(ir.IndexType.get(), count).result
    mask = make("vector.create_mask", [size], flags)
    zero = (
        ir.FloatAttr.get(element, 0.0)
        if not isinstance(element, ir.IntegerType)
        else ir.IntegerAttr.get(element, 0)
    )
    rest = arith.ConstantOp(kind, ir.DenseElementsAttr.get_splat(kind, zero)).result
    return make("vector.maskedload", [buffer, *indices, mask, rest], kind)
