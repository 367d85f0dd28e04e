"""The sketches there are, in the order in which they are tried: the first that applies gives trial 0."""

from __future__ import annotations

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.sketch import Sketches
from harl_mlir.space.sketches import contraction, elementwise, reduction, window
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

SKETCHES: tuple[Sketches, ...] = (contraction.spaces, elementwise.spaces, reduction.spaces, window.spaces)


def sketches_for(
    task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY
) -> tuple[Space, ...]:
    """The spaces of all sketches that apply to `task`; empty where it cannot be tuned yet."""
    return tuple(space for spaces in SKETCHES for space in spaces(task, processor, accuracy))
