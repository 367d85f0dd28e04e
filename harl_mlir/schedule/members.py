"""Finding the ops of a task from its root."""

from __future__ import annotations

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.tasks.task import Task


def member_handles(builder: ScheduleBuilder, task: Task, root: Handle) -> dict[int, Handle]:
    """A handle for every member of `task`, by member number, walking producers from the root."""
    last = len(task.members) - 1
    handles = {last: root}
    for number in range(last, -1, -1):
        if number not in handles:
            continue
        for operand, source in enumerate(task.members[number].sources):
            if source.kind == "member" and source.index not in handles:
                handles[source.index] = builder.producer(handles[number], operand)
    return handles
