"""The schedule of outer reductions and window ops; see `harl_mlir.space.sketches.accumulation`."""

from __future__ import annotations

from harl_mlir.frontend.program import LANES, STREAMED
from harl_mlir.schedule.builder import ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle, i64
from harl_mlir.schedule.sketches import nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.schedule.sketches.outer_steps import emit as emit_outer_steps
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import accumulation
from harl_mlir.space.sketches.accumulation import Roles, roles_of, unrolling
from harl_mlir.space.sketches.nest import loop_order
from harl_mlir.space.sketches.outer_steps import ORDERS, outer_steps
from harl_mlir.tasks.task import Task

_MERGE_SLICES = ("tensor.merge_consecutive_insert_extract_slice", "canonicalization")


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    roles = roles_of(task)
    if roles is None:
        raise ValueError("vectors along the result do not fit the task")
    outer = outer_steps(task, roles)
    if outer is not None and candidate.word("order") in ORDERS:
        emit_outer_steps(builder, task, candidate, root, outer)
        return
    inner, shell = nest.into_shell(builder, task, nest.generalised(builder, task, root))
    tiles, order = _tiles(task, roles, candidate)
    rank = len(task.root.op.dims)
    made = nest.fuse_members(builder, inner, shell, tiles, order, rank)
    if roles.vector is not None and tiles[roles.vector].rest:
        nest.peel_vector_loop(
            builder,
            shell,
            made[roles.vector],
            tiles[roles.vector],
            roles.vector,
            rank,
        )
    sizes: list[Size] = [int(loop in roles.reductions) for loop in loop_order(task.anchor_op)]
    _, reductions = builder.tile(builder.tagged(shell, nest.ANCHOR), sizes)
    nest.vectorise_generics(builder, shell)
    # The accumulators leave the loops before slices fold into transfers: a slice with dimensions of
    # size one, once folded into a transfer of fewer dimensions, would not fold into the next one.
    builder.patterns(shell, _MERGE_SLICES)
    builder.cse(shell)
    nest.keep_accumulators(builder, reductions)
    nest.tidy(builder, shell)
    for loop, factor in zip(
        reversed(reductions), unrolling(task, roles, candidate.number("unroll")), strict=False
    ):
        if factor > 1:
            builder.unroll(loop, factor)
    nest.tidy(builder, shell)
    if made:
        builder.licm(builder.match(shell, "scf.for"))
    if roles.strided is not None and roles.strided in made and candidate.number("lanes") > 1:
        builder.mark(made[roles.strided], LANES, i64(candidate.number("lanes")))
    if candidate.assignment.get("stores") == accumulation.STREAMED:
        builder.tag(builder.match(shell, "scf.for"), STREAMED)


def _tiles(task: Task, roles: Roles, candidate: Candidate) -> tuple[list[Tile], list[int]]:
    """The tile of each dimension of the result, and the dimensions in loop order."""
    shape = task.root.op.init.shape
    tiles = [Tile(extent, 1) for extent in shape]
    for name, dimension in (("height", roles.third), ("rows", roles.second), ("width", roles.vector)):
        if dimension is not None:
            tail = candidate.number("tail") if dimension == roles.vector else 0
            tiles[dimension] = Tile(shape[dimension], candidate.number(name), name, tail)
    order = list(range(len(shape)))
    if candidate.word("order") == "rows" and roles.inner is not None:
        order.remove(roles.inner)
        order.append(roles.inner)
    return tiles, order
