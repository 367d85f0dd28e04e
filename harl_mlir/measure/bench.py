"""What the search needs of whoever measures: `harl_mlir.measure.pool.Pool`, or recorded times in a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a runner's name is checked where nothing that it needs may be installed
    from harl_mlir.measure.measurement import Measurement
    from harl_mlir.space.candidate import Candidate
    from harl_mlir.tasks.task import Task


class Bench(Protocol):
    """Measures schedules of tasks."""

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """Screen one schedule; see `Pool.measure`."""
        ...

    def retime(
        self,
        task: Task,
        schedules: Sequence[Candidate | str | None],
        *,
        script: str | None = None,
    ) -> list[Measurement]:
        """Time several schedules carefully, in turns; see `Pool.retime`."""
        ...
