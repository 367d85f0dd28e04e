"""What a comparison says: medians, quartiles, and bootstrap intervals over paired seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harl_mlir.lab.runs import Run

SHARE = 0.95
"""A run has arrived where it has this share of the best throughput."""

_RESAMPLES = 4000
_INTERVAL = (2.5, 97.5)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % bootstrap interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Share of the best throughput at each of `at` (trials or seconds): median and quartiles of the seeds."""

    at: tuple[float, ...]
    low: tuple[float, ...]
    median: tuple[float, ...]
    high: tuple[float, ...]


def reference_seconds(known: float | None, runs: Sequence[Run]) -> float:
    """The program's time that counts as the best: the recorded one, else the best of all runs."""
    return known if known is not None else min((run.best for run in runs), default=math.inf)


def trials_to_share(runs: Sequence[Run], best: float) -> list[int | None]:
    """For each run the trials until it has arrived, None if it has not."""
    return [run.trials_to(best / SHARE) for run in runs]


def median_or_none(numbers: Sequence[float | None]) -> float | None:
    """The median, where None is beyond every number; None if the median is."""
    median = float(np.median([math.inf if n is None else n for n in numbers])) if numbers else math.inf
    return median if math.isfinite(median) else None


def censored(numbers: Sequence[int | None], trials: int) -> Numbers:
    """Trials until arrival; a run that has not arrived counts as one trial more than it had."""
    return np.array([trials + 1 if n is None else n for n in numbers], dtype=np.float64)


def ratio_of_medians(others: Sequence[Numbers], own: Sequence[Numbers], seed: int = 0) -> Interval:
    """Geometric mean over workloads of median(other) / median(own), runs paired by seed.

    Each entry holds one number a seed. Seeds are drawn with replacement, the same for both sides, for
    each workload on its own.
    """
    rng = np.random.default_rng(seed)
    logs = np.zeros(_RESAMPLES)
    estimate = 0.0
    for other, mine in zip(others, own, strict=True):
        draws = rng.integers(len(mine), size=(_RESAMPLES, len(mine)))
        logs += np.log(np.median(other[draws], axis=1) / np.median(mine[draws], axis=1))
        estimate += math.log(np.median(other) / np.median(mine))
    low, high = np.percentile(np.exp(logs / len(own)), _INTERVAL)
    return Interval(math.exp(estimate / len(own)), float(low), float(high))


def mean_difference(other: Numbers, own: Numbers, seed: int = 0) -> Interval:
    """Mean of own - other over paired seeds."""
    differences = own - other
    draws = np.random.default_rng(seed).integers(len(own), size=(_RESAMPLES, len(own)))
    low, high = np.percentile(differences[draws].mean(axis=1), _INTERVAL)
    return Interval(float(differences.mean()), float(low), float(high))


def final_shares(runs: Sequence[Run], best: float) -> Numbers:
    """For each run the share of the best throughput in the end."""
    return np.array([best / run.best for run in runs])


def curve_over_trials(runs: Sequence[Run], best: float, trials: int) -> Curve:
    """Best so far after each trial."""
    return _curve(
        runs, best, np.arange(1, trials + 1), {id(r): [i.trial for i in r.improvements] for r in runs}
    )


def curve_over_seconds(runs: Sequence[Run], best: float, most: float, points: int = 80) -> Curve:
    """Best so far over wall time, to `most` seconds."""
    when = {id(run): [i.seconds for i in run.improvements] for run in runs}
    return _curve(runs, best, np.linspace(0, most, points), when)


def _curve(
    runs: Sequence[Run], best: float, at: NDArray[np.generic], when: Mapping[int, Sequence[float]]
) -> Curve:
    rows = np.zeros((len(runs), len(at)))
    for row, run in zip(rows, runs, strict=True):
        reached = np.searchsorted(np.array(when[id(run)]), at, side="right")
        shares = np.array([0.0, *(best / i.program_seconds for i in run.improvements)])
        row[:] = shares[reached]
    low, median, high = np.percentile(rows, (25, 50, 75), axis=0)
    return Curve(*(tuple(float(x) for x in numbers) for numbers in (at, low, median, high)))
