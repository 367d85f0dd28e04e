"""What is known of one task while it is tuned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harl_mlir.measure.measurement import Failure, FailureKind, Measurement
from harl_mlir.search.agent import Problem
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.progress import Phase, TaskProgress
from harl_mlir.tuner.result import TaskResult

if TYPE_CHECKING:  # only a run that walks needs what walking needs
    from harl_mlir.looptune.walk import Walk


@dataclass(frozen=True)
class Decided:
    """A candidate taken without timing it.

    Attributes:
        failure: why it is not used after all, or None.
        checked: it was called once and its results were compared with the reference.
    """

    candidate: Candidate
    failure: Failure | None
    checked: bool


@dataclass
class TaskState:
    """One task, its spaces, and every measurement of it.

    Attributes:
        script: the user's own script, where the candidates set its knobs.
        walk: the walk that led to the first space's default, where there was one; its estimates are shares
            of `walk_peak_gflops`.
        decided: what was taken without timing anything, in a run that measures nothing.
        untuned: time of the kernel as it came, or why there is none; None before it was tried.
        untuned_cap: the cap within which it had to end, where it did not.
        measured: candidates of this run; `stored`: those of the database, the newest of each; `known`: both.
        final: times of the finalists, taken in turns; None stands for the untuned kernel.
    """

    index: int
    task: Task
    spaces: tuple[Space, ...]
    script: str | None = None
    walk: Walk | None = None
    walk_peak_gflops: float | None = None
    decided: Decided | None = None
    phase: Phase = "waiting"
    untuned: Measurement | None = None
    untuned_cap: float | None = None
    measured: dict[Candidate, Measurement] = field(default_factory=dict)
    stored: dict[Candidate, Measurement] = field(default_factory=dict)
    known: dict[Candidate, Measurement] = field(default_factory=dict)
    final: dict[Candidate | None, Measurement] = field(default_factory=dict)
    _fastest: Candidate | None = None
    _failures: Counter[FailureKind] = field(default_factory=Counter)

    def recall(self, stored: Mapping[Candidate, Measurement]) -> None:
        """Take in what the database holds of this task; before anything is measured."""
        self.stored.update(stored)
        for candidate, measurement in stored.items():
            self._learn(candidate, measurement)

    def add(self, candidate: Candidate, measurement: Measurement) -> None:
        """Take in a trial of this run."""
        self._learn(candidate, measurement)
        self.measured[candidate] = measurement
        if measurement.failure:
            self._failures[measurement.failure.kind] += 1

    def _learn(self, candidate: Candidate, measurement: Measurement) -> None:
        # Kept up to date rather than looked for: this is asked several times a trial.
        self.known[candidate] = measurement
        best, seconds = self.best_seconds, measurement.seconds
        if seconds is not None and (best is None or seconds < best):
            self._fastest = candidate

    @property
    def problem(self) -> Problem:
        """The task as the agent sees it."""
        return Problem(self.task, self.spaces, self.untuned_seconds)

    @property
    def untuned_seconds(self) -> float | None:
        """Time of the untuned kernel: beside the finalists if it was one, else alone."""
        return _seconds(self.final.get(None)) or _seconds(self.untuned)

    @property
    def default(self) -> Candidate | None:
        """The first sketch's default that runs (trial 0), else the first; None if none was measured."""
        measured = [d for d in self._defaults if d in self.known]
        return next((d for d in measured if self.known[d].ok), measured[0] if measured else None)

    @cached_property
    def _defaults(self) -> list[Candidate]:
        return [space.default() for space in self.spaces]

    def ranking(self) -> list[Candidate]:
        """The candidates that have a time, fastest first; equally fast ones in the order measured."""
        timed = {c: m.seconds for c, m in self.known.items() if m.seconds is not None}
        return sorted(timed, key=timed.__getitem__)

    @property
    def best_seconds(self) -> float | None:
        """Least screened time of any candidate so far."""
        return _seconds(self.known.get(self._fastest)) if self._fastest else None

    def choice(self) -> Candidate | None:
        """The candidate for the library; None if the untuned kernel is faster or nothing runs.

        Once finalists are timed they alone count: their times were taken in turns and can be compared.
        Of a user's own script the best candidate is chosen even if the untuned kernel is faster.
        """
        if self.decided is not None:
            return None if self.decided.failure else self.decided.candidate
        compared: dict[Candidate | None, Measurement | None] = {**self.final}
        if not compared:
            compared = {self._fastest: self.known[self._fastest]} if self._fastest else {}
            compared[None] = self.untuned
        timed = {c: m.seconds for c, m in compared.items() if m is not None and m.seconds is not None}
        if self.script is not None:
            timed.pop(None, None)
        return min(timed, key=timed.__getitem__, default=None)

    def progress(self) -> TaskProgress:
        """The line of the live table."""
        result = self.result()
        return TaskProgress(
            task=self.task,
            phase=self.phase,
            trials=result.trials,
            failures=sum(result.failures.values()),
            stored=result.stored,
            baseline_seconds=result.baseline_seconds,
            baseline_slower_than=result.baseline_slower_than,
            default_seconds=result.default_seconds,
            best_seconds=result.best_seconds,
        )

    def result(self) -> TaskResult:
        """How the task stands."""
        chosen = self.choice()
        return TaskResult(
            task=self.task,
            chosen=chosen,
            baseline_seconds=self.untuned_seconds,
            baseline_slower_than=self.untuned_cap,
            default_seconds=self._time_of(self.default),
            best_seconds=self._time_of(chosen) if chosen else self.untuned_seconds,
            trials=len(self.measured),
            stored=len(self.stored),
            failures=dict(self._failures),
            checked=None if chosen is None else self.decided is None or self.decided.checked,
            refusal=self.decided.failure if self.decided else None,
            walk=self.walk,
            walk_peak_gflops=self.walk_peak_gflops,
        )

    def _time_of(self, candidate: Candidate | None) -> float | None:
        if candidate is None:
            return None
        return _seconds(self.final.get(candidate)) or _seconds(self.known.get(candidate))


def _seconds(measurement: Measurement | None) -> float | None:
    return measurement.seconds if measurement else None
