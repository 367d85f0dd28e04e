"""Finding the ops of a task from its root."""

from __future__ import annotations

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.tasks.task import Task


def member_handles(builder: ScheduleBuilder, task: Task, root: Handle) -> dict[int, Handle]:
    """A handle for every member of `task`, by member number, walking producers from the root."""
    return _walk(builder, task, root, frozenset())[0]


def members_and_fills(
    builder: ScheduleBuilder, task: Task, root: Handle
) -> tuple[dict[int, Handle], dict[int, list[Handle]]]:
    """A handle for each member but fills, by number, and the fills that each reads.

    Members that share a fill in the task have each its own in the program.
    """
    fills = frozenset(number for number, member in enumerate(task.members) if member.op.is_fill)
    return _walk(builder, task, root, fills)


def _walk(
    builder: ScheduleBuilder, task: Task, root: Handle, each: frozenset[int]
) -> tuple[dict[int, Handle], dict[int, list[Handle]]]:
    """Handles of the members but `each`, and of those again for every op that reads them."""
    last = len(task.members) - 1
    handles, own = {last: root}, dict[int, list[Handle]]()
    for number in range(last, -1, -1):
        if number not in handles:
            continue
        for operand, source in enumerate(task.members[number].sources):
            if source.kind != "member":
                continue
            if source.index in each:
                own.setdefault(number, []).append(builder.producer(handles[number], operand))
            elif source.index not in handles:
                handles[source.index] = builder.producer(handles[number], operand)
    return handles, own
