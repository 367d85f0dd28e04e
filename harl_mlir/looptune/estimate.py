"""How fast nests are, told without running them: gradient-boosted trees fitted to measured nests.

A share is that of FLOP/s in the core's measured peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harl_mlir.looptune.columns import NestColumns, Rows
from harl_mlir.looptune.shares import Problem
from harl_mlir.looptune.trees import Trees
from harl_mlir.processor import Processor
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

Floats64 = NDArray[np.float64]

PARAMETERS = {
    "max_depth": 6,
    "eta": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.6,
    "min_child_weight": 2.0,
    "nthread": 1,
}
TREES = 400


@dataclass
class Estimate:
    """Shares of the peak by an XGBoost booster on `NestColumns`, each nest looked at once.

    It may be called as what the environment asks for shares.
    """

    booster: xgboost.Booster | Trees
    processor: Processor
    _columns: dict[str, NestColumns] = field(default_factory=dict)
    _known: dict[tuple[str, LoopNest], float] = field(default_factory=dict)

    def __call__(self, task: Task, rules: NestRules, nests: Sequence[LoopNest]) -> Floats64:
        """The shares of nests of one task."""
        return self.of_problems([(task, rules)] * len(nests), nests)

    def of_problems(self, problems: Sequence[Problem], nests: Sequence[LoopNest]) -> Floats64:
        """The share of each nest, each of a problem of its own."""
        asked = [(problem[0].key, nest) for problem, nest in zip(problems, nests, strict=True)]
        new: dict[str, dict[LoopNest, None]] = {}
        rules_of: dict[str, Problem] = {}
        for (key, nest), problem in zip(asked, problems, strict=True):
            if (key, nest) not in self._known:
                new.setdefault(key, {})[nest] = None
                rules_of[key] = problem
        if new:
            rows = [self._columns_of(*rules_of[key]).rows(list(each)) for key, each in new.items()]
            shares = predict(self.booster, np.concatenate(rows))
            self._known.update(
                zip(((key, nest) for key, each in new.items() for nest in each), shares.tolist(), strict=True)
            )
        return np.array([self._known[each] for each in asked])

    def known(self, task: Task) -> dict[LoopNest, float]:
        """The nests of a task that were looked at, with their shares."""
        return {nest: share for (key, nest), share in self._known.items() if key == task.key}

    def forget(self) -> None:
        """Free the memory of the nests that were looked at."""
        self._known.clear()

    def _columns_of(self, task: Task, rules: NestRules) -> NestColumns:
        if task.key not in self._columns:
            self._columns[task.key] = NestColumns(task, rules, self.processor)
        return self._columns[task.key]


def fit(rows: Rows, shares: Floats64, seed: int) -> xgboost.Booster:
    """A booster that predicts the share of the peak; the error is squared."""
    import xgboost

    data = xgboost.DMatrix(rows, shares, nthread=1)
    return xgboost.train({**PARAMETERS, "seed": seed}, data, TREES)


def predict(booster: xgboost.Booster | Trees, rows: Rows) -> Floats64:
    """The shares that a booster expects, not below 0."""
    predicted: Floats64 = np.maximum(booster.inplace_predict(rows), 0.0).astype(np.float64)
    return predicted
