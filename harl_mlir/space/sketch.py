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


class Sketches(Protocol):
    """The sketches of one kind of op.

    The name and version of each are part of every record's key: the version is raised whenever the same
    values come to mean another script.
    """

    def __call__(
        self, task: Task, processor: Processor, accuracy: Accuracy = DEFAULT_ACCURACY
    ) -> tuple[Space, ...]:
        """The choices for `task` that keep `accuracy`, a space a sketch; none where it does not apply."""
        ...
