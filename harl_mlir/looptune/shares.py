"""How good loop nests are: what evaluators of them have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task

Problem = tuple[Task, NestRules]
"""A task and which nests of it are legal."""


class Shares(Protocol):
    """An evaluator of loop nests, by measuring them or by estimating."""

    def __call__(self, task: Task, rules: NestRules, nests: Sequence[LoopNest]) -> NDArray[np.float64]:
        """For each nest, as it is to be scheduled, the task's FLOP/s over the core's peak: one float64."""
        ...


class Estimates(Protocol):
    """An evaluator of nests of many problems at once; `harl_mlir.looptune.estimate.Estimate` is one."""

    def of_problems(self, problems: Sequence[Problem], nests: Sequence[LoopNest]) -> NDArray[np.float64]:
        """The share of each nest, each of a problem of its own."""
        ...
