"""The protocol every search policy speaks: propose candidates, observe their measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harl_mlir.measure.measurement import Measurement
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task


@dataclass(frozen=True)
class Problem:
    """A task as a search policy sees it: its facts and the space of each sketch that applies.

    Attributes:
        baseline_seconds: time of the untuned kernel, or None where unknown or slower than the cap.
    """

    task: Task
    spaces: tuple[Space, ...]
    baseline_seconds: float | None = None


@dataclass(frozen=True)
class Proposal:
    """A candidate to measure for problem number `problem`."""

    problem: int
    candidate: Candidate


@dataclass(frozen=True)
class Trial:
    """A measured proposal."""

    proposal: Proposal
    measurement: Measurement


class Agent(Protocol):
    """A search policy over a fixed list of problems.

    The same seed and the same observations give the same proposals. An agent never proposes a
    candidate it has observed or proposed before.
    """

    def propose(self, count: int) -> list[Proposal]:
        """The next at most `count` distinct candidates; empty when nothing is left to try."""
        ...

    def observe(self, trials: Sequence[Trial]) -> None:
        """Learn from measurements: its own proposals, the defaults (trial 0), stored records."""
        ...
