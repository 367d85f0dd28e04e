"""What is known of nests: the measured ones of a database as rows with shares of the peak."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harl_mlir.looptune.columns import COLUMNS, NestColumns, Rows
from harl_mlir.looptune.shares import Problem
from harl_mlir.processor import Processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.space import SKETCH, VERSION

_GOOD, _LEAST_GOOD = 0.9, 0.6
"""A nest is good with so much of its problem's best share, and of this share at least."""
_REMEMBERED_OF_EACH, _REMEMBERED = 2, 200
"""Nests of each problem, and those of them that walks know of."""


@dataclass
class Dataset:
    """The records of some problems; those read before are not read again.

    Attributes:
        peak: FLOP/s of the core.
        rows: of `COLUMNS`, and `shares` (N,) of the peak, 0 for a failure; by problem, oldest first.
        good: texts of nests, each near the best that is known of some problem.

    None of them depends on how many times it took to read the records.
    """

    database: Database
    environment: Environment
    processor: Processor
    peak: float
    rows: Rows = field(default_factory=lambda: np.empty((0, len(COLUMNS)), dtype=np.float32))
    shares: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    good: dict[str, None] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)
    _of: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    _promising: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    _best: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    _ranks: dict[str, int] = field(default_factory=dict)

    def read(self, problems: Sequence[Problem]) -> None:
        """Add what the database holds by now of these problems, which are the same in every call."""
        rows, shares, numbers = [self.rows], [self.shares], [self._of]
        for number, (task, rules) in enumerate(problems):
            records = [
                record
                for record in self.database.records(task.key, self.environment)
                if (record.candidate.sketch, record.candidate.version) == (SKETCH, VERSION)
            ]
            new = records[self._seen.get(task.key, 0) :]
            if not new:
                continue
            self._seen[task.key] = len(records)
            nests = [parse(rules.op.dims, record.candidate.word("nest")) for record in new]
            rows.append(NestColumns(task, rules, self.processor).rows(nests))
            times = [record.measurement.seconds for record in new]
            found = np.array([task.flops / s / self.peak if s else 0.0 for s in times])
            shares.append(found)
            best = [
                *self._best.get(task.key, ()),
                *zip(found.tolist(), (n.text() for n in nests), strict=True),
            ]
            self._best[task.key] = heapq.nlargest(_REMEMBERED_OF_EACH, best)
            self._ranks[task.key] = len(rules.op.dims)
            numbers.append(np.full(len(new), number))
            self._promising.setdefault(task.key, []).extend(
                (share, nest.text())
                for share, nest in zip(found.tolist(), nests, strict=True)
                if share >= _GOOD * _LEAST_GOOD
            )
        of = np.concatenate(numbers)
        order = of.argsort(kind="stable")
        self._of = of[order]
        self.rows, self.shares = np.concatenate(rows)[order], np.concatenate(shares)[order]
        self.good = dict.fromkeys(text for task, _ in problems for text in self._good(task.key))

    def memory(self) -> tuple[str, ...]:
        """Texts of the nests that are best for most problems, some hundred for each number of dimensions."""
        counts: dict[int, Counter[str]] = {}
        for key, found in self._best.items():
            near = {text for share, text in found if share >= _GOOD * found[0][0] > 0}
            counts.setdefault(self._ranks[key], Counter()).update(near)
        chosen: list[str] = []
        for rank in sorted(counts):
            often = sorted(counts[rank].items(), key=lambda item: (-item[1], item[0]))
            chosen += [text for text, _ in often[:_REMEMBERED]]
        return tuple(chosen)

    def _good(self, key: str) -> list[str]:
        promising = self._promising.get(key, [])
        best = max((share for share, _ in promising), default=0.0)
        return [text for share, text in promising if share >= _GOOD * max(best, _LEAST_GOOD)]
