"""What goes into a schedule library, and what one tells of itself: schedules, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Value
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


@dataclass(frozen=True)
class ScheduleFacts:
    """One schedule of a library, as the library tells it.

    Attributes:
        key: the workload key of the task it is for.
        label: the task's name for people, such as `matmul 512x512x512 f32`.
        sketch, version: the sketch it is of; "" and 0 where the library does not tell.
        matched_as: the key of the task whose schedule is taken for this one, because a script cannot tell
            the two apart; None for a schedule that is applied.
        choices: the value of each decision by name, in no order; None where the library does not tell.
    """

    key: str
    label: str
    sketch: str
    version: int
    matched_as: str | None = None
    choices: tuple[tuple[str, Value], ...] | None = None


@dataclass(frozen=True)
class LibraryFacts:
    """What a library tells of itself: its schedules, and what they were tuned with."""

    provenance: Provenance
    schedules: tuple[ScheduleFacts, ...]
