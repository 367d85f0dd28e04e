"""Window ops without a contraction: pooling and depthwise convolutions of any rank and layout.

The decisions are those of `accumulation`: vectors lie along channels (channels last) or along the row
(channels first). With a stride along the contiguous dimension the schedule does elements one by one, and the
lowering does `lanes` of them at once. By default tiles are of eight registers, two or four rows of the image
high where that divides, else four registers wide with about four rows; where vectors lie along the window,
every read but one crosses cache lines, and they are one register wide with about four rows. Accumulators and
filters then both stay in registers. A window of up to nine steps is unrolled whole. Results that do not
stay in the caches are streamed, from tiles of sixteen registers of one row where vectors lie along channels.
"""

from __future__ import annotations

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.sketches import accumulation, nest
from harl_mlir.space.space import Space
from harl_mlir.tasks.contraction import contraction_of
from harl_mlir.tasks.task import Task

NAME = "window"
VERSION = 2


def spaces(task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> tuple[Space, ...]:
    """The choices for a pooling-like op with its fill and epilogue."""
    anchor = task.anchor_op
    if nest.has_plain_maps(anchor) or contraction_of(anchor) is not None:
        return ()
    roles = accumulation.roles_of(task)
    if roles is None:
        return ()
    along = roles.vector is not None and accumulation.moves_in_window(task, roles.vector)
    registers = 1 if along else 4
    return (accumulation.space(task, roles, processor, NAME, VERSION, registers=registers, rows=4, unroll=9),)
