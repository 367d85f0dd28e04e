"""The loops over tiles of a contraction: around its register tiles, and around blocks that a cache holds."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.tasks.contraction import Contraction
from harl_mlir.tasks.linalg_op import LinalgOp

PLACES = ("block", "depth", "tile")


@dataclass(frozen=True)
class Loop:
    """A loop over tiles: over which loop of the op, how far, in steps of what, by which decision.

    `place` is "block" around what the root and all other members share, "depth" for steps of the
    contracted loop, around the contraction alone, "tile" for the loops over register tiles.
    """

    dim: int
    extent: int
    size: int
    decision: str | None = None
    place: str = "tile"


@dataclass(frozen=True)
class Blocks:
    """Tiles that a cache holds: rows, vector loop, steps of the innermost contracted loop; 0 for all."""

    rows: int = 0
    width: int = 0
    depth: int = 0


def tile_loops(
    op: LinalgOp, roles: Contraction, rows: int, vector: int, order: str, blocks: Blocks
) -> list[Loop]:
    """The loops over tiles that make more than one step, outermost first."""
    row, dims = roles.row, op.dims
    outer: list[Loop] = []
    if row is not None and blocks.rows:
        outer.append(Loop(row, dims[row], blocks.rows, "block", "block"))
    if blocks.width:
        outer.append(Loop(roles.vector, dims[roles.vector], blocks.width, "width", "block"))
    if outer or blocks.depth:
        # Else blocks of the contracted loop would go over all of the batch before the next.
        outer = [Loop(d, dims[d], 1, None, "block") for d in roles.batch if dims[d] > 1] + outer
        order = order.replace("B", "")
    if blocks.depth:
        inner = Loop(roles.inner, dims[roles.inner], blocks.depth, "depth", "depth")
        steps = [Loop(d, dims[d], 1, None, "depth") for d in roles.window]
        outer += [loop for loop in (*steps, inner) if loop.size < loop.extent]
    groups: dict[str, list[Loop]] = {
        "B": [Loop(d, dims[d], 1) for d in roles.batch],
        "C": [Loop(d, dims[d], 1) for d in roles.columns],
        "O": [Loop(d, dims[d], 1) for d in roles.rows if d != row],
        "R": [] if row is None else [Loop(row, blocks.rows or dims[row], rows, "rows")],
        "V": [Loop(roles.vector, blocks.width or dims[roles.vector], vector, "vector")],
    }
    return [*outer, *(loop for letter in order for loop in groups[letter] if loop.size < loop.extent)]
