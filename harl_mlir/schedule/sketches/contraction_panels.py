"""Padding the vector loop of a contraction's piece, and copying the vector operand into panels."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches.contraction_feeds import feed_copy
from harl_mlir.schedule.sketches.contraction_nest import Kernel, Piece


def pad_and_pack(kernel: Kernel, piece: Piece, feeds: Sequence[Handle]) -> None:
    """Pad a piece's vector loop to whole registers and copy its panels, where it needs either.

    `feeds` are computed as they are copied: then there is one piece, and nothing is padded.
    """
    b, op, roles = kernel.builder, kernel.op, kernel.roles
    if roles.vector not in piece.dims:
        return
    extent = piece.extents[roles.vector]
    # A padded tile of one row would be a copy in memory: its padding is not found to be a transfer's.
    one_row = roles.row is not None and piece.extents[roles.row] == 1
    width = _width(kernel.lanes, extent) if kernel.padded and not one_row else extent
    if width == extent and not piece.packs:
        return
    vectors = roles.vector_operand
    grows = [width != extent and any(row[roles.vector] for row in operand.map) for operand in op.operands]
    copied = [i == vectors and piece.packs for i in range(3)]
    padded = b.pad(
        kernel.contraction(piece),
        [piece.dims.index(roles.vector)],
        [width if width != extent else 1],
        copied,
        [(op.operands[i].element, (0, 0, kernel.filled)[i]) for i in range(3)],
    )
    pad = b.producer(padded, vectors)
    _hoist(kernel, pad, piece)
    if grows[vectors]:
        _copy_by_rows(kernel, pad, piece, width)
    else:
        _copy_by_rows(kernel, b.into_destination(pad), piece, None, feeds)


def _width(lanes: int, extent: int) -> int:
    """The least power of two of the lanes that holds `extent`: LLVM legalises others badly."""
    width = lanes
    while width < extent:
        width *= 2
    return width


def _hoist(kernel: Kernel, pad: Handle, piece: Piece) -> None:
    """Move a copy out of the inner loops that do not change what it copies."""
    b = kernel.builder
    used = kernel.op.operands[kernel.roles.vector_operand]
    for loop in reversed(piece.around):
        if any(row[loop.dim] for row in used.map):
            break
        b.licm(b.parent_loop(pad))


def _copy_by_rows(
    kernel: Kernel, copy: Handle, piece: Piece, width: int | None, feeds: Sequence[Handle] = ()
) -> None:
    b = kernel.builder
    rows = kernel.op.operands[kernel.roles.vector_operand].map
    rank = sum(1 for row in rows if any(row[d] for d in piece.dims))
    row, loops = b.tile(copy, [1] * (rank - 1))
    row = feed_copy(b, loops[0], feeds) if feeds else row
    b.vectorize(row, [*([1] * (rank - 1)), width] if width else None)
