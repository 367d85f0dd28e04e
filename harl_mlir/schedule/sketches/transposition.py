"""Copying one operand of a contraction with its dimensions in another order, once per call.

`structured.pack` by one on a contracted loop makes the copy: C lacks that loop and is left alone, the
pack's order is free, and the dimension of one element that it adds is folded away again.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches.packing import GENERIC, PACK, lowered, packed
from harl_mlir.tasks.contraction import Contraction, copied_along, copy_order, step_along
from harl_mlir.tasks.linalg_op import LinalgOp

_BLOCK = 16
_FOLD_UNIT_DIMS = ("linalg.fold_unit_extent_dims_via_reshapes", "canonicalization")


def transpose_vectors(
    builder: ScheduleBuilder, target: Handle, op: LinalgOp, roles: Contraction
) -> tuple[Handle, list[Handle]]:
    """Make `target`, a generic that is `op`, read its vector operand from a copy with the lanes last.

    Returns the new generic, whose operands have dimensions of one element to fold, and producers of it
    that do nothing and vanish once they are in its shell.
    """
    b = builder
    loop = copied_along(op)
    generic = packed(b, target, [int(d == loop) for d in range(len(op.dims))])
    pack = b.producer(generic, roles.vector_operand, PACK)
    order = copy_order(op, roles)
    generic, pack, _ = b.op(
        "transform.structured.pack_transpose",
        [pack, generic],
        (GENERIC, PACK, ""),
        outer_perm=ir.DenseI64ArrayAttr.get(list(order)),
        inner_perm=ir.DenseI64ArrayAttr.get([]),
    )
    idle = []
    if step_along(op.operands[roles.broadcast_operand], loop):
        idle.append(b.generalize(b.cast(lowered(b, b.producer(generic, roles.broadcast_operand, PACK)))))
    _copy(b, b.cast(lowered(b, pack)), op.operands[roles.vector_operand].shape, order)
    return b.cast(generic), idle


def fold_unit_dims(builder: ScheduleBuilder, nest: Handle) -> None:
    """Drop loops of one step and dimensions of one element from the generics of a nest. Tags are lost."""
    builder.patterns(nest, _FOLD_UNIT_DIMS)
    builder.cse(nest)
    builder.dce(nest)


def _copy(builder: ScheduleBuilder, transpose: Handle, shape: Sequence[int], order: Sequence[int]) -> None:
    """Tile the copy to blocks that are transposed in registers, in a shell of its own."""
    b = builder
    _, nest = b.shell(b.generalize(transpose), [])
    fold_unit_dims(b, nest)
    last_read = max(d for d, extent in enumerate(shape) if extent > 1)
    dimensions = [d for d in order if shape[d] > 1]
    blocks = [_BLOCK if d in (last_read, dimensions[-1]) else 1 for d in dimensions]
    sizes = [block if block < shape[d] else 0 for block, d in zip(blocks, dimensions, strict=True)]
    _, loops = b.tile(b.match(nest, GENERIC), sizes)
    looped = [(d, size) for d, size in zip(dimensions, sizes, strict=True) if size]
    for (d, size), loop in reversed(list(zip(looped, loops, strict=True))):
        if shape[d] % size:
            b.peel(loop)
    b.patterns(nest, ("canonicalization",))
    b.vectorize(b.match(nest, GENERIC))
    b.lower_transposes(nest)
    b.tidy(nest)
