"""What a sketch is: it offers the open choices of one way to schedule a kind of task.

How an assignment becomes a transform-dialect script is the business of `harl_mlir.schedule`,
which runs in a worker; this side needs no MLIR.
"""

from __future__ import annotations

from typing import Protocol

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.processor import Processor
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task


class Sketch(Protocol):
    """A family of schedules for the tasks it applies to."""

    @property
    def name(self) -> str:
        """Stable name; with `version` part of every record's key."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same values come to mean another script."""
        ...

    def space(self, task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY) -> Space | None:
        """The choices for `task` that keep `accuracy`, or None where the sketch does not apply."""
        ...
