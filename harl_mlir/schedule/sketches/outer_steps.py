"""The schedule of a reduction whose loops are outside; see `harl_mlir.space.sketches.outer_steps`.

1. Loops over the result's dimensions around the reduction, with all members fused.
2. In these the anchor's loops: the reduction's, the innermost by as many steps as are done together; those
   over vectors; and the steps that are done together, unrolled, over which a vector's sums stay in registers.
3. The other members, fill and epilogue, each in loops over vectors of its own.
"""

from __future__ import annotations

from harl_mlir.frontend.program import FETCHED
from harl_mlir.schedule.builder import FOLD_SLICES_INTO_TRANSFERS, ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.sketches import nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.nest import loop_order
from harl_mlir.space.sketches.outer_steps import AHEAD, OuterSteps
from harl_mlir.tasks.task import Task

_MEMBER = "harl.member"


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle, steps: OuterSteps) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    handles = nest.generalised(builder, task, root)
    others = [number for number in handles if number != task.anchor]
    for number in others:
        builder.tag(handles[number], f"{_MEMBER}{number}")
    inner, shell = nest.into_shell(builder, task, handles)
    shape = task.root.op.init.shape
    if steps.around:
        tiles = [Tile(extent, 1 if d in steps.around else extent) for d, extent in enumerate(shape)]
        nest.fuse_members(builder, inner, shell, tiles, list(range(len(shape))), len(task.root.op.dims))
    over, together = _anchor_loops(builder, task, candidate, steps, shell)
    for number in others:
        _over_vectors(builder, candidate, steps, shape, builder.tagged(shell, f"{_MEMBER}{number}"))
    nest.make_static(builder, shell)
    nest.vectorise_generics(builder, shell)
    builder.patterns(shell, FOLD_SLICES_INTO_TRANSFERS[1:])
    builder.cse(shell)
    nest.keep_accumulators(builder, together)
    nest.tidy(builder, shell)
    for loop in together:
        builder.unroll(loop, candidate.number("unroll"))
    nest.tidy(builder, shell)
    if candidate.word("order") == AHEAD:
        builder.tag(over, FETCHED)


def _anchor_loops(
    builder: ScheduleBuilder, task: Task, candidate: Candidate, steps: OuterSteps, shell: Handle
) -> tuple[Handle, list[Handle]]:
    """Tile the anchor. Returns the loop over vectors and, if there are several, that over steps together."""
    op, count = task.anchor_op, candidate.number("unroll")
    order = loop_order(op)
    outer: list[Size] = [int(d in op.reduction_dims and op.dims[d] > 1) for d in order]
    last = order.index(steps.along)
    outer[last] = 0 if count == op.dims[steps.along] else count
    target, _ = builder.tile(builder.tagged(shell, nest.ANCHOR), outer)
    target, loops = _over_vectors(builder, candidate, steps, task.root.op.init.shape, target)
    if count == 1:
        return loops[-1], []
    single: list[Size] = [int(place == last) for place in range(len(order))]
    return loops[-1], builder.tile(builder.tagged(shell, nest.ANCHOR), single)[1]


def _over_vectors(
    builder: ScheduleBuilder,
    candidate: Candidate,
    steps: OuterSteps,
    shape: tuple[int, ...],
    target: Handle,
) -> tuple[Handle, list[Handle]]:
    """Tile an op by vectors along the result, what is left over peeled. Returns it and the whole loops."""
    width = Tile(shape[steps.inside[-1]], candidate.number("width"), "width", candidate.number("tail"))
    sizes: list[Size] = [int(d in steps.inside) for d in range(len(shape))]
    sizes[steps.inside[-1]] = 0
    if width.has_loop:
        sizes[steps.inside[-1]] = builder.size("width", width.step, width.options())
    target, loops = builder.tile(target, sizes)
    if width.rest:
        loops[-1], _ = builder.peel(loops[-1])
    return target, loops
