"""The schedule of a contraction with producers; the decisions are in `harl_mlir.space.sketches.producers`.

What is computed before the contraction is scheduled as a task of its own, in loops of its own. What is
computed inside is left to the contraction's sketch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.parts import part_candidate
from harl_mlir.space.sketches.producers import is_inside, prefix_of
from harl_mlir.tasks.producers import producer_task, producers_of
from harl_mlir.tasks.subtask import subtask
from harl_mlir.tasks.task import Task

Emit = Callable[[ScheduleBuilder, Task, Candidate, Handle], None]


def emit_before(
    builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle, emit_part: Emit
) -> Task:
    """Append the schedules of the producers that are computed before the contraction.

    `emit_part` appends that of a task of its own. Returns the task that is left to schedule.
    """
    before = [producer for producer in producers_of(task) if not is_inside(candidate, producer.operand)]
    if not before:
        return task
    handles = member_handles(builder, task, root)
    for producer in before:
        chosen = part_candidate(candidate, prefix_of(producer.operand))
        if chosen is not None:
            named = builder.named(prefix_of(producer.operand))
            emit_part(named, producer_task(task, producer), chosen, handles[producer.members[-1]])
    made = {member for producer in before for member in producer.members}
    return subtask(task, [n for n in range(len(task.members)) if n not in made], task.anchor)


def producer_handles(builder: ScheduleBuilder, task: Task, root: Handle) -> dict[int, list[Handle]]:
    """For operands made in the task the ops that make them, as generics, each before what it takes."""
    producers = producers_of(task)
    handles = member_handles(builder, task, root) if producers else {}
    return {
        producer.operand: [builder.generalize(handles[n]) for n in reversed(producer.members)]
        for producer in producers
    }


def fuse_inside(builder: ScheduleBuilder, loop: Handle, ops: Sequence[Handle]) -> Handle:
    """Compute what `ops` make where it is read in a loop; handles for what is in it are lost. Returns it."""
    for op in ops:
        # What is read may be a slice of a slice, of which only the last is as small as can be. No more is
        # cleaned up here: loops of one step would vanish, by which the ops in them are found.
        builder.patterns(loop, ("tensor.merge_consecutive_insert_extract_slice",))
        _, loop = builder.fuse_into(op, loop)
    # What is computed is in vectors that are read at once: no part of a tensor of the whole.
    builder.patterns(loop, ("tensor.fold_tensor_empty",))
    return loop
