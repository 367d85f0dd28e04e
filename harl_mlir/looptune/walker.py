"""What a walk over the loop nests of an op gives; `harl_mlir.looptune.walk` walks by trained weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task


class Step(Protocol):
    """One step of a walk: what was done, where that led, and what it is believed to be worth there."""

    @property
    def action(self) -> str:
        """The action's name."""
        ...

    @property
    def nest(self) -> LoopNest:
        """The nest after the action."""
        ...

    @property
    def estimate(self) -> float:
        """The estimated share of the peak."""
        ...


class Walk(Protocol):
    """A walk, and the nests that it found best."""

    @property
    def steps(self) -> Sequence[Step]:
        """The walk in order."""
        ...

    @property
    def best(self) -> Sequence[LoopNest]:
        """Different nests, the one with the best estimate first; never empty."""
        ...


@dataclass(frozen=True)
class Walker:
    """Walks over the nests of tasks, without measuring any.

    Attributes:
        walk: the walk over the nests of a task.
        peak_gflops: what estimates are shares of, the FMA peak of the core that was trained on.
    """

    walk: Callable[[Task, NestRules], Walk]
    peak_gflops: float
