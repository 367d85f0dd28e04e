"""Cutting a task into the parts that threads share; see `harl_mlir.space.sketches.cuts`.

The root is tiled by an `scf.forall` of an iteration for each part, and all members are fused into it. Inside
is a task of the part's size.
"""

from __future__ import annotations

from collections.abc import Mapping

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import members_and_fills
from harl_mlir.tasks.part import pads_parts, part_of
from harl_mlir.tasks.producers import paddings_of
from harl_mlir.tasks.task import Task

_ROOT = "harl.part_root"


def _padded_before(task: Task, cuts: Mapping[int, int]) -> set[int]:
    """Paddings that are no part's own."""
    cut = [dimension for dimension, parts in cuts.items() if parts > 1]
    return {pad.members[-1] for pad in paddings_of(task) if not pads_parts(task, pad, cut)}


def share(
    builder: ScheduleBuilder, task: Task, root: Handle, cuts: Mapping[int, int]
) -> tuple[Task, Handle, Handle]:
    """Cut dimensions of the result into parts. Returns the task and the root of a part, and the loop.

    Where nothing is cut but into one part, that is the whole, in a loop of one step over the first of `cuts`.

    Raises ValueError where that is not possible.
    """
    part = part_of(task, cuts)
    if part is None:
        raise ValueError(f"{task.label()} cannot be cut into parts")
    last = len(task.members) - 1
    handles, fills = members_and_fills(builder, task, root)
    builder.tag(root, _ROOT)
    op = task.root.op
    sizes = [0] * len(op.dims)
    for dimension, parts in cuts.items():
        loop = op.result_loops[dimension]
        sizes[loop] = op.dims[loop] // parts
    if all(parts == 1 for parts in cuts.values()):
        _, shell = builder.shell(root, [], op.result_loops[min(cuts)])
    else:
        _, shell = builder.tile_forall(root, sizes)
    whole = _padded_before(task, cuts)
    for number in sorted(handles, reverse=True):
        if number != last and number not in whole:
            _, shell = builder.fuse_into(handles[number], shell)
        # Several uses of what comes next read the same part of it, and shall read one slice.
        builder.cse(shell)
    # Last, since equal ones would be made one, and each op wants its own.
    for number in sorted(fills, reverse=True):
        for handle in fills[number]:
            _, shell = builder.fuse_into(handle, shell)
    if paddings_of(task):
        # A part of a padding asks first whether there is anything to pad.
        builder.patterns(shell, ("canonicalization",))
    # What a part computes on the way is in buffers of its own.
    builder.patterns(shell, ("tensor.fold_tensor_empty",))
    return part, builder.tagged(shell, _ROOT), shell
