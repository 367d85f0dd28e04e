"""Blocks of a contraction that a cache holds: what surrounds the register tiles.

Where the contracted loop is done in blocks, C is in memory between them: it is filled before the first
and goes through the epilogue after the last, by loops of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches.contraction_feeds import feed_copy
from harl_mlir.tasks.contraction import Contraction
from harl_mlir.tasks.linalg_op import LinalgOp, loops_of


def copy_blocks(
    builder: ScheduleBuilder,
    target: Handle,
    op: LinalgOp,
    roles: Contraction,
    extents: Sequence[int],
    numbers: Sequence[int],
    feeds: Sequence[Sequence[Handle]],
) -> Handle:
    """Copy the blocks of operands `numbers` that `target` reads, so that each lies together.

    `extents` are the loops of `target`, `feeds` for each of these operands what is computed as it is copied.
    Returns the op that reads the copies.
    """
    b = builder
    # Nothing is padded. With the value of a transposition's pad, MLIR would take that one for this copy.
    values = [(operand.element, 1.0) for operand in op.operands]
    target = b.pad(target, [roles.inner], [1], [i in numbers for i in range(3)], values)
    made = [b.producer(target, number) for number in numbers]
    for number, pad, computed in zip(numbers, made, feeds, strict=True):
        loops = [loops_of(row)[0] for row in op.operands[number].map]
        # Tiled, so that no later step pulls the copy into its loops.
        row, around = b.tile(b.into_destination(pad), [*(int(extents[d] > 1) for d in loops[:-1]), 0])
        b.vectorize(feed_copy(b, around[0], computed) if computed else row)
    return target


def tile_rows(builder: ScheduleBuilder, op: Handle, extents: Sequence[int], width: int) -> None:
    """Tile an elementwise op to `width` elements of its last loop; what is left is a piece of its own."""
    sizes = [int(extent > 1) for extent in extents]
    sizes[-1] = width if width < extents[-1] else 0
    _, loops = builder.tile(op, sizes)
    if sizes[-1] and extents[-1] % width:
        builder.peel(loops[-1])
