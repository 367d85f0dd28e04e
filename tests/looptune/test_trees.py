"""Trees as arrays predict what the booster that they were taken from predicts."""

from __future__ import annotations

import numpy as np
import pytest

from harl_mlir.looptune.estimate import fit
from harl_mlir.looptune.trees import from_bytes, trees_of


@pytest.mark.parametrize("constant", [False, True])
def test_predictions_are_those_of_the_booster(constant: bool) -> None:
    rng = np.random.default_rng(0)
    # Whole numbers: many rows lie exactly on a threshold.
    rows = rng.integers(0, 6, (700, 12)).astype(np.float32)
    shares = np.full(700, 0.25) if constant else rows[:, 0] * rows[:, 3] / 25 + 0.1 * rng.random(700)
    booster = fit(rows, shares, 0)
    trees = from_bytes(trees_of(booster).to_bytes())
    others = rng.integers(-1, 8, (600, 12)).astype(np.float32)
    for asked in (rows, others, others[:1]):
        assert trees.inplace_predict(asked) == pytest.approx(booster.inplace_predict(asked), abs=2e-6)
    assert trees.inplace_predict(rows[:0]).shape == (0,)


def test_the_bytes_depend_on_nothing_but_the_trees() -> None:
    rng = np.random.default_rng(1)
    rows = rng.random((50, 3)).astype(np.float32)
    trees = trees_of(fit(rows, rng.random(50), 0))
    assert trees.to_bytes() == from_bytes(trees.to_bytes()).to_bytes()
