"""What the agent was trained to, as the comparison asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.looptune.decisions import Learned
from harl_mlir.looptune.actions import CONFIGURATIONS
from harl_mlir.looptune.estimate import Estimate
from harl_mlir.looptune.searches import Evaluator
from harl_mlir.looptune.walk import walk
from harl_mlir.looptune.weights import Weights, load
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task

_CONFIGURATIONS = {configuration.name: configuration for configuration in CONFIGURATIONS}


@dataclass(frozen=True)
class Trained:
    """Walks and estimates with trained weights, which are read before any decision."""

    weights: Weights

    def walk(self, configuration: str, task: Task, rules: NestRules) -> tuple[LoopNest, int]:
        """See `Learned`."""
        walked = walk(task, rules, self.weights, _CONFIGURATIONS[configuration])
        return walked.best[0], walked.visited

    def estimator(self, task: Task, rules: NestRules) -> Evaluator:
        """See `Learned`."""
        estimate = Estimate(self.weights.trees, this_processor())
        return lambda nests: estimate(task, rules, nests).tolist()


def trained(directory: Path) -> Learned | None:
    """The weights in a directory; None where there is none. Raises InputError if they are damaged."""
    if not directory.exists():
        return None
    return Trained(load(directory))
