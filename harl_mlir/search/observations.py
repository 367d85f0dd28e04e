"""What the policy sees of a candidate: the same numbers for every space, whatever its decisions.

A row holds the `GLOBALS` of the task and the loop nest, then the `FEATURES` of each decision in turn, so
that one network serves every space.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.features import Rows, SpaceFeatures
from harl_mlir.search.lattice import States
from harl_mlir.space.decision import Decision
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

KINDS = (
    "along", "rows", "vector", "order", "block", "width", "depth", "pack", "copy", "unroll", "lanes", "fused",
    "height", "tail", "flatten", "tile", "other",
)  # fmt: skip
"""Decisions by what they are called. A name that begins with one of these words is of that kind."""
_FIRST_VALUES = 4
FEATURES = len(KINDS) + 5 + _FIRST_VALUES + 2
"""Of a decision: its kind, one-hot; position of the value among its values, from 0 to 1, and distance from
the default's; logarithms of the value and of the number of values; whether they are ordered; if not, which
of the first values it is, one-hot; whether it may move down and up."""
GLOBALS = SpaceFeatures.nest_width + 3
"""Of the task and the candidate: the columns of the loop nest, logarithms of operations and bytes, the number
of decisions."""
_NEST_SCALE = np.float32(1 / 16)


class Observer:
    """Observations of the states of one space on one task."""

    def __init__(self, task: Task, space: Space) -> None:
        self._tables = [_table(decision) for decision in space.decisions]
        sizes = math.log2(1 + task.flops), math.log2(1 + task.bytes), len(space.decisions)
        self._task = np.array(sizes, dtype=np.float32) / np.float32(32)

    def rows(self, states: States, masks: NDArray[np.bool_], nest_rows: Rows) -> Rows:
        """One row a state, numbers of about -1 to 1.

        `masks` are the legal actions (see `Lattice`), `nest_rows` the columns of `SpaceFeatures.nest_rows`.
        """
        count = len(states)
        decisions = np.empty((count, len(self._tables), FEATURES), dtype=np.float32)
        for d, table in enumerate(self._tables):
            decisions[:, d, :-2] = table[states[:, d]]
        decisions[:, :, -2:] = masks[:, 1:].reshape(count, -1, 2)
        task = np.broadcast_to(self._task, (count, len(self._task)))
        return np.concatenate([nest_rows * _NEST_SCALE, task, decisions.reshape(count, -1)], axis=1)


def _table(decision: Decision) -> Rows:
    """What does not depend on the other decisions, a row a value."""
    count = len(decision.values)
    table = np.zeros((count, FEATURES - 2), dtype=np.float32)
    table[:, _kind(decision.name)] = 1
    columns = table[:, len(KINDS) :]
    positions = np.arange(count) / max(1, count - 1)
    columns[:, 0] = positions
    columns[:, 1] = positions - positions[decision.values.index(decision.default)]
    columns[:, 2] = [math.log2(1 + v) / 8 if isinstance(v, int) and v > 0 else 0.0 for v in decision.values]
    columns[:, 3] = math.log2(count) / 4
    columns[:, 4] = decision.ordered
    if not decision.ordered:
        for value in range(min(count, _FIRST_VALUES)):
            columns[value, 5 + value] = 1
    return table


def _kind(name: str) -> int:
    words = (number for number, word in enumerate(KINDS) if name.startswith(word))
    return next(words, len(KINDS) - 1)
