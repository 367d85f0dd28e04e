"""What the analysis of a kernel file gives: its tasks, and the ops it leaves alone with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.tasks.task import Task


@dataclass(frozen=True)
class Skipped:
    """A linalg op that is left as it was."""

    op: str
    place: str
    reason: str


@dataclass(frozen=True)
class Analysis:
    """Tasks in program order, equal ones merged (`weight` counts them), and the ops left alone."""

    tasks: tuple[Task, ...]
    skipped: tuple[Skipped, ...] = ()
