"""Dot products of pairs of bf16 by the processor's instruction, `vdpbf16ps` of AVX512-BF16.

A schedule leaves `C[m, n] += A[m, p] * B[n, p]` with two steps of `p` as a `vector.contract` of bf16 to f32.
LLVM makes no such instruction of the widened products; elsewhere the contraction is lowered as any other.
The instruction rounds each product's sum to f32, and takes denormals as zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, ir

_INTRINSIC = "llvm.x86.avx512bf16.dpbf16ps.512"
_LANES = 16
_PAIR = 2
_MAPS = [
    "(d0, d1, d2) -> (d0, d2)",
    "(d0, d1, d2) -> (d1, d2)",
    "(d0, d1, d2) -> (d0, d1)",
]


def dot_products(module: ir.Module) -> int:
    """Put the instruction in the place of contractions of pairs of bf16, in place; returns how many.

    The module is past the deallocation of buffers, which refuses calls of intrinsics.
    """
    found = [op for op in all_ops(module.operation) if _is_of_pairs(op)]
    for op in found:
        vectors = _flat(op.operands[1])
        with ir.InsertionPoint(op), op.location:
            value = _multiplied(op.operands[0], vectors, op.operands[2])
        op.results[0].replace_all_uses_with(value)
        op.erase()
    return len(found)


def _is_of_pairs(op: ir.Operation) -> bool:
    if op.name != "vector.contract" or len(op.operands) != 3:
        return False
    rows, columns, result = (value.type for value in op.operands)
    if not all(isinstance(kind, ir.VectorType) and kind.rank == 2 for kind in (rows, columns, result)):
        return False
    elements = [str(kind.element_type) for kind in (rows, columns, result)]
    maps = [str(each)[len("affine_map<") : -1] for each in op.attributes["indexing_maps"]]
    return (
        elements == ["bf16", "bf16", "f32"]
        and "<add>" in str(op.attributes["kind"])
        and maps == _MAPS
        and rows.shape[1] == _PAIR
        and columns.shape[0] % _LANES == 0
    )


def _multiplied(rows: ir.Value, vectors: ir.Value, result: ir.Value) -> ir.Value:
    """`result` plus the products of all rows with the pairs of all columns, which `vectors` holds."""
    count, columns = result.type.shape
    row = _vector(columns, ir.F32Type.get())
    for number in range(count):
        pair = _all_lanes(_extract(rows, number, _vector(_PAIR, ir.BF16Type.get())))
        given = sums = _extract(result, number, row)
        for first in range(0, columns, _LANES):
            factors = _slice(vectors, _PAIR * first, _PAIR * _LANES)
            made = _dot(_slice(given, first, _LANES), pair, factors)
            sums = _op(
                "vector.insert_strided_slice", [made, sums], row, offsets=_numbers(first), strides=_numbers(1)
            )
        place = ir.DenseI64ArrayAttr.get([number])
        result = _op("vector.insert", [sums, result], result.type, static_position=place)
    return result


def _dot(sums: ir.Value, rows: ir.Value, columns: ir.Value) -> ir.Value:
    return _op(
        "llvm.call_intrinsic",
        [sums, rows, columns],
        sums.type,
        intrin=ir.StringAttr.get(_INTRINSIC),
        op_bundle_sizes=ir.DenseI32ArrayAttr.get([]),
        operandSegmentSizes=ir.DenseI32ArrayAttr.get([3, 0]),
    )


def _all_lanes(pair: ir.Value) -> ir.Value:
    """A pair of bf16 in every lane, moved about as one element of 32 bits."""
    single = ir.F32Type.get()
    one = _extract(_op("vector.bitcast", [pair], _vector(1, single)), 0, single)
    wide = _op("vector.broadcast", [one], _vector(_LANES, single))
    return _op("vector.bitcast", [wide], _vector(_PAIR * _LANES, ir.BF16Type.get()))


def _flat(pairs: ir.Value) -> ir.Value:
    """A vector of pairs as one row, read as such where it is contiguous in memory."""
    kind = _vector(pairs.type.shape[0] * _PAIR, pairs.type.element_type)
    if isinstance(pairs, ir.BlockArgument):
        with ir.InsertionPoint.at_block_begin(pairs.owner), ir.Location.unknown():
            return _op("vector.shape_cast", [pairs], kind)
    made = pairs.owner
    if _is_contiguous(made):
        with ir.InsertionPoint(made), made.location:
            return _read_row(made, kind)
    with ir.InsertionPoint.after(made), made.location:
        return _op("vector.shape_cast", [pairs], kind)


def _is_contiguous(read: ir.Operation) -> bool:
    """Whether whole pairs are read, in bounds, that follow each other in a buffer of plain layout."""
    if read.name != "vector.transfer_read" or not isinstance(read.operands[0].type, ir.MemRefType):
        return False
    buffer = ir.MemRefType(read.operands[0].type)
    rank = buffer.rank
    in_order = ir.AffineMap.get_minor_identity(rank, 2) if rank >= 2 else None
    return (
        ir.AffineMapAttr(read.attributes["permutation_map"]) == ir.AffineMapAttr.get(in_order)
        and buffer.layout == ir.AffineMapAttr.get(ir.AffineMap.get_identity(rank))
        and buffer.shape[-1] == _PAIR
        and all(ir.BoolAttr(each).value for each in read.attributes["in_bounds"])
        and len(read.operands) == rank + 2
    )


def _read_row(read: ir.Operation, kind: ir.Type) -> ir.Value:
    source = read.operands[0]
    buffer = ir.MemRefType(source.type)
    rank = buffer.rank
    groups = [*([d] for d in range(rank - 2)), [rank - 2, rank - 1]]
    shape = [*buffer.shape[:-2], _PAIR * buffer.shape[-2]]
    row = ir.MemRefType.get(shape, buffer.element_type, memory_space=buffer.memory_space)
    reassociation = ir.ArrayAttr.get([_numbers(*group) for group in groups])
    flat = _op("memref.collapse_shape", [source], row, reassociation=reassociation)
    indices = list(read.operands)[1 : 1 + rank]
    two = arith.ConstantOp(ir.IndexType.get(), _PAIR).result
    start = arith.MulIOp(indices[-2], two).result
    return _op("vector.load", [flat, *indices[:-2], start], kind)


def _vector(count: int, element: ir.Type) -> ir.VectorType:
    return ir.VectorType.get([count], element)


def _extract(vector: ir.Value, number: int, kind: ir.Type) -> ir.Value:
    return _op("vector.extract", [vector], kind, static_position=ir.DenseI64ArrayAttr.get([number]))


def _slice(vector: ir.Value, first: int, count: int) -> ir.Value:
    return _op(
        "vector.extract_strided_slice",
        [vector],
        _vector(count, vector.type.element_type),
        offsets=_numbers(first),
        sizes=_numbers(count),
        strides=_numbers(1),
    )


def _op(name: str, operands: Sequence[ir.Value], result: ir.Type, **attributes: ir.Attribute) -> ir.Value:
    made: ir.Value = ir.Operation.create(
        name, results=[result], operands=list(operands), attributes=attributes
    ).result
    return made


def _numbers(*values: int) -> ir.ArrayAttr:
    kind = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get([ir.IntegerAttr.get(kind, value) for value in values])
