"""The schedule of a chain; its decisions are in `harl_mlir.space.sketches.chain`.

All members are fused into a loop over blocks of rows, or into one of a single step. In it each part is
scheduled by its own sketch, as a task of the block's size.
"""

from __future__ import annotations

from collections.abc import Callable

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.schedule.sketches.threads import share
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.chain import BLOCK, prefix_of
from harl_mlir.space.sketches.parts import part_candidate
from harl_mlir.tasks.chain import chain_of_task, cuts_of, task_of
from harl_mlir.tasks.task import Task

Emit = Callable[[ScheduleBuilder, Task, Candidate, Handle], None]


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle, emit_part: Emit) -> None:
    """Append the schedule of `candidate`; `emit_part` appends that of a part as a task of its own."""
    chain = chain_of_task(task)
    if chain is None:
        raise ValueError("the sketch of chains does not apply to the task")
    handles = member_handles(builder, task, root)
    for part in chain.parts:
        builder.tag(handles[part.root], _tag(part.root))
    inside, _, shell = share(builder, task, root, cuts_of(task, chain, candidate.number(BLOCK)))
    builder.run_alone(shell)
    for number, part in enumerate(chain.parts):
        chosen = part_candidate(candidate, prefix_of(number))
        if chosen is not None:
            named, made = builder.named(prefix_of(number)), builder.tagged(shell, _tag(part.root))
            emit_part(named, task_of(inside, part), chosen, made)


def _tag(member: int) -> str:
    return f"harl.chain_{member}"
