"""What goes into a schedule library: a schedule for each task, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task


@dataclass(frozen=True)
class Entry:
    """A task and the candidate whose schedule is applied wherever the task is found."""

    task: Task
    candidate: Candidate


@dataclass(frozen=True)
class Provenance:
    """What a library was tuned with: the producer's version, processor, threads, accuracy."""

    version: str
    processor: str
    features: tuple[str, ...]
    threads: int = 1
    accuracy: Accuracy = DEFAULT_ACCURACY
