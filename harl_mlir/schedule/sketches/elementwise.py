"""The schedule of an elementwise task; its decisions are in `harl_mlir.space.sketches.elementwise`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches import nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.elementwise import Roles, extent_along, is_single_copy, roles_of
from harl_mlir.space.sketches.nest import pieces
from harl_mlir.tasks.task import Task


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    roles = roles_of(task)
    if roles is None:
        raise ValueError("the elementwise sketch does not apply to the task")
    handles = nest.generalised(builder, task, root)
    last = len(task.members) - 1
    tiles, order = _tiles(task, roles, candidate)
    if candidate.word("flatten") == "yes":
        handles[last] = builder.op("transform.structured.flatten_elementwise", [handles[last]], 1)[0]
        roles = Roles(0, None, transposed=False, flattens=False)
        extent = extent_along(task)
        tiles, order = [Tile(extent, candidate.number("width"), "width", tiles[-1].tail)], [0]
    if is_single_copy(task):
        _copy_in_pieces(builder, handles[last], tiles, order)
        return
    inner, shell = nest.into_shell(builder, task, handles)
    made = nest.fuse_members(builder, inner, shell, tiles, order, len(tiles))
    vector = tiles[roles.vector]
    if roles.transposed:
        partial = [made[d] for d in reversed(order) if d in made and tiles[d].rest]
        nest.peel_block(builder, shell, partial)
    elif vector.rest:
        nest.peel_vector_loop(builder, shell, made[roles.vector], vector, roles.vector, len(tiles))
    nest.vectorise_generics(builder, shell)
    nest.tidy(builder, shell)


def _tiles(task: Task, roles: Roles, candidate: Candidate) -> tuple[list[Tile], list[int]]:
    """The tile of each dimension of the result, and the dimensions in loop order."""
    shape = task.root.op.init.shape
    tail = candidate.number("tail")
    tiles = [Tile(extent, 1, tail=tail) for extent in shape]
    for name, dimension in (("rows", roles.second), ("width", roles.vector)):
        if dimension is not None:
            step = candidate.number(name)
            tiles[dimension] = Tile(shape[dimension], step, name, 0 if roles.transposed else tail)
    order = [d for d in range(len(shape)) if d != roles.vector] + [roles.vector]
    if candidate.word("order") == "operand" and roles.second is not None:
        order.remove(roles.second)
        order.append(roles.second)
    return tiles, order


def _copy_in_pieces(
    builder: ScheduleBuilder,
    op: Handle,
    tiles: Sequence[Tile],
    order: Sequence[int],
) -> None:
    """Schedule a copy that tiles need not divide: split, where peeling would need canonicalization."""
    cuts = [pieces(tile.extent, tile.step, tile.tail or tile.step) for tile in tiles]
    parts = [op]
    for dimension, lengths in enumerate(cuts):
        along = [length for length, _ in lengths]
        parts = [piece for part in parts for piece in nest.cut(builder, part, dimension, along)]
    for part, tiling in zip(parts, itertools.product(*cuts), strict=True):
        inner, shell = builder.shell(part, [])
        piece_tiles = [
            Tile(length, step, tile.decision if step == tile.step else None)
            for (length, step), tile in zip(tiling, tiles, strict=True)
        ]
        nest.fuse_members(builder, inner, shell, piece_tiles, order, len(tiles))
        nest.vectorise_generics(builder, shell, keep_copies=True)
        nest.tidy(builder, shell)
