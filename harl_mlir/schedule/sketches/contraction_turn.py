"""Turning C's register tile so that the lanes lie along its last dimension, where they lie across C.

`structured.pack` by the whole extent of the vector loop makes a copy of the tile with that loop last. The
copy of a filled tile is a filled tile; the copy back is a transpose in registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import Handle, ScheduleBuilder
from harl_mlir.schedule.sketches.contraction_nest import CONTRACTION, Kernel, Piece
from harl_mlir.tasks.contraction import Contraction
from harl_mlir.tasks.linalg_op import LinalgOp

_BLOCK = 8
_GENERIC = "linalg.generic"
_PACK = "linalg.pack"
_PACK_PARTS = ("tensor.pad", "tensor.expand_shape", "linalg.transpose")


def turn_result(builder: ScheduleBuilder, target: Handle, piece: Piece, roles: Contraction) -> None:
    """Make the contraction of a piece work on a copy of its tile of C with the vector loop last.

    Its loops stay as they were, in number and order, but for one of one step at the end. What copies the
    tile are `linalg` ops, of which those that are left carry no tag.
    """
    b = builder
    count = len(piece.extents)
    sizes = [piece.extents[d] if d == roles.vector else 0 for d in range(count)]
    packed = b.op(
        "transform.structured.pack",
        [target],
        (_GENERIC,),
        static_packed_sizes=ir.DenseI64ArrayAttr.get(sizes),
    )[0]
    for operand in (roles.vector_operand, 2):
        number = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), operand)
        pack = b.op("transform.get_producer_of_operand", [packed], (_PACK,), operand_number=number)[0]
        flag = ir.BoolAttr.get(False)
        b.op("transform.structured.lower_pack", [pack], _PACK_PARTS, lowerPadLikeWithInsertSlice=flag)
    generic = b.cast(packed)
    order = [d if d != roles.vector else count for d in range(count)] + [roles.vector]
    turned = b.interchange(generic, order)
    for tag in (CONTRACTION, *piece.tags):
        b.tag(turned, tag)


def finish_turning(builder: ScheduleBuilder, nest: Handle) -> None:
    """After all pieces: what copies the tiles becomes fills and transposes."""
    builder.patterns(nest, ("linalg.decompose_pack_unpack", "canonicalization"))
    builder.cse(nest)
    builder.dce(nest)


def write_turned(kernel: Kernel, pieces: Sequence[Piece], roles: Contraction, filled: bool) -> None:
    """Vectorise the transposes of the tiles, in blocks of filters if all are alike.

    With C `filled` with a constant only the copies back are left; else C is transposed on the way in, too.
    """
    b = kernel.builder
    transposes = b.match(kernel.nest, "linalg.transpose")
    if filled and all(_has_blocks(piece, roles) for piece in pieces):
        transposes, _ = b.tile(transposes, [_BLOCK, 0])
    b.vectorize(transposes)


def _has_blocks(piece: Piece, roles: Contraction) -> bool:
    filters = piece.extents[roles.vector]
    several_rows = roles.row is not None and piece.extents[roles.row] > 1
    return several_rows and filters > _BLOCK and filters % _BLOCK == 0


def turned(op: LinalgOp, roles: Contraction) -> tuple[LinalgOp, Contraction]:
    """The op on the copy of C, in the order of loops it had before, and its roles."""
    order = sorted(range(len(op.init.map)), key=lambda d: bool(op.init.map[d][roles.vector]))
    init = replace(
        op.init,
        shape=tuple(op.init.shape[d] for d in order),
        map=tuple(op.init.map[d] for d in order),
    )
    return replace(op, operands=(*op.operands[:2], init)), replace(roles, across=False)
