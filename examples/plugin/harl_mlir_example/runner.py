"""The runner `thrice`: the local worker measures what runs three times, and the median counts."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.measure.measurement import Measurement
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.runners import Runner
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task


def make_thrice(pool: Pool) -> Runner:
    """A runner on this machine's worker."""
    return Thrice(pool)


class Thrice:
    """Measures three times by a pool, which builds, checks and guards as always."""

    def __init__(self, pool: Pool) -> None:
        self.processor = this_processor()
        self._pool = pool

    def measure(
        self,
        task: Task,
        schedule: Candidate | str | None,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """The median of three screenings; a failure is final."""
        found: list[Measurement] = []
        for _ in range(3):
            measured = self._pool.measure(task, schedule, best=best, cap=cap, script=script)
            if not measured.ok:
                return measured
            found.append(measured)
        return sorted(found, key=lambda measured: measured.seconds or 0.0)[1]

    def retime(
        self, task: Task, schedules: Sequence[Candidate | str | None], *, script: str | None = None
    ) -> list[Measurement]:
        """The pool times carefully as it is."""
        return self._pool.retime(task, schedules, script=script)

    def close(self) -> None:
        """The pool is the run's."""
