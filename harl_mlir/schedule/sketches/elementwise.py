"""The schedule of an elementwise task; its decisions are in `harl_mlir.space.sketches.elementwise`."""

from __future__ import annotations

from harl_mlir.schedule.builder import Handle, ScheduleBuilder
from harl_mlir.schedule.sketches import nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.elementwise import Roles, extent_along, roles_of
from harl_mlir.space.sketches.nest import result_loops
from harl_mlir.tasks.task import Task


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    roles = roles_of(task)
    if roles is None:
        raise ValueError("the elementwise sketch does not apply to the task")
    handles = nest.generalised(builder, task, root)
    last = len(task.members) - 1
    loops: tuple[int, ...]
    if candidate.word("flatten") == "yes":
        handles[last] = builder.op("transform.structured.flatten_elementwise", [handles[last]], 1)[0]
        extent = extent_along(task, roles, True)
        tiles = [Tile(extent, candidate.number("width"), "width", candidate.number("tail"))]
        vector, order, loops = 0, [0], (0,)
    else:
        tiles, order = _tiles(task, roles, candidate)
        vector, loops = roles.vector, result_loops(task.root.op)
    inner, shell = nest.into_shell(builder, task, handles)
    made = nest.fuse_members(builder, inner, shell, loops, tiles, order, len(loops))
    if roles.transposed:
        partial = [made[d] for d in reversed(order) if d in made and tiles[d].rest]
        nest.peel_block(builder, task, shell, partial)
    elif tiles[vector].rest:
        nest.peel_vector_loop(
            builder,
            task,
            shell,
            made[vector],
            tiles[vector],
            loops[vector],
            len(loops),
        )
    nest.vectorise_generics(builder, task, shell)
    builder.tidy(shell)


def _tiles(task: Task, roles: Roles, candidate: Candidate) -> tuple[list[Tile], list[int]]:
    """The tile of each dimension of the result, and the dimensions in loop order."""
    shape = task.root.op.init.shape
    tiles = [Tile(extent, 1) for extent in shape]
    for name, dimension in (("rows", roles.second), ("width", roles.vector)):
        if dimension is not None:
            tail = candidate.number("tail") if dimension == roles.vector and not roles.transposed else 0
            tiles[dimension] = Tile(shape[dimension], candidate.number(name), name, tail)
    order = [d for d in range(len(shape)) if d != roles.vector] + [roles.vector]
    if candidate.word("order") == "operand" and roles.second is not None:
        order.remove(roles.second)
        order.append(roles.second)
    return tiles, order
