"""Answers from recorded spaces where the tuner would measure."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.lab.recorded import Recording
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task


class ReplayBench:
    """A `Bench` without a clock.

    Attributes:
        cost: seconds that the trials answered so far took when they were recorded.
    """

    def __init__(self, recording: Recording) -> None:
        self.cost = 0.0
        self._tasks = {task.task.key: task for task in recording.tasks}

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """What was recorded; limits that follow from `best` are those of the recording.

        Raises:
            KeyError: the candidate or the task was not recorded.
        """
        recorded = self._tasks[task.key]
        if schedule is None:
            seconds = recorded.header.untuned_seconds
            return Measurement(seconds=seconds) if seconds else failed("too_slow", "as recorded")
        if isinstance(schedule, str):
            raise KeyError("scripts are not recorded")
        measurement, cost = recorded.trial(schedule)
        self.cost += cost
        return measurement

    def retime(
        self, task: Task, schedules: Sequence[Candidate | str | None], *, script: str | None = None
    ) -> list[Measurement]:
        """The recorded times again."""
        return [self.measure(task, schedule) for schedule in schedules]
