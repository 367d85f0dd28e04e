"""The other half of the sketch `row_blocks`, which runs in a worker: its candidates as transform ops."""

from __future__ import annotations

from harl_mlir.schedule.builder import ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`: loops over blocks of the result, what fills it fused into them."""
    handles = member_handles(builder, task, root)
    last = len(task.members) - 1
    op, nest = builder.shell(handles[last], [handles[n] for n in range(last - 1, -1, -1)])
    root_op = task.root.op
    sizes: list[Size] = [0] * len(root_op.dims)
    for name, dimension in (("rows", 0), ("columns", -1)):
        loop = root_op.result_loops[dimension]
        step = candidate.number(name)
        sizes[loop] = step if step < root_op.dims[loop] else 0
    builder.fuse(op, sizes)
    builder.tidy(nest)
