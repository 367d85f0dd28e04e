"""The schedule of an elementwise task; its decisions are in `harl_mlir.space.sketches.elementwise`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from harl_mlir.frontend.program import STREAMED as STREAMED_LOOP
from harl_mlir.frontend.program import TRANSPOSED
from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches import nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.elementwise import CALL, STREAMED
from harl_mlir.space.sketches.elementwise_roles import (
    STRIP_VECTORS,
    STRIPS,
    Roles,
    extent_along,
    is_single_copy,
    operand_order,
    roles_of,
)
from harl_mlir.space.sketches.nest import has_masks, pieces
from harl_mlir.tasks.task import Task

_REGISTER_BLOCK = 16


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    roles = roles_of(task)
    if roles is None:
        raise ValueError("the elementwise sketch does not apply to the task")
    handles = nest.generalised(builder, task, root)
    last = len(task.members) - 1
    if candidate.assignment.get("by") == CALL:
        builder.specialize(handles[last])
        return
    tiles, order = _tiles(task, roles, candidate)
    if candidate.word("flatten") == "yes":
        handles[last] = builder.op("transform.structured.flatten_elementwise", [handles[last]], 1)[0]
        roles = Roles(0, None, transposed=False, flattens=False)
        extent = extent_along(task)
        tiles, order = [Tile(extent, candidate.number("width"), "width", tiles[-1].tail)], [0]
    blocks = _blocks(tiles, roles, candidate)
    turned = _turned(roles, candidate)
    if is_single_copy(task):
        shells = _copy_in_pieces(builder, handles[last], tiles, order, blocks, turned=turned)
        _stream(builder, candidate, shells)
        return
    inner, shell = nest.into_shell(builder, task, handles)
    if any(blocks):
        inner, _ = builder.fuse(inner, blocks, order)
        builder.dce(shell)
    made = nest.fuse_members(builder, inner, shell, tiles, order, len(tiles))
    vector = tiles[roles.vector]
    if roles.transposed:
        partial = [made[d] for d in reversed(order) if d in made and tiles[d].rest]
        nest.peel_block(builder, shell, partial)
    elif vector.rest:
        nest.peel_vector_loop(builder, shell, made[roles.vector], vector, roles.vector, len(tiles))
    nest.vectorise_generics(builder, shell, marked=has_masks(task))
    _finish(builder, shell, [tiles[d].step for d in turned])
    _stream(builder, candidate, [shell])


def _stream(builder: ScheduleBuilder, candidate: Candidate, shells: Sequence[Handle]) -> None:
    """Mark the loops whose stores the lowering takes past the caches."""
    if candidate.assignment.get("stores") == STREAMED:
        for shell in shells:
            builder.tag(builder.match(shell, "scf.for"), STREAMED_LOOP)


def _blocks(tiles: Sequence[Tile], roles: Roles, candidate: Candidate) -> list[int]:
    """The extent of a block along each dimension of the result; 0 where it is not cut."""
    if candidate.word("order") == STRIPS:
        strip = STRIP_VECTORS * candidate.number("width")
        return [strip if d == roles.vector else 0 for d in range(len(tiles))]
    block = candidate.number("block") if roles.transposed else 0
    return [
        block if d in (roles.vector, roles.second) and block < tile.extent else 0
        for d, tile in enumerate(tiles)
    ]


def _turned(roles: Roles, candidate: Candidate) -> tuple[int, ...]:
    """The dimensions of tiles that are transposed in registers; none where they have but one row."""
    wide = min(candidate.number("width"), candidate.number("rows")) > 1
    return (roles.second, roles.vector) if roles.transposed and roles.second is not None and wide else ()


def _finish(builder: ScheduleBuilder, shell: Handle, steps: Sequence[int]) -> None:
    """Clean up; tiles of `steps` are transposed by shuffles, those of 16 x 16 and odd ones here.

    Those of other powers of two are left to the lowering; without steps nothing is transposed.
    """
    even = not any(step & (step - 1) for step in steps)
    left = bool(steps) and even and any(step != _REGISTER_BLOCK for step in steps)
    if left:
        builder.patterns(shell, ("vector.transfer_permutation_patterns",))
    elif steps:
        builder.lower_transposes(shell)
    nest.tidy(builder, shell)
    if left:
        builder.tag(builder.match(shell, "scf.for"), TRANSPOSED)


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
    if candidate.word("order") != "result":
        order = list(operand_order(task, roles))
    if candidate.word("order") == STRIPS:
        order = [*(d for d in order if d != roles.vector), roles.vector]
    return tiles, order


def _copy_in_pieces(
    builder: ScheduleBuilder,
    op: Handle,
    tiles: Sequence[Tile],
    order: Sequence[int],
    blocks: Sequence[int],
    *,
    turned: Sequence[int],
) -> list[Handle]:
    """Schedule a copy that tiles need not divide: split, where peeling would need canonicalization.

    Returns the nests of the pieces.
    """
    cuts = [_cuts(tile, block) for tile, block in zip(tiles, blocks, strict=True)]
    parts = [op]
    for dimension, lengths in enumerate(cuts):
        along = [length for length, _, _ in lengths]
        parts = [piece for part in parts for piece in nest.cut(builder, part, dimension, along)]
    shells: list[Handle] = []
    for part, tiling in zip(parts, itertools.product(*cuts), strict=True):
        inner, shell = builder.shell(part, [])
        inner, _ = builder.tile(inner, [block for _, _, block in tiling], order)
        piece_tiles = [
            Tile(block or length, step, tile.decision if step == tile.step else None)
            for (length, step, block), tile in zip(tiling, tiles, strict=True)
        ]
        nest.fuse_members(builder, inner, shell, piece_tiles, order, len(tiles))
        nest.vectorise_generics(builder, shell, keep_copies=True)
        _finish(builder, shell, [piece_tiles[d].step for d in turned])
        shells.append(shell)
    return shells


def _cuts(tile: Tile, block: int) -> list[tuple[int, int, int]]:
    """How a dimension is cut: (length, step, block) for whole blocks, whole steps and what is left."""
    whole = tile.extent // block * block if block else 0
    blocked = [(whole, tile.step, block if whole > block else 0)] if whole else []
    rest = tile.extent - whole
    others = pieces(rest, tile.step, tile.tail or tile.step) if rest else ()
    return [*blocked, *((length, step, 0) for length, step in others)]
