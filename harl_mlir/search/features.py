"""What the cost model sees of a candidate: numbers from its loop nest, its decisions and its task."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.lattice import States
from harl_mlir.search.nest_columns import COLUMNS
from harl_mlir.search.nest_features import nest_rows
from harl_mlir.space.decision import Decision
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

Rows = NDArray[np.float32]
"""One feature vector a row."""

_DIMS = 8
_PAIRED = 12


class SpaceFeatures:
    """Feature vectors of the states of one space on one task.

    The cost model gets first the columns of the loop nest, which mean the same in every space (see
    `nest_columns`; zeros where the space does not know its nests), then the decisions' encodings, the
    logarithms of products and ratios of every pair of numeric decisions (a footprint is a product of tiles, a
    trip count a ratio), and the task's sizes. The policy gets the columns of the loop nest (see `Observer`).

    Attributes:
        nest_width: how many of the cost model's columns are those of the nest, in every space.
        knows_nests: whether they say anything.
    """

    nest_width = len(COLUMNS)

    def __init__(self, task: Task, space: Space) -> None:
        self._tables = [_encodings(decision) for decision in space.decisions]
        self._scaled = [table / np.maximum(table.max(axis=0), 1.0) for table in self._tables]
        numeric = [d for d, decision in enumerate(space.decisions) if _is_numeric(decision)][:_PAIRED]
        self._logs = [_logarithms(space.decisions[d]) for d in numeric]
        self._numeric = numeric
        pairs = list(itertools.combinations(range(len(numeric)), 2))
        self._first = np.array([i for i, _ in pairs], dtype=np.int64)
        self._second = np.array([j for _, j in pairs], dtype=np.int64)
        self._of_task = task
        self.knows_nests = space.nests is not None
        self._nests = space.nests
        self._values = {decision.name: np.array(decision.values) for decision in space.decisions}
        self._task = _task_sizes(task)

    def model_rows(self, states: States) -> Rows:
        """What the cost model sees, a row a state."""
        parts = [self.nest_rows(states), _look_up(self._tables, states)]
        if self._first.size:
            columns = zip(self._logs, self._numeric, strict=True)
            logs = np.stack([table[states[:, d]] for table, d in columns], axis=1)
            first, second = logs[:, self._first], logs[:, self._second]
            parts += [first + second, first - second]
        return np.concatenate([*parts, self._task_rows(len(states))], axis=1)

    def nest_rows(self, states: States) -> Rows:
        """The columns of the candidates' loop nests, a row a state."""
        if self._nests is None or not len(states):
            return np.zeros((len(states), self.nest_width), dtype=np.float32)
        columns = {name: table[states[:, d]] for d, (name, table) in enumerate(self._values.items())}
        return nest_rows(self._of_task, self._nests(columns))

    def of_others(self, nest_rows: Rows) -> Rows:
        """Candidates of the task's other spaces as this one's model sees them; what they lack is missing."""
        width = self.model_rows(np.zeros((1, len(self._tables)), dtype=np.int64)).shape[1]
        rows = np.full((len(nest_rows), width), np.nan, dtype=np.float32)
        rows[:, : self.nest_width] = nest_rows
        return rows

    def positions(self, states: States) -> Rows:
        """The states as points whose distances tell how different they are."""
        return _look_up(self._scaled, states)

    def _task_rows(self, count: int) -> Rows:
        return np.tile(self._task, (count, 1))


def _encodings(decision: Decision) -> Rows:
    return np.array([decision.encode(value) for value in decision.values], dtype=np.float32)


def _is_numeric(decision: Decision) -> bool:
    return (
        decision.ordered
        and len(decision.values) > 1
        and all(isinstance(value, int) and value >= 0 for value in decision.values)
    )


def _logarithms(decision: Decision) -> Rows:
    return np.array([math.log2(max(1, int(value))) for value in decision.values], dtype=np.float32)


def _look_up(tables: list[Rows], states: States) -> Rows:
    if not tables:
        return np.zeros((len(states), 0), dtype=np.float32)
    return np.concatenate([table[states[:, d]] for d, table in enumerate(tables)], axis=1)


def _task_sizes(task: Task) -> Rows:
    dims = task.anchor_op.dims[:_DIMS]
    sizes = [*dims, *[0] * (_DIMS - len(dims)), task.flops, task.bytes]
    return np.array([math.log2(1 + size) for size in sizes], dtype=np.float32)
