"""Trains the cost model across tasks, and tells how well it orders candidates it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from harl_mlir.search.features import Rows
from harl_mlir.training.dataset import TaskRecords

TREES, DEPTH, LEARNING_RATE = 120, 6, 0.1
WEIGHT_FLOOR = 0.1
"""Weight of a candidate with no throughput; the best weighs 1, so that good ones are told apart."""
TOP = 30
_PAIRS = 20_000
_TIE = 0.01
"""Throughputs closer than this are not told apart by measuring either."""

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Ordering:
    """How well scores order the candidates of a task.

    Attributes:
        pairwise: share of pairs of candidates (more than 1 % apart) in the right order.
        recall: share of the 30 best that are among the 30 highest scores; of small tasks, of the best
            tenth.
        best: the best of those highest scores, as a part of the best there is.
    """

    pairwise: float
    recall: float
    best: float


def train_cost_model(tasks: Sequence[TaskRecords], seed: int) -> xgboost.Booster:
    """Regression of the relative throughput on the columns of the loop nests; every task weighs the same."""
    rows = np.concatenate([task.rows for task in tasks])
    labels = np.concatenate([task.relative for task in tasks])
    weights = np.concatenate([_weights(task) for task in tasks])
    parameters: dict[str, Any] = {
        "objective": "reg:squarederror",
        "max_depth": DEPTH,
        "eta": LEARNING_RATE,
        "min_child_weight": 2.0,
        "subsample": 0.8,
        "colsample_bytree": 0.6,
        "lambda": 1.0,
        "base_score": float(np.average(labels, weights=weights)),
        "tree_method": "hist",
        "max_bin": 64,
        "nthread": 1,
        "seed": seed,
    }
    data = xgboost.DMatrix(rows, label=labels, weight=weights, nthread=1)
    return xgboost.train(parameters, data, num_boost_round=TREES)


def predict(booster: xgboost.Booster, rows: Rows) -> Scores:
    """Scores of rows."""
    return np.asarray(booster.inplace_predict(np.ascontiguousarray(rows)), dtype=np.float32)


def cross_validate(tasks: Sequence[TaskRecords], folds: int, seed: int) -> dict[str, Ordering]:
    """How well tasks are ordered by a model that was trained without them, by label and key."""
    keys = sorted({task.task.key for task in tasks})
    order = np.random.default_rng(seed).permutation(len(keys)).tolist()
    fold_of = {keys[number]: place % folds for place, number in enumerate(order)}
    found: dict[str, Ordering] = {}
    for fold in range(folds):
        others = [task for task in tasks if fold_of[task.task.key] != fold]
        left = [task for task in tasks if fold_of[task.task.key] == fold]
        if not others or not left:
            continue
        booster = train_cost_model(others, seed)
        for task in left:
            name = f"{task.task.label()} ({task.task.key})"
            found[name] = ordering(predict(booster, task.rows), task.relative, seed)
    return found


def ordering(scores: Scores, relative: Scores, seed: int) -> Ordering:
    """How well `scores` order candidates of these relative throughputs."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(scores), size=(2, _PAIRS))
    gap = relative[first] - relative[second]
    told = np.abs(gap) > _TIE * np.maximum(relative[first], relative[second])
    right = np.sign(scores[first] - scores[second]) == np.sign(gap)
    top = min(TOP, max(1, len(scores) // 10))
    chosen = np.argsort(-scores, kind="stable")[:top]
    best = np.argsort(-relative, kind="stable")[:top]
    return Ordering(
        pairwise=float(right[told].mean()) if told.any() else 1.0,
        recall=len(set(chosen.tolist()) & set(best.tolist())) / top,
        best=float(relative[chosen].max()),
    )


def mean(orderings: Sequence[Ordering]) -> Ordering:
    """The mean over tasks."""
    return Ordering(
        *(float(np.mean([getattr(o, n) for o in orderings])) for n in ("pairwise", "recall", "best"))
    )


def _weights(task: TaskRecords) -> Scores:
    weights = np.maximum(task.relative, np.float32(WEIGHT_FLOOR))
    # The weight of a task grows with the root of its records: more of them say more, but not in proportion.
    return np.asarray(weights * (10 / np.sqrt(len(weights))), dtype=np.float32)
