"""The schedule of a chain; its decisions are in `harl_mlir.space.sketches.chain`.

All members are fused into a loop over blocks of rows (or into one of a single step). In it each part is
scheduled by its own sketch, as a task of the block's size.
"""

from __future__ import annotations

from collections.abc import Callable

from harl_mlir.schedule.builder import ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.chain import BLOCK, NAME, letter, part_candidate
from harl_mlir.tasks.chain import Chain, chain_of_task, task_of
from harl_mlir.tasks.task import Task

__all__ = ["NAME", "emit"]

Emit = Callable[[ScheduleBuilder, Task, Candidate, Handle], None]


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle, emit_part: Emit) -> None:
    """Append the schedule of `candidate`; `emit_part` appends that of a part as a task of its own."""
    chain = chain_of_task(task)
    if chain is None:
        raise ValueError("the sketch of chains does not apply to the task")
    block = candidate.number(BLOCK)
    shell = _fused(builder, task, chain, block, root)
    for number, part in enumerate(chain.parts):
        emit_part(
            builder.named(f"{letter(number)}_"),
            task_of(task, chain, part, block),
            part_candidate(candidate, number),
            builder.tagged(shell, _tag(part.root)),
        )


def _fused(builder: ScheduleBuilder, task: Task, chain: Chain, block: int, root: Handle) -> Handle:
    """Put all members into one loop over blocks of rows, each once. Returns the loop."""
    last = len(task.members) - 1
    handles, fills = {last: root}, dict[int, list[Handle]]()
    for number in range(last, -1, -1):
        if number not in handles:
            continue
        for operand, source in enumerate(task.members[number].sources):
            if source.kind != "member":
                continue
            # Ops that share a fill in the task have each its own in the program.
            if task.members[source.index].op.is_fill:
                fills.setdefault(number, []).append(builder.producer(handles[number], operand))
            elif source.index not in handles:
                handles[source.index] = builder.producer(handles[number], operand)
    for number, handle in handles.items():
        builder.tag(handle, _tag(number))
    sizes = _sizes(builder, task, chain, block)
    if block:
        _, shell = builder.tile_forall(handles[last], sizes)
    else:
        _, shell = builder.shell(handles[last], [])
    for number in sorted(handles, reverse=True):
        if number != last:
            _, shell = builder.fuse_into(handles[number], shell)
            # Several uses of what comes next read the same rows of it, and shall read one slice.
            builder.cse(shell)
        for fill in fills.get(number, []):
            _, shell = builder.fuse_into(fill, shell)
            builder.cse(shell)
    builder.patterns(shell, ("tensor.fold_tensor_empty",))
    return shell


def _sizes(builder: ScheduleBuilder, task: Task, chain: Chain, block: int) -> list[Size]:
    sizes: list[Size] = [0] * len(task.root.op.dims)
    for loop in chain.batch:
        sizes[loop] = 1
    if block < task.root.op.dims[chain.row]:
        sizes[chain.row] = block
    return sizes


def _tag(member: int) -> str:
    return f"harl.chain_{member}"
