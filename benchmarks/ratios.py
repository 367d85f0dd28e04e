"""Paired ratios of contenders and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Verdict: TypeAlias = Literal["ahead", "tied", "behind"]

CAP = 1.5
"""A case's ratio counts for no more in a geometric mean, so that soft cases buy nothing."""
RESAMPLES = 2000
CONFIDENCE = 0.95
_SEED = 20261122


def paired_ratio(ours: Sequence[Sequence[float]], peer: Sequence[Sequence[float]]) -> float:
    """How many times faster ours is: the median over the passes of the ratio of the pass's medians.

    Both hold the seconds of the samples of each pass, the same passes in the same order.
    """
    return float(np.median([np.median(b) / np.median(a) for a, b in zip(ours, peer, strict=True)]))


def resampled_ratios(ours: Sequence[Sequence[float]], peer: Sequence[Sequence[float]]) -> Array:
    """`RESAMPLES` paired ratios from passes drawn again, and in each pass samples drawn again."""
    rng = np.random.default_rng(_SEED)
    passes = len(ours)
    drawn = rng.integers(passes, size=(RESAMPLES, passes))
    ratios = np.empty((RESAMPLES, passes))
    for place in range(passes):
        for number in range(passes):
            rows = np.nonzero(drawn[:, place] == number)[0]
            ratios[rows, place] = _medians(rng, peer[number], len(rows)) / _medians(
                rng, ours[number], len(rows)
            )
    return np.asarray(np.median(ratios, axis=1))


def _medians(rng: np.random.Generator, samples: Sequence[float], count: int) -> Array:
    values = np.asarray(samples)
    return np.asarray(np.median(values[rng.integers(len(values), size=(count, len(values)))], axis=1))


def interval(draws: Array) -> tuple[float, float]:
    """The central interval that holds `CONFIDENCE` of the draws."""
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, (outside, 1 - outside))
    return float(low), float(high)


def verdict(bounds: tuple[float, float]) -> Verdict:
    """`ahead` only if the whole interval is above 1, `behind` only if it is below."""
    if bounds[0] > 1:
        return "ahead"
    return "behind" if bounds[1] < 1 else "tied"


def capped_geomean(ratios: Sequence[float] | Sequence[Array]) -> Array:
    """Geometric mean of ratios (or, draw by draw, of arrays of them), each counted up to `CAP`."""
    return np.asarray(np.exp(np.mean(np.log(np.minimum(np.asarray(ratios), CAP)), axis=0)))
