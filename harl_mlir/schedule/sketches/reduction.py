"""The schedule of a reduction; its decisions are in `harl_mlir.space.sketches.reduction`."""

from __future__ import annotations

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches import accumulation, nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.schedule.sketches.producers import fuse_inside, producer_handles
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.nest import loop_order, pieces
from harl_mlir.space.sketches.reduction import InnerRoles, has_partial_results, inner_roles
from harl_mlir.tasks.producers import core_of
from harl_mlir.tasks.task import Task

_LOOP = "harl.reduction"


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    feeds = [op for ops in producer_handles(builder, task, root).values() for op in ops]
    task = core_of(task) if feeds else task
    roles = inner_roles(task) if has_partial_results(candidate) else None
    if roles is None:
        accumulation.emit(builder, task, candidate, root)
        return
    handles = nest.generalised(builder, task, root)
    if not task.root.op.init.map:
        _reduce_all(builder, task, candidate, roles, handles)
        return
    inner, shell = nest.into_shell(builder, task, handles)
    shape = task.root.op.init.shape
    tiles = [Tile(extent, 1) for extent in shape]
    if roles.rows is not None:
        tiles[roles.rows] = Tile(shape[roles.rows], candidate.number("rows"), "rows")
    rank = len(task.root.op.dims)
    nest.fuse_members(builder, inner, shell, tiles, list(range(len(shape))), rank)
    anchor = builder.tagged(shell, nest.ANCHOR)
    _, reductions = _partial_results(builder, task, candidate, roles, anchor)
    if feeds:
        for number, loop in enumerate(reductions):
            builder.tag(loop, f"{_LOOP}{number}")
        shell = fuse_inside(builder, shell, feeds)
        reductions = [builder.tagged(shell, f"{_LOOP}{number}") for number in range(len(reductions))]
    builder.vectorize(builder.match(shell, "linalg.generic", "linalg.fill", "linalg.reduce"))
    nest.tidy(builder, shell)
    for loop in reductions:
        _keep(builder, roles, loop)
    nest.tidy(builder, shell)


def _reduce_all(
    builder: ScheduleBuilder,
    task: Task,
    candidate: Candidate,
    roles: InnerRoles,
    handles: dict[int, Handle],
) -> None:
    """A result without dimensions has no loop of its own that the members could be put into."""
    parts, loops = _partial_results(builder, task, candidate, roles, handles.pop(task.anchor))
    for op in (*handles.values(), *parts):
        builder.vectorize(op)
    for loop in loops:
        builder.tidy(loop)
        _keep(builder, roles, loop)


def _partial_results(
    builder: ScheduleBuilder, task: Task, candidate: Candidate, roles: InnerRoles, op: Handle
) -> tuple[list[Handle], list[Handle]]:
    """Cut the loop into pieces and give each its partial results. Returns all ops made, and the loops."""
    parts: list[Handle] = []
    loops: list[Handle] = []
    dims, order = task.anchor_op.dims, loop_order(task.anchor_op)
    cut = pieces(dims[roles.along], candidate.number("width"), candidate.number("tail"))
    split = nest.cut(builder, op, order.index(roles.along), [length for length, _ in cut])
    for piece, (length, step) in zip(split, cut, strict=True):
        if length == step and not roles.others:
            parts.append(piece)
            continue
        sizes = [step if d == roles.along else int(d in roles.others) for d in order]
        fill, partial, combining, loop = builder.tile_reduction(piece, sizes)
        parts += [fill, partial, combining]
        loops.append(loop)
    return parts, loops


def _keep(builder: ScheduleBuilder, roles: InnerRoles, loop: Handle) -> None:
    """Keep the partial results in registers over a loop and the reduction loops inside it."""
    if roles.others:
        nest.keep_accumulators(builder, [builder.match(loop, "scf.for")])
    else:
        nest.keep_accumulators(builder, [loop])
