"""Turning C's register tile so that the lanes lie along its last dimension, where they lie across C.

`structured.pack` by the whole extent of the vector loop makes a copy of the tile with that loop last. The
copy of a filled tile is a filled tile; the copy back is a transpose in registers.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches.contraction_nest import CONTRACTION, Kernel, Piece
from harl_mlir.schedule.sketches.packing import PACK, lowered, packed
from harl_mlir.tasks.contraction import Contraction, is_in_window, stride_along
from harl_mlir.tasks.linalg_op import LinalgOp

_BLOCK = 8


def turn_result(
    builder: ScheduleBuilder, target: Handle, op: LinalgOp, piece: Piece, roles: Contraction
) -> None:
    """Make the contraction of a piece work on a copy of its tile of C with the vector loop last.

    Its loops stay as they were, in number and order, but for one of one step at the end. What copies the
    tile are `linalg` ops, of which those that are left carry no tag.
    """
    b = builder
    count = len(piece.extents)
    generic = packed(b, target, [piece.extents[d] if d == roles.vector else 0 for d in range(count)])
    for operand in (roles.vector_operand, 2):
        transpose = lowered(b, b.producer(generic, operand, PACK))
        if operand == roles.vector_operand and not op.operands[operand].map[-1][roles.vector]:
            # It moves dimensions of one element: as a generic it is folded with these, and nothing is left.
            b.generalize(transpose)
    order = [d if d != roles.vector else count for d in range(count)] + [roles.vector]
    turned = b.interchange(b.cast(generic), order)
    for tag in (CONTRACTION, *piece.tags):
        b.tag(turned, tag)


def is_turned(op: LinalgOp, piece: Piece, roles: Contraction) -> bool:
    """Whether a piece's tile of C has to be turned: a single row or a single filter is a vector as it is.

    A loop that moves in a window cannot be packed, and lanes may lie last in the tile, where only a loop of
    which it has one step is contiguous in C: there C is written element by element.
    """
    if not roles.across or roles.row is None or is_in_window(op, roles):
        return False
    several = piece.extents[roles.row] > 1 and piece.extents[roles.vector] > 1
    return several and stride_along(op.init, roles.row) < stride_along(op.init, roles.vector)


def finish_turning(builder: ScheduleBuilder, nest: Handle) -> None:
    """After all pieces: what copies the tiles becomes fills and transposes."""
    builder.patterns(nest, ("linalg.decompose_pack_unpack", "canonicalization"))
    builder.cse(nest)
    builder.dce(nest)


def write_turned(kernel: Kernel, pieces: Sequence[Piece], filled: bool) -> None:
    """Vectorise the transposes of the tiles, in blocks of filters if all are alike.

    With C `filled` with a constant only the copies back are left; else C is transposed on the way in, too.
    """
    b = kernel.builder
    transposes = b.match(kernel.nest, "linalg.transpose")
    filters = [piece.extents[kernel.roles.vector] for piece in pieces]
    if filled and all(extent > _BLOCK and extent % _BLOCK == 0 for extent in filters):
        transposes, _ = b.tile(transposes, [_BLOCK, 0])
    b.vectorize(transposes)
