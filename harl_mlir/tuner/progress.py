"""What the tuner tells a listener while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tasks.task import Task

Phase = Literal["waiting", "searching", "finalists", "done"]


@dataclass(frozen=True)
class TaskProgress:
    """A task's line in the live table. Times are seconds of one call; None where unknown."""

    task: Task
    phase: Phase
    trials: int
    failures: int
    stored: int
    baseline_seconds: float | None
    baseline_slower_than: float | None
    default_seconds: float | None
    best_seconds: float | None


@dataclass(frozen=True)
class Planned:
    """The kernel has been analysed."""

    tasks: tuple[Task, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Progressed:
    """Task number `index` has changed."""

    index: int
    progress: TaskProgress


Event = Planned | Progressed
Listener = Callable[[Event], None]


def ignore(_: Event) -> None:
    """The listener of those who only want the result."""
