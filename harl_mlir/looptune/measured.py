"""Shares of the peak that loop nests reach when they run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harl_mlir.measure.pool import Pool
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import candidate_of
from harl_mlir.tasks.task import Task


class MeasuredShares:
    """Builds, checks and times nests, each once for a task; those that fail have share 0.

    The peak is that of multiply-adds of the task's elements on the pool's core, for integers that of f32,
    measured when it is first needed. Use it from the pool's thread.

    Attributes:
        trials: how many nests were measured.
        failures: how many of them failed.
    """

    def __init__(self, pool: Pool) -> None:
        self.trials = 0
        self.failures = 0
        self._pool = pool
        self._peaks: dict[str, float] = {}
        self._known: dict[tuple[str, str], float] = {}

    def __call__(self, task: Task, rules: NestRules, nests: Sequence[LoopNest]) -> NDArray[np.float64]:
        """The share of each nest. Raises InputError if the task's results cannot be checked."""
        return np.array([self._share(task, rules, nest) for nest in nests], np.float64)

    def _share(self, task: Task, rules: NestRules, nest: LoopNest) -> float:
        key = task.key, nest.text()
        if key not in self._known:
            peak = self._peak(rules.op.init.element)
            measurement = self._pool.measure(task, candidate_of(nest, rules))
            self.trials += 1
            self.failures += not measurement.ok
            self._known[key] = task.flops / measurement.seconds / peak if measurement.seconds else 0.0
        return self._known[key]

    def _peak(self, element: str) -> float:
        element = element if element == "f64" else "f32"
        if element not in self._peaks:
            self._peaks[element] = self._pool.peak(element)
        return self._peaks[element]
