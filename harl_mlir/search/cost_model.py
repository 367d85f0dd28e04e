"""A cost model: gradient-boosted trees that score candidates without measuring them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.features import Rows
from harl_mlir.search.settings import Settings

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

Scores = NDArray[np.float32]
"""Expected throughput as a part of the task's best, one number a candidate."""


class CostModel:
    """XGBoost regression of the throughput relative to the task's best; failures have none.

    The error is squared and weighted by the throughput, as good candidates must be told apart and
    bad ones need not be. Every candidate has score 1 until `fit` got enough rows with a difference.

    It is several ensembles of trees. For each, every row's weight is drawn anew (the Bayesian bootstrap of
    Rubin, 1981), so that what they say differs where little is known: measuring what one of them, drawn at
    random, likes best is Thompson sampling. Scores are their mean.

    `prior` may be an XGBoost booster trained on other tasks, which predicts the same from the first columns,
    those of the loop nest. It then speaks before the first fit, and what is fitted are trees that correct it,
    after it was scaled to the measurements: the best of few is not the best there is.
    """

    def __init__(self, settings: Settings, seed: int, prior: xgboost.Booster | None = None) -> None:
        self._settings = settings
        self._seed = seed
        self._prior: Any = prior
        self._scale = np.float32(1.0)
        self._boosters: list[Any] = []

    @property
    def is_fitted(self) -> bool:
        """Whether the scores mean anything."""
        return bool(self._boosters) or self._prior is not None

    @property
    def knows_other_tasks(self) -> bool:
        """Whether there is a prior."""
        return self._prior is not None

    def fit(self, rows: Rows, throughputs: Scores) -> bool:
        """Learn from measured candidates, oldest first; whether they were enough.

        `throughputs` are relative to the best of the task, 0 for a failure.
        """
        import xgboost

        settings = self._settings
        if len(rows) < settings.model_min_rows or np.ptp(throughputs) == 0:
            self._boosters, self._scale = [], np.float32(1.0)
            return False
        kept = _rows_kept(throughputs, settings.model_max_rows)
        labels = throughputs[kept]
        weights = np.maximum(labels, settings.model_weight_floor)
        data = xgboost.DMatrix(rows[kept], label=labels, nthread=1)
        if self._prior is not None:
            told = self._told(rows[kept])
            self._scale = np.float32((weights * labels * told).sum() / (weights * told * told).sum())
            data.set_base_margin(self._scale * told)
        rng = np.random.default_rng((self._seed, len(labels)))
        self._boosters = []
        for _ in range(settings.model_members):
            drawn = weights * rng.exponential(size=len(weights)).astype(np.float32)
            data.set_weight(drawn)
            parameters = {
                "objective": "reg:squarederror",
                "max_depth": settings.model_depth,
                "eta": settings.model_learning_rate,
                "min_child_weight": 2 * settings.model_weight_floor,
                "lambda": 0.1,
                "base_score": float(np.average(labels, weights=drawn)) if self._prior is None else 0.0,
                "tree_method": "hist",
                "max_bin": 32,
                "nthread": 1,
                "seed": self._seed,
            }
            self._boosters.append(xgboost.train(parameters, data, num_boost_round=settings.model_trees))
        return True

    def scores(self, rows: Rows) -> Scores:
        """The expected relative throughput of every row, at least the floor; 1 before anything is known."""
        floor = np.float32(self._settings.model_score_floor)
        scores: Scores = np.maximum(self.opinions(rows).mean(axis=0), floor)
        return scores

    def opinions(self, rows: Rows) -> NDArray[np.float32]:
        """What each of the ensembles expects of every row: one row an ensemble, at least one."""
        if not self.is_fitted:
            return np.ones((1, len(rows)), dtype=np.float32)
        margin = None if self._prior is None else self._scale * self._told(rows)
        if not self._boosters:
            return np.array([margin], dtype=np.float32)
        said = [booster.inplace_predict(rows, base_margin=margin) for booster in self._boosters]
        return np.array(said, dtype=np.float32)

    def _told(self, rows: Rows) -> Scores:
        """What the prior says."""
        own = np.ascontiguousarray(rows[:, : self._prior.num_features()])
        told = np.asarray(self._prior.inplace_predict(own), dtype=np.float32)
        return np.maximum(told, np.float32(self._settings.model_score_floor))


def _rows_kept(throughputs: Scores, most: int) -> NDArray[np.int64]:
    """Numbers of the rows to fit: all, or the best half and the latest half of `most`."""
    count = len(throughputs)
    if count <= most:
        return np.arange(count)
    latest = np.arange(count - most // 2, count)
    best = np.argsort(-throughputs[: latest[0]], kind="stable")[: most - len(latest)]
    return np.concatenate([np.sort(best), latest])
