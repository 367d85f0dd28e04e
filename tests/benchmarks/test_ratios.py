"""Ratios and their intervals, on numbers whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.ratios import RESAMPLES, capped_geomean, interval, paired_ratio, resampled_ratios, verdict


def passes(seconds: list[float], spread: float, samples: int = 30) -> list[list[float]]:
    rng = np.random.default_rng(0)
    return [list(s * (1 + spread * rng.standard_normal(samples))) for s in seconds]


def test_the_ratio_is_paired_within_passes() -> None:
    # The machine was twice as slow in the second pass, for both.
    assert paired_ratio([[1.0], [2.0], [1.0]], [[1.1], [2.2], [1.1]]) == pytest.approx(1.1)


def test_the_interval_holds_the_ratio_and_repeats() -> None:
    ours, peer = passes([1.0, 1.02, 0.99], 0.02), passes([1.1, 1.11, 1.1], 0.02)
    draws = resampled_ratios(ours, peer)
    assert draws.shape == (RESAMPLES,)
    low, high = interval(draws)
    assert low < paired_ratio(ours, peer) < high
    assert high - low < 0.1
    assert np.array_equal(draws, resampled_ratios(ours, peer))


def test_passes_that_disagree_widen_it() -> None:
    steady = interval(resampled_ratios(passes([1.0] * 3, 0.01), passes([1.1] * 3, 0.01)))
    unsteady = interval(resampled_ratios(passes([1.0] * 3, 0.01), passes([0.9, 1.1, 1.3], 0.01)))
    assert verdict(steady) == "ahead"
    assert verdict(unsteady) == "tied"
    assert unsteady[1] - unsteady[0] > steady[1] - steady[0]


def test_verdicts() -> None:
    assert verdict((1.001, 1.2)) == "ahead"
    assert verdict((1.0, 1.2)) == "tied"
    assert verdict((0.9, 0.99)) == "behind"


def test_geomeans_are_capped_case_by_case() -> None:
    assert float(capped_geomean([100.0, 1.0])) == pytest.approx(1.5**0.5)
    draws = capped_geomean([np.array([1.0, 9.0]), np.array([4.0, 1.0])])
    np.testing.assert_allclose(draws, 1.5**0.5)
