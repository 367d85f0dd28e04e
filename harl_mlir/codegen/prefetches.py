"""Prefetches in streamed loops: what is read is asked for before.

What is read at the places that are written is asked for a kilobyte before, into the second cache: the first
one waits for fewer lines at once than memory could bring. (A page before costs a fifth of the bandwidth of a
copy on pages of 2 MiB, and as much on those of 4 KiB.) A loop that does little but move one row of one
buffer has nothing else to keep in the first cache and nothing to wait with: it asks three kilobytes before,
into that. (Where functions are computed, or a second buffer is read, that is no faster or slower.) Of several
rows that a loop goes along, as a transpose does, each is asked for ten lines before: they are more than the
processor follows by itself. (Into the first cache they would drive out one another, where rows begin alike.)
In loops that are marked for that alone, what is read and not written is asked for a kilobyte before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.codegen.vectors import places
from harl_mlir.codegen.whole_lines import LINE, bytes_of, strides_of
from harl_mlir.frontend.program import all_ops, made_by
from harl_mlir.mlir import arith, ir

_TO_FIRST_CACHE = 3
_TO_SECOND_CACHE = 2
_FEW_STEPS = 4
_FEW_COMPUTED = 8
_SMALL_BYTES = 8192
_CALLS = ("func.call", "llvm.call")
_NOT_COMPUTED = ("arith.constant", "vector.transfer_read")


@dataclass(frozen=True)
class _Ahead:
    """How long before lines are asked for.

    Attributes:
        bytes: so many.
        cache: the one they come into, as a locality of `memref.prefetch`.
    """

    bytes: int
    cache: int


_OF_ONE_ROW = _Ahead(3072, _TO_FIRST_CACHE)
_AT_THE_PLACE = _Ahead(1024, _TO_SECOND_CACHE)
_ON_ROWS = _Ahead(640, _TO_SECOND_CACHE)


def prefetch_reads(loop: ir.Operation, streamed: Sequence[ir.Operation]) -> None:
    """Put prefetches before what a loop reads where it streams (`streamed` writes), or along rows."""
    reads = [op for op in all_ops(loop) if op.name == "vector.transfer_read"]
    followed = [read for read in reads if any(_is_at_the_same_place(read, write) for write in streamed)]
    others = [read for read in reads if read not in followed]
    ahead = _OF_ONE_ROW if _moves_one_row(followed, others) else _AT_THE_PLACE
    for read in followed:
        _prefetch(read, ahead)
    for read in filter(_goes_along_rows, others):
        _prefetch(read, _ON_ROWS)


def prefetch_unwritten(loop: ir.Operation) -> None:
    """Put prefetches before what a loop reads but does not write: rows that are added up side by side."""
    inside = [op for op in all_ops(loop) if op.name in ("vector.transfer_read", "vector.transfer_write")]
    writes = [op for op in inside if op.name == "vector.transfer_write" and _is_in_memory(op.operands[1])]
    for read in [op for op in inside if op.name == "vector.transfer_read" and _is_in_memory(op.operands[0])]:
        if dimensions_of(read) and not any(_is_at_the_same_place(read, write) for write in writes):
            _prefetch(read, _AT_THE_PLACE)


def dimensions_of(transfer: ir.Operation) -> list[int]:
    """The buffer's dimensions along which a vector lies, in its order; empty where one is repeated."""
    results = list(ir.AffineMapAttr(transfer.attributes["permutation_map"]).value.results)
    found = [int(each.position) for each in results if isinstance(each, ir.AffineDimExpr)]
    return found if len(found) == len(results) else []


def moved(indices: Sequence[ir.Value], offsets: Sequence[int], dimensions: Sequence[int]) -> list[ir.Value]:
    """Indices with offsets added to those of these dimensions."""
    at = list(indices)
    for dimension, offset in zip(dimensions, offsets, strict=True):
        if offset:
            more = arith.ConstantOp(ir.IndexType.get(), offset).result
            at[dimension] = arith.AddIOp(at[dimension], more).result
    return at


def _is_in_memory(value: ir.Value) -> bool:
    return isinstance(value.type, ir.MemRefType) and bytes_of(value.type.element_type) > 0


