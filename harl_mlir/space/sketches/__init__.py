"""The sketches there are, in the order in which they are tried: the first that applies gives trial 0."""

from __future__ import annotations

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.sketch import Sketch
from harl_mlir.space.sketches.contraction import CONTRACTION
from harl_mlir.space.sketches.elementwise import ELEMENTWISE
from harl_mlir.space.sketches.reduction import REDUCTION
from harl_mlir.space.sketches.window import WINDOW
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

SKETCHES: tuple[Sketch, ...] = (CONTRACTION, ELEMENTWISE, REDUCTION, WINDOW)


def sketches_for(
    task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY
) -> tuple[Space, ...]:
    """The spaces of all sketches that apply to `task`; empty where it cannot be tuned yet."""
    spaces = (sketch.space(task, processor, accuracy) for sketch in SKETCHES)
    return tuple(space for space in spaces if space is not None)
