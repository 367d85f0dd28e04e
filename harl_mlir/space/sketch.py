"""What a sketch is: it offers the open choices of one way to schedule a kind of task.

How an assignment becomes a transform-dialect script is the business of `harl_mlir.schedule`,
which runs in a worker; this side needs no MLIR.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
        """The choices for `task` that keep `accuracy`, a space a sketch; none where it does not apply.

        What threads share is decided around it (`harl_mlir.space.sketches.threads`).
        """
        ...


@dataclass(frozen=True)
class Sketch:
    """A sketch of another distribution, as an entry point of the group `harl_mlir.sketches` names it.

    Attributes:
        space: gives the choices for a task that keep an accuracy, None where the sketch does not apply. The
            space's `sketch` is the entry point's name. Called in the main process: no MLIR may be imported.
        emit: where the other half is, as `package.module:function`; imported in a worker alone. The function
            takes a `ScheduleBuilder`, the task, a candidate and the handle of the root op, and appends the
            candidate's schedule (see `harl_mlir.schedule.sketches.emit_schedule`).
    """

    space: Callable[[Task, Processor, Accuracy], Space | None]
    emit: str
