"""Copying one operand of a contraction with its dimensions in another order, once per call.

`structured.pack` by one on a contracted loop makes the copy: C lacks that loop and is left alone, the
pack's order is free, and the dimension of one element that it adds is folded away again.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import Handle, ScheduleBuilder
from harl_mlir.tasks.contraction import Contraction, copied_along, copy_order, step_along
from harl_mlir.tasks.linalg_op import LinalgOp

_BLOCK = 16
_FOLD_UNIT_DIMS = ("linalg.fold_unit_extent_dims_via_reshapes", "canonicalization")
_GENERIC = "linalg.generic"
_PACK = "linalg.pack"
_PACK_PARTS = ("tensor.pad", "tensor.expand_shape", "linalg.transpose")


def transpose_vectors(
    builder: ScheduleBuilder, target: Handle, op: LinalgOp, roles: Contraction
) -> tuple[Handle, list[Handle]]:
    """Make `target`, a generic that is `op`, read its vector operand from a copy with the lanes last.

    Returns the new generic, whose operands have dimensions of one element to fold, and producers of it
    that do nothing and vanish once they are in its shell.
    """
    b = builder
    loop = copied_along(op)
    sizes = ir.DenseI64ArrayAttr.get([int(d == loop) for d in range(len(op.dims))])
    packed = b.op("transform.structured.pack", [target], (_GENERIC,), static_packed_sizes=sizes)[0]
    pack = _producer(b, packed, roles.vector_operand)
    order = copy_order(op, roles)
    packed, pack, _ = b.op(
        "transform.structured.pack_transpose",
        [pack, packed],
        (_GENERIC, _PACK, ""),
        outer_perm=ir.DenseI64ArrayAttr.get(list(order)),
        inner_perm=ir.DenseI64ArrayAttr.get([]),
    )
    idle = []
    if step_along(op.operands[roles.broadcast_operand], loop):
        idle.append(b.generalize(_lowered(b, _producer(b, packed, roles.broadcast_operand))))
    _copy(b, _lowered(b, pack), op.operands[roles.vector_operand].shape, order)
    return b.cast(packed), idle


def fold_unit_dims(builder: ScheduleBuilder, nest: Handle) -> None:
    """Drop loops of one step and dimensions of one element from the generics of a nest. Tags are lost."""
    builder.patterns(nest, _FOLD_UNIT_DIMS)
    builder.cse(nest)
    builder.dce(nest)


def _producer(builder: ScheduleBuilder, op: Handle, operand: int) -> Handle:
    number = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), operand)
    return builder.op("transform.get_producer_of_operand", [op], (_PACK,), operand_number=number)[0]


def _lowered(builder: ScheduleBuilder, pack: Handle) -> Handle:
    """`linalg.pack` -> reshape and transpose. Returns the transpose."""
    flag = ir.BoolAttr.get(False)
    parts = builder.op(
        "transform.structured.lower_pack", [pack], _PACK_PARTS, lowerPadLikeWithInsertSlice=flag
    )
    return builder.cast(parts[2])


def _copy(builder: ScheduleBuilder, transpose: Handle, shape: Sequence[int], order: Sequence[int]) -> None:
    """Tile the copy to blocks that are transposed in registers, in a shell of its own."""
    b = builder
    _, nest = b.shell(b.generalize(transpose), [])
    fold_unit_dims(b, nest)
    last_read = max(d for d, extent in enumerate(shape) if extent > 1)
    dimensions = [d for d in order if shape[d] > 1]
    blocks = [_BLOCK if d in (last_read, dimensions[-1]) else 1 for d in dimensions]
    sizes = [block if block < shape[d] else 0 for block, d in zip(blocks, dimensions, strict=True)]
    _, loops = b.tile(b.match(nest, _GENERIC), sizes)
    looped = [(d, size) for d, size in zip(dimensions, sizes, strict=True) if size]
    for (d, size), loop in reversed(list(zip(looped, loops, strict=True))):
        if shape[d] % size:
            b.peel(loop)
    b.patterns(nest, ("canonicalization",))
    b.vectorize(b.match(nest, _GENERIC))
    b.lower_transposes(nest)
    b.tidy(nest)
