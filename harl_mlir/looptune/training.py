"""Training: nests are measured, an estimate is fitted to them, and the policies learn from the estimate.

That goes round in stretches: what the policies reach is measured in the next one, so that the estimate is
right where they go. Everything needed to go on is written after each stretch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harl_mlir.errors import InputError
from harl_mlir.looptune import checkpoint as checkpoints
from harl_mlir.looptune.actions import CONFIGURATIONS, PRODUCT
from harl_mlir.looptune.checkpoint import Checkpoint, Point
from harl_mlir.looptune.collect import Collector
from harl_mlir.looptune.dataset import Dataset
from harl_mlir.looptune.estimate import Estimate, fit, predict
from harl_mlir.looptune.learner import Learner, LearnerSettings, Progress
from harl_mlir.looptune.shares import Problem
from harl_mlir.space.nest.nest import LoopNest, parse

Told = Callable[[str], None]
LEAST_RECORDS = 500
"""Fewer tell an estimate too little for a policy to learn from."""
_SHOWN_ROUNDS = 60
_POINT = 10
"""Updates that make a point of the curve."""
_WANTED_UPDATES, _MOST_WANTED = 12, 4000


@dataclass(frozen=True)
class Stretch:
    """How much each stretch does: seconds of measuring, updates of each policy."""

    measuring: float
    updates: int


@dataclass
class Training:
    """Training that may be stopped at any time and goes on from the last stretch that was completed.

    Attributes:
        problems: with how often each is drawn against the others.
    """

    directory: Path
    dataset: Dataset
    collector: Collector
    problems: Sequence[tuple[Problem, float]]
    seed: int
    settings: LearnerSettings = field(default_factory=LearnerSettings)

    def run(self, count: int, stretch: Stretch, told: Told) -> tuple[Checkpoint, Estimate]:
        """Train until there are `count` stretches; what was reached, and the last estimate.

        Raises:
            InputError: there are too few records, or the checkpoint is none of this training.
        """
        checkpoint = checkpoints.read(self.directory, self.seed)
        checkpoint.peak = checkpoint.peak or self.dataset.peak
        self.dataset.peak = self.collector.peak = checkpoint.peak
        estimate: Estimate | None = None
        while checkpoint.stretches < count:
            began = time.monotonic()
            self._measure(checkpoint, stretch.measuring, told)
            estimate, error = self._fit(told)
            checkpoint.errors.append(error)
            self._learn(checkpoint, estimate, stretch.updates, told)
            checkpoint.stretches += 1
            checkpoint.measured_seconds += stretch.measuring
            checkpoint.seconds += time.monotonic() - began
            checkpoints.write(self.directory, checkpoint)
            told(f"stretch {checkpoint.stretches} of {count} done")
        return checkpoint, estimate or self._fit(told)[0]

    def _measure(self, checkpoint: Checkpoint, seconds: float, told: Told) -> None:
        by_key = {task.key: (task, rules) for (task, rules), _ in self.problems}
        wanted = [
            (by_key[key], parse(by_key[key][1].op.dims, text))
            for key, text in checkpoint.wanted
            if key in by_key
        ]
        self.collector.run(seconds, wanted, told)

    def _fit(self, told: Told) -> tuple[Estimate, float]:
        """An estimate by all records, and the error of one by nine tenths of them on the others."""
        problems = [problem for problem, _ in self.problems]
        known = len(self.dataset.shares)
        self.dataset.read(problems)
        rows, shares = self.dataset.rows, self.dataset.shares
        if len(shares) < LEAST_RECORDS:
            raise InputError(
                f"{len(shares)} measured nests are too few to learn from, and at least {LEAST_RECORDS} are "
                "needed; measure for longer with --measure"
            )
        error = _error_on_some(rows, shares, self.seed)
        told(
            f"{len(shares)} records, {len(shares) - known} of them new; the estimate is off by {error:.3f} "
            "(root mean square) on those it was not fitted to"
        )
        return Estimate(fit(rows, shares, self.seed), self.dataset.processor), round(error, 4)

    def _learn(self, checkpoint: Checkpoint, estimate: Estimate, updates: int, told: Told) -> None:
        wanted: dict[tuple[str, str], None] = {}
        for configuration in CONFIGURATIONS:
            problems, weights = zip(*self.problems, strict=True)
            learner = Learner(configuration, problems, weights, self.settings, self.seed)
            state = checkpoint.state(configuration.name)
            learner.go_on(state or learner.state(), checkpoint.stretches)
            reached = self._updates(learner, configuration.name, estimate, updates, checkpoint, told)
            wanted |= reached
            checkpoint.keep(configuration.name, learner.state())
            estimate.forget()
        chosen = list(wanted)
        np.random.default_rng((self.seed, checkpoint.stretches)).shuffle(chosen)
        checkpoint.wanted = [(key, text) for key, text in chosen[:_MOST_WANTED]]

    def _updates(
        self,
        learner: Learner,
        name: str,
        estimate: Estimate,
        count: int,
        checkpoint: Checkpoint,
        told: Told,
    ) -> dict[tuple[str, str], None]:
        """Updates of one policy, noted in the curve; the best nests of the last walks."""
        done = max((point.updates for point in checkpoint.curve if point.configuration == name), default=0)
        good = list(self.dataset.good)
        if checkpoint.stretches == 0 and name == PRODUCT.name and good:
            self._imitate(learner, estimate, good, told)
        recent: deque[Progress] = deque(maxlen=_POINT)
        reached: deque[list[tuple[str, LoopNest]]] = deque(maxlen=_WANTED_UPDATES)
        for number in range(1, count + 1):
            recent.append(learner.update(estimate, good))
            reached.append(learner.reached())
            if number % _POINT == 0 or number == count:
                last, best = (float(np.mean([getattr(p, what) for p in recent])) for what in ("last", "best"))
                checkpoint.curve.append(
                    Point(name, checkpoint.stretches, done + number, round(last, 4), round(best, 4))
                )
                told(f"{name}: {done + number} updates; walks end at {last:.3f} of the peak, best {best:.3f}")
        return {(key, nest.text()): None for part in reached for key, nest in part}

    def _imitate(self, learner: Learner, estimate: Estimate, good: Sequence[str], told: Told) -> None:
        """What a policy begins with: it is shown ways that it would hardly find, of a dozen right steps."""
        for number in range(1, _SHOWN_ROUNDS + 1):
            progress = learner.imitate(estimate, good)
            if number % _POINT == 0:
                told(f"{number} rounds of walks were shown, which end at {progress.last:.3f} of the peak")


def _error_on_some(rows: NDArray[np.float32], shares: NDArray[np.float64], seed: int) -> float:
    """Root mean square error, on a tenth of the records, of an estimate fitted to the others."""
    left_out = np.random.default_rng(seed).random(len(shares)) < 0.1
    booster = fit(rows[~left_out], shares[~left_out], seed)
    return float(np.sqrt(np.mean((predict(booster, rows[left_out]) - shares[left_out]) ** 2)))
