"""`structured.pack` and what becomes of its packs: how operands are copied in another order."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle

GENERIC = "linalg.generic"
PACK = "linalg.pack"
_PACK_PARTS = ("tensor.pad", "tensor.expand_shape", "linalg.transpose")


def packed(builder: ScheduleBuilder, op: Handle, sizes: Sequence[int]) -> Handle:
    """Pack the loops of a generic by `sizes`, 0 for those left alone. Returns the new generic, typed so."""
    attribute = ir.DenseI64ArrayAttr.get(list(sizes))
    return builder.op("transform.structured.pack", [op], (GENERIC,), static_packed_sizes=attribute)[0]


def lowered(builder: ScheduleBuilder, pack: Handle) -> Handle:
    """`linalg.pack` -> reshape and transpose. Returns the transpose, typed so."""
    return lowered_parts(builder, pack)[2]


def lowered_parts(builder: ScheduleBuilder, pack: Handle) -> tuple[Handle, Handle, Handle]:
    """`linalg.pack` -> padding, reshape and transpose, each typed so."""
    flag = ir.BoolAttr.get(False)
    name = "transform.structured.lower_pack"
    pad, reshape, transpose = builder.op(name, [pack], _PACK_PARTS, lowerPadLikeWithInsertSlice=flag)
    return pad, reshape, transpose
