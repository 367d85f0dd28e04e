"""What tuning a kernel gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harl_mlir.errors import HarlError
from harl_mlir.measure.measurement import Failure, FailureKind
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.stopwatch import Spent

if TYPE_CHECKING:  # only a run that walks needs what walking needs
    from harl_mlir.looptune.walk import Walk

Status = Literal["ok", "error", "interrupted"]


@dataclass(frozen=True)
class TaskResult:
    """How one task came out. Times are seconds of one call; None where unknown.

    Attributes:
        chosen: the candidate in the library; None where the task is left as it was.
        baseline_seconds: the untuned kernel; `baseline_slower_than` where it did not end within that cap.
        default_seconds: the default candidate (trial 0).
        best_seconds: the chosen candidate, or the untuned kernel where none is faster.
        trials: candidates measured in this run; `stored` more came from the database.
        failures: how many of `trials` failed, by kind.
        checked: whether the results of `chosen` were compared with the reference; None where there is none.
        record: the number in the database of the newest record of `chosen`, or of the untuned kernel.
        refusal: in a run that measures nothing, what is wrong with the schedule that was not taken.
        walk: the walk to it, where the agent walks; its estimates are shares of `walk_peak_gflops`.
    """

    task: Task
    chosen: Candidate | None
    baseline_seconds: float | None
    baseline_slower_than: float | None
    default_seconds: float | None
    best_seconds: float | None
    trials: int
    stored: int
    failures: Mapping[FailureKind, int]
    checked: bool | None = None
    record: int | None = None
    refusal: Failure | None = None
    walk: Walk | None = None
    walk_peak_gflops: float | None = None

    @property
    def gflops(self) -> float | None:
        """10^9 arithmetic operations a second at `best_seconds`."""
        return self.task.flops / self.best_seconds / 1e9 if self.best_seconds and self.task.flops else None


@dataclass(frozen=True)
class Reproducer:
    """The file that shows a failure again."""

    path: Path
    failure: Failure


@dataclass(frozen=True)
class Result:
    """How the whole run came out.

    Attributes:
        status: `error` if `error` is set; `interrupted` if a signal ended the search early.
        error: why the run could not be completed; what was found until then is still here and written.
        written: the output files.
        reproducer: shows one failed candidate again.
        spent: where the time went.
    """

    status: Status
    tasks: tuple[TaskResult, ...]
    skipped: tuple[Skipped, ...]
    error: HarlError | None = None
    written: tuple[Path, ...] = ()
    reproducer: Reproducer | None = None
    failures: Mapping[FailureKind, int] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
