"""Measures nests of training problems into a database, for as long as it is let."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.looptune.sampling import draw, transfer, vary
from harl_mlir.looptune.shares import Problem
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Record, this_environment
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import SKETCH, candidate_of
from harl_mlir.tasks.task import Task

AGENT = "looptune"
_KEPT = 150
"""Good nests of any problem that are carried over to others."""
_CARRIED_OVER = 0.75
_MOST_VARIED = 3
_WANTED, _BESIDE = 0.6, 0.6
"""Shares of the nests that are wanted, and of these of those that are varied before."""
_MOST_BESIDE = 2
_TELL = 500
_SLOWEST = 60.0
"""A call may take so many times what the peak would: slower nests are only known to be slow."""
_LEAST_CAP = 5e-3


@dataclass
class Collector:
    """Draws nests of random problems, varies what was good elsewhere, and records their times.

    Attributes:
        problems: what may be drawn, with how often against the others.
        peak: FLOP/s of the core.
    """

    pool: Pool
    database: Database
    problems: Sequence[tuple[Task, NestRules, float]]
    peak: float
    seed: int
    measured: int = 0
    _good: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._weights = [weight for _, _, weight in self.problems]
        self._environment = this_environment(this_processor(), 1, LOWERING_VERSION)
        known = 0
        for task, _, _ in self.problems:
            for record in self.database.records(task.key, self._environment):
                known += 1
                if record.candidate.sketch == SKETCH and record.measurement.seconds:
                    self._keep(task, record.measurement.seconds, record.candidate.word("nest"))
        # Not what was drawn already, where it goes on.
        self._rng = random.Random(f"{self.seed} {known}")

    def run(
        self, seconds: float, wanted: Sequence[tuple[Problem, LoopNest]], told: Callable[[str], None]
    ) -> None:
        """Measure for so long; a good part of it nests that are `wanted` and what is beside them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if wanted and self._rng.random() < _WANTED:
                (task, rules), nest = self._rng.choice(wanted)
                if self._rng.random() < _BESIDE:
                    nest = vary(nest, rules, self._rng, self._rng.randint(0, _MOST_BESIDE))
            else:
                task, rules, _ = self._rng.choices(self.problems, self._weights)[0]
                nest = self._next(rules)
            self.measure(task, rules, nest)
            if self.measured % _TELL == 0:
                best = max((share for share, _, _ in self._good), default=0.0)
                told(f"{self.measured} nests measured; the best share of the peak {best:.3f}")

    def measure(self, task: Task, rules: NestRules, nest: LoopNest) -> float:
        """Measure one nest and record it; its share of the peak, 0 for a failure."""
        candidate = candidate_of(nest, rules)
        cap = max(_LEAST_CAP, _SLOWEST * task.flops / self.peak)
        measurement = self.pool.measure(task, candidate, cap=cap)
        record = Record(
            task.key, candidate, self._environment, measurement, "trial", time.time(), AGENT, self.seed
        )
        self.database.add_task(task)
        self.database.add(record)
        self.measured += 1
        return self._keep(task, measurement.seconds, nest.text()) if measurement.seconds else 0.0

    def _keep(self, task: Task, seconds: float, text: str) -> float:
        share = task.flops / seconds / self.peak
        heapq.heappush(self._good, (share, task.key, text))
        if len(self._good) > _KEPT:
            heapq.heappop(self._good)
        return share

    def _next(self, rules: NestRules) -> LoopNest:
        if self._good and self._rng.random() < _CARRIED_OVER:
            nest = transfer(self._rng.choice(self._good)[2], rules)
            if nest is not None:
                return vary(nest, rules, self._rng, self._rng.randint(0, _MOST_VARIED))
        return draw(rules, self._rng)
