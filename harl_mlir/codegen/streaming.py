"""Stores past the caches (nontemporal) in loops that a schedule marks: for results too large for any cache.

The processor then does not read the lines first that are overwritten as a whole. It takes whole registers, at
addresses that are multiples of a line; whether a buffer begins at one is only known when the kernel runs, so
that a marked loop is there twice. What is read at the places that are written is asked for a kilobyte
before, into the second cache: the first one waits for fewer lines at once than memory could bring. (A page
before costs a fifth of the bandwidth of a copy on pages of 2 MiB, and as much on those of 4 KiB.) Of several
rows that a loop goes along, as a transpose does, each is asked for four lines before: they are more than the
processor follows by itself. (Into the first cache they would drive out one another, where rows begin alike.)
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

from harl_mlir.codegen.line_pieces import cut_into_lines
from harl_mlir.codegen.shifted_rows import shift_rows
from harl_mlir.codegen.vectors import extract, places
from harl_mlir.codegen.whole_lines import LINE, bytes_of, strides_of, written_by_lines
from harl_mlir.frontend.program import STREAMED, all_ops, made_by
from harl_mlir.mlir import arith, ir, scf

_AHEAD = 1024
_AHEAD_ON_ROWS = 256
_TO_SECOND_CACHE = 2
_FEW_STEPS = 4
_FENCE = "llvm.x86.sse.sfence"
_MACHINES = ("x86_64", "AMD64")


def stream(module: ir.Module) -> int:
    """Make nontemporal the stores of vectors in marked loops that are of whole lines; returns how many.

    The module is past the deallocation of buffers, which refuses calls of intrinsics.
    """
    count = 0
    for loop in _outermost_marked(module.operation):
        if platform.machine() in _MACHINES and not len(loop.results):
            count += _stream(loop)
    for op in all_ops(module.operation):
        if op.name == "scf.for" and STREAMED in op.attributes:
            del op.attributes[STREAMED]
    return count


def _outermost_marked(root: ir.Operation) -> list[ir.Operation]:
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.name != "scf.for" or STREAMED not in op.attributes:
            return ir.WalkResult.ADVANCE
        found.append(op)
        return ir.WalkResult.SKIP

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _stream(loop: ir.Operation) -> int:
    shifted = shift_rows(loop)
    cut_into_lines(loop)
    writes = [op for op in all_ops(loop) if op.name == "vector.transfer_write"]
    roots = [(op, written_by_lines(op)) for op in writes]
    found = [(op, root) for op, root in roots if root is not None and _is_outside(root, loop)]
    if found:
        _when_lines_begin(loop, {root: None for _, root in found})
    elif not shifted:
        return 0
    with ir.InsertionPoint.after(loop), loop.location:
        _fence()
    streamed = [*shifted, *(op for op, _ in found)]
    for read in [op for op in all_ops(loop) if op.name == "vector.transfer_read"]:
        if any(_is_at_the_same_place(read, write) for write in streamed):
            _prefetch(read, _AHEAD)
        elif _goes_along_rows(read):
            _prefetch(read, _AHEAD_ON_ROWS)
    for op in streamed:
        _make_nontemporal(op)
    return len(streamed)


def _when_lines_begin(loop: ir.Operation, buffers: dict[ir.Value, None]) -> None:
    """Have a loop run where all these buffers begin a line, and a copy of it elsewhere."""
    with ir.InsertionPoint(loop), loop.location:
        chosen = scf.IfOp(_all_begin_lines(buffers), has_else=True)
        with ir.InsertionPoint(chosen.else_block):
            loop.clone()
            scf.YieldOp([])
        with ir.InsertionPoint(chosen.then_block):
            end = scf.YieldOp([])
    loop.move_before(end.operation)


def _fence() -> None:
    ir.Operation.create(
        "llvm.call_intrinsic",
        attributes={
            "intrin": ir.StringAttr.get(_FENCE),
            "op_bundle_sizes": ir.DenseI32ArrayAttr.get([]),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([0, 0]),
        },
    )


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
    if strides[-1:] != [1] or _dimensions(read)[-1:] != [source.rank - 1] or around.name != "scf.for":
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


def _dimensions(transfer: ir.Operation) -> list[int]:
    """The buffer's dimensions along which a vector lies, in its order; empty where one is repeated."""
    results = list(ir.AffineMapAttr(transfer.attributes["permutation_map"]).value.results)
    found = [int(each.position) for each in results if isinstance(each, ir.AffineDimExpr)]
    return found if len(found) == len(results) else []


def _prefetch(read: ir.Operation, ahead: int) -> None:
    """Ask for the lines so many bytes behind those that are read, perhaps behind the buffer's end."""
    buffer, *indices = list(read.operands)[: 1 + read.operands[0].type.rank]
    dimensions = _dimensions(read)
    *outer, width = ir.VectorType(read.results[0].type).shape
    size = bytes_of(buffer.type.element_type)
    number = ir.IntegerType.get_signless(32)
    with ir.InsertionPoint(read), read.location:
        for place in places(outer):
            for first in range(0, width * size, LINE):
                ir.Operation.create(
                    "memref.prefetch",
                    operands=[buffer, *_moved(indices, (*place, (ahead + first) // size), dimensions)],
                    attributes={
                        "isWrite": ir.BoolAttr.get(False),
                        "localityHint": ir.IntegerAttr.get(number, _TO_SECOND_CACHE),
                        "isDataCache": ir.BoolAttr.get(True),
                    },
                )


def _all_begin_lines(buffers: dict[ir.Value, None]) -> ir.Value:
    index = ir.IndexType.get()
    bits = None
    for buffer in buffers:
        address = ir.Operation.create(
            "memref.extract_aligned_pointer_as_index", results=[index], operands=[buffer]
        ).result
        bits = address if bits is None else arith.OrIOp(bits, address).result
    last = arith.ConstantOp(index, LINE - 1).result
    zero = arith.ConstantOp(index, 0).result
    return arith.CmpIOp(arith.CmpIPredicate.eq, arith.AndIOp(bits, last).result, zero).result


def _make_nontemporal(write: ir.Operation) -> None:
    vector, buffer, *indices = write.operands
    dimensions = _dimensions(write)
    with ir.InsertionPoint(write), write.location:
        for place in places(ir.VectorType(vector.type).shape[:-1]):
            at = _moved(indices, (*place, 0), dimensions)
            ir.Operation.create(
                "vector.store",
                operands=[extract(vector, *place) if place else vector, buffer, *at],
                attributes={
                    "nontemporal": ir.BoolAttr.get(True),
                    "alignment": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), LINE),
                },
            )
    write.erase()


def _moved(indices: Sequence[ir.Value], offsets: Sequence[int], dimensions: Sequence[int]) -> list[ir.Value]:
    """Indices with offsets added to those of these dimensions."""
    at = list(indices)
    for dimension, offset in zip(dimensions, offsets, strict=True):
        if offset:
            moved = arith.ConstantOp(ir.IndexType.get(), offset).result
            at[dimension] = arith.AddIOp(at[dimension], moved).result
    return at


def _is_outside(value: ir.Value, loop: ir.Operation) -> bool:
    inside = value.owner.owner if isinstance(value, ir.BlockArgument) else value.owner
    around = inside.operation
    while around is not None and around.name != "builtin.module":
        if around == loop:
            return False
        around = around.parent.operation if around.parent is not None else None
    return True
