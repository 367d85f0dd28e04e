"""What the analysis of a kernel file gives: its tasks, and the ops it leaves alone with the reason."""

from __future__ import annotations

from collections.abc import Callable
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

    def without(self, refuse: Callable[[Task], str | None]) -> Analysis:
        """With the tasks left alone for which `refuse` gives a reason."""
        reasons = [refuse(task) for task in self.tasks]
        left = (
            Skipped(task.anchor_op.name, task.place, reason)
            for task, reason in zip(self.tasks, reasons, strict=True)
            if reason is not None
        )
        tasks = tuple(t for t, reason in zip(self.tasks, reasons, strict=True) if reason is None)
        return Analysis(tasks, (*self.skipped, *left))
