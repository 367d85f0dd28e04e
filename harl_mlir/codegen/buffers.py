"""What no pass does to a bufferized function: copies to and from views as loops, a buffer for each result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, func, ir, linalg, memref, scf

_COPIES = ("memref.copy", "linalg.copy")
_LEAST_BYTES = 16
"""Less than this at a time is not worth a `memcpy`."""


def copies_to_loops(module: ir.Module) -> None:
    """Copies between buffers -> copies of what lies in one piece in both, each a `memcpy`.

    For others LLVM would be given a call of `memrefCopy`, which takes descriptors apart element by element
    and is in none of the libraries a kernel is linked with. Where pieces are of a few bytes only they become
    `linalg.copy`: loops over elements.
    """
    for copy in [op for op in all_ops(module.operation) if op.name in _COPIES]:
        source, target = copy.operands
        if not (isinstance(source.type, ir.MemRefType) and isinstance(target.type, ir.MemRefType)):
            continue
        kinds = ir.MemRefType(source.type), ir.MemRefType(target.type)
        if kinds[0].element_type != kinds[1].element_type:
            continue
        whole = all(_is_contiguous(kind) for kind in kinds)
        if whole and copy.name == "memref.copy":
            continue
        with ir.InsertionPoint(copy), copy.location:
            if whole:
                memref.CopyOp(source, target)
            elif all(kind.has_static_shape for kind in kinds) and _piece_bytes(*kinds) >= _LEAST_BYTES:
                _copy_pieces(source, target)
            elif copy.name == "memref.copy":
                linalg.copy(source, outs=[target])
            else:
                continue
        copy.erase()


def _piece_bytes(*kinds: ir.MemRefType) -> int:
    count: int = math.prod(kinds[0].shape[_outer(*kinds) :])
    return count * max(1, int(getattr(kinds[0].element_type, "width", 64)) // 8)


def _outer(*kinds: ir.MemRefType) -> int:
    """How many dimensions are around what lies in one piece in all of these buffers."""
    outer = 0
    for kind in kinds:
        strides, _ = kind.get_strides_and_offset()
        shape = list(kind.shape)
        inner = len(shape)
        while inner and (shape[inner - 1] == 1 or strides[inner - 1] == math.prod(shape[inner:])):
            inner -= 1
        outer = max(outer, inner)
    return outer


def _copy_pieces(source: ir.Value, target: ir.Value) -> None:
    """Loops over the outer dimensions around a copy."""
    kinds = [ir.MemRefType(side.type) for side in (source, target)]
    index = ir.IndexType.get()
    zero, one = arith.constant(index, 0), arith.constant(index, 1)
    positions: list[ir.Value | None] = []
    inside = ir.InsertionPoint.current
    for extent in kinds[0].shape[: _outer(*kinds)]:
        if extent == 1:
            positions.append(None)
            continue
        with inside:
            loop = scf.ForOp(zero, arith.constant(index, extent), one)
        with ir.InsertionPoint(loop.body):
            end = scf.YieldOp([])
        positions.append(loop.induction_variable)
        inside = ir.InsertionPoint(end)
    with inside:
        memref.CopyOp(*(_piece(side, positions) for side in (source, target)))


def _piece(buffer: ir.Value, positions: Sequence[ir.Value | None]) -> ir.Value:
    """What lies in one piece at these positions of the outer dimensions; None stands for the only one.

    Dimensions of one element are dropped.
    """
    kind = ir.MemRefType(buffer.type)
    strides, offset = kind.get_strides_and_offset()
    moved = [position for position in positions if position is not None]
    dynamic = ir.ShapedType.get_dynamic_stride_or_offset()
    rank, outer = kind.rank, len(positions)
    sizes = [1] * outer + list(kind.shape[outer:])
    long = [d for d in range(rank) if sizes[d] > 1]
    layout = ir.StridedLayoutAttr.get(dynamic if moved else offset, [strides[d] for d in long])
    made = ir.MemRefType.get([sizes[d] for d in long], kind.element_type, layout, kind.memory_space)
    at = [0 if position is None else dynamic for position in positions] + [0] * (rank - outer)
    view: ir.Value = ir.Operation.create(
        "memref.subview",
        results=[made],
        operands=[buffer, *moved],
        attributes={
            "static_offsets": ir.DenseI64ArrayAttr.get(at),
            "static_sizes": ir.DenseI64ArrayAttr.get(sizes),
            "static_strides": ir.DenseI64ArrayAttr.get([1] * rank),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, len(moved), 0, 0]),
        },
    ).result
    return view


def part_equal_results(function: func.FuncOp) -> None:
    """Return a copy where a function returns a buffer for the second time.

    An argument may be returned twice: it is no result of its own. `buffer-results-to-out-params` crashes on
    the others.
    """
    (block,) = function.body.blocks
    end = list(block.operations)[-1]
    seen: list[ir.Value] = []
    for number, value in enumerate(end.operands):
        if value in seen and not isinstance(value, ir.BlockArgument):
            with ir.InsertionPoint(end), end.location:
                other = memref.AllocOp(value.type, [], []).result
                memref.CopyOp(value, other)
            end.operands[number] = other
        seen.append(value)


def _is_contiguous(kind: ir.Type) -> bool:
    """Whether LLVM is given a `memcpy`: rows follow each other, but for outer dimensions of one element."""
    buffer = ir.MemRefType(kind)
    if not buffer.has_static_shape:
        return isinstance(buffer.layout, ir.AffineMapAttr)
    strides, _ = buffer.get_strides_and_offset()
    shape = list(buffer.shape)
    inner = len(shape)
    while inner and strides[inner - 1] == math.prod(shape[inner:]):
        inner -= 1
    return all(size == 1 for size in shape[:inner])