def _moves_one_row(followed: list[ir.Operation], others: list[ir.Operation]) -> bool:
    """Whether a loop computes little of one row of one large buffer at a time; its reads are told."""
    buffers = {read.operands[0] for read in followed}
    return (
        len(buffers) == 1
        and all(math.prod(ir.VectorType(read.results[0].type).shape[:-1]) == 1 for read in followed)
        and all(read.operands[0] in buffers or _is_small(read.operands[0].type) for read in others)
        and all(_computes_little(read.block) for read in followed)
    )


def _computes_little(block: ir.Block) -> bool:
    operations = [op.operation for op in block.operations]
    computed = [op for op in operations if _makes_vector(op) and op.name not in _NOT_COMPUTED]
    return len(computed) <= _FEW_COMPUTED and not any(op.name in _CALLS for op in operations)


def _makes_vector(op: ir.Operation) -> bool:
    return len(op.results) == 1 and isinstance(op.results[0].type, ir.VectorType)


def _is_small(kind: ir.Type) -> bool:
    """Whether a buffer is known to be of two pages or less."""
    if not isinstance(kind, ir.MemRefType) or not kind.has_static_shape:
        return False
    size = bytes_of(kind.element_type)
    return bool(0 < size * math.prod(kind.shape) <= _SMALL_BYTES)


def _is_at_the_same_place(read: ir.Operation, write: ir.Operation) -> bool:
    """Whether as many elements are read as written, at the same indices of as large a buffer."""
    source, target = read.operands[0].type, write.operands[1].type
    if not isinstance(source, ir.MemRefType):
        return False
    maps = [op.attributes["permutation_map"] for op in (read, write)]
    shapes = [ir.VectorType(value.type).shape for value in (read.results[0], write.operands[0])]
    return (
        bytes_of(source.element_type) > 0
        and source.shape == target.shape
        and shapes[0] == shapes[1]
        and maps[0] == maps[1]
        and list(read.operands)[1 : 1 + source.rank] == list(write.operands)[2:]
    )


def _goes_along_rows(read: ir.Operation) -> bool:
    """Whether rows of a buffer are read that a loop goes along, the nearest or around one of few steps."""
    source, rank = read.operands[0].type, ir.VectorType(read.results[0].type).rank
    if not isinstance(source, ir.MemRefType) or rank < 2 or not bytes_of(source.element_type):
        return False
    strides, around = strides_of(ir.MemRefType(source)), read.parent
    if strides[-1:] != [1] or dimensions_of(read)[-1:] != [source.rank - 1] or around.name != "scf.for":
        return False
    if _follows(read.operands[source.rank], around.regions[0].blocks[0].arguments[0]):
        return True
    return (
        _has_few_steps(around)
        and around.parent.name == "scf.for"
        and _follows(read.operands[source.rank], around.parent.regions[0].blocks[0].arguments[0])
    )


def _has_few_steps(loop: ir.Operation) -> bool:
    numbers = [made_by(bound, "arith.constant") for bound in list(loop.operands)[:3]]
    if any(number is None for number in numbers):
        return False
    first, last, step = (ir.IntegerAttr(number.attributes["value"]).value for number in numbers if number)
    return bool(last - first <= _FEW_STEPS * step)


def _follows(index: ir.Value, counter: ir.Value) -> bool:
    """Whether an index is a loop's counter or a sum with it."""
    if index == counter or isinstance(index, ir.BlockArgument):
        return bool(index == counter)
    sums = ("arith.addi", "affine.apply")
    return index.owner.name in sums and any(_follows(each, counter) for each in index.owner.operands)


def _prefetch(read: ir.Operation, ahead: _Ahead) -> None:
    """Ask for the lines so far behind those that are read, perhaps behind the buffer's end."""
    buffer, *indices = list(read.operands)[: 1 + read.operands[0].type.rank]
    dimensions = dimensions_of(read)
    *outer, width = ir.VectorType(read.results[0].type).shape
    size = bytes_of(buffer.type.element_type)
    number = ir.IntegerType.get_signless(32)
    with ir.InsertionPoint(read), read.location:
        for place in places(outer):
            for first in range(0, width * size, LINE):
                ir.Operation.create(
                    "memref.prefetch",
                    operands=[buffer, *moved(indices, (*place, (ahead.bytes + first) // size), dimensions)],
                    attributes={
                        "isWrite": ir.BoolAttr.get(False),
                        "localityHint": ir.IntegerAttr.get(number, ahead.cache),
                        "isDataCache": ir.BoolAttr.get(True),
                    },
                )
