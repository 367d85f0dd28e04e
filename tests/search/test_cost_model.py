from __future__ import annotations

import numpy as np
import pytest
import xgboost

from harl_mlir.search.cost_model import CostModel, _rows_kept
from harl_mlir.search.settings import Settings


def data(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.random((count, 6)).astype(np.float32)
    throughputs = without_failures(rows)
    throughputs[rows[:, 3] > 0.8] = 0
    return rows, (throughputs / throughputs.max()).astype(np.float32)


def test_every_candidate_is_alike_before_there_is_data() -> None:
    model = CostModel(Settings(), seed=0)
    rows, throughputs = data(30)
    assert model.scores(rows).tolist() == [1.0] * 30
    assert not model.fit(rows[:2], throughputs[:2])
    assert not model.fit(rows, np.zeros(30, dtype=np.float32))
    assert not model.is_fitted
    assert model.scores(rows).tolist() == [1.0] * 30


def test_ranks_unseen_candidates() -> None:
    model = CostModel(Settings(), seed=0)
    assert model.fit(*data(200))
    rows, throughputs = data(300, seed=1)
    scores = model.scores(rows)
    assert scores.min() >= np.float32(Settings().model_score_floor)
    best = np.argsort(-scores)[:30]
    assert throughputs[best].mean() > 0.8 > 0.6 > throughputs.mean()


def test_equal_data_gives_equal_scores() -> None:
    first, second = CostModel(Settings(), seed=3), CostModel(Settings(), seed=3)
    first.fit(*data(50))
    first.fit(*data(100))
    second.fit(*data(100))
    rows, _ = data(40, seed=2)
    assert np.array_equal(first.scores(rows), second.scores(rows))


def test_opinions_differ_where_nothing_was_measured() -> None:
    model = CostModel(Settings(), seed=0)
    rows, throughputs = data(60)
    rows, unknown = rows[rows[:, 0] < 0.5], rows[rows[:, 0] > 0.5]
    assert model.opinions(rows).tolist() == [[1.0] * len(rows)]
    assert model.fit(rows, throughputs[: len(rows)])
    opinions = model.opinions(rows)
    assert opinions.shape == (Settings().model_members, len(rows))
    floor = Settings().model_score_floor
    assert model.scores(rows) == pytest.approx(np.maximum(opinions.mean(axis=0), floor))
    assert model.opinions(unknown).std(axis=0).mean() > opinions.std(axis=0).mean() > 0


def without_failures(rows: np.ndarray) -> np.ndarray:
    return np.exp(-4 * (rows[:, 0] - 0.6) ** 2 - 3 * (rows[:, 1] - rows[:, 2]) ** 2)


def prior() -> xgboost.Booster:
    """Knows the truth but for what fails."""
    rows, _ = data(2000, seed=5)
    learned = xgboost.DMatrix(rows[:, :3], label=without_failures(rows))
    return xgboost.train({"max_depth": 5, "nthread": 1}, learned, 30)


def test_a_prior_speaks_first_and_is_corrected() -> None:
    rows, throughputs = data(300, seed=1)
    model, cold = CostModel(Settings(), 0, prior()), CostModel(Settings(), 0)
    assert model.is_fitted
    first = model.scores(rows)
    assert np.corrcoef(first, without_failures(rows))[0, 1] > 0.95
    few, seen = data(40)
    assert model.fit(few, seen)
    assert cold.fit(few, seen)
    errors = [np.square(each - throughputs).mean() for each in (model.scores(rows), cold.scores(rows), first)]
    assert errors[0] < errors[1]
    assert errors[0] < errors[2]
    assert not model.fit(few[:1], seen[:1])
    assert np.array_equal(model.scores(rows), first)


def test_a_prior_is_scaled_to_what_was_measured() -> None:
    rows, _ = data(12)
    told = prior().inplace_predict(np.ascontiguousarray(rows[:, :3]))
    model = CostModel(Settings(), 0, prior())
    assert model.fit(rows, 2 * told)
    assert model.scores(rows) == pytest.approx(2 * told, rel=0.02)


def test_fits_the_best_and_the_latest_of_many_rows() -> None:
    throughputs = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.4], dtype=np.float32)
    assert _rows_kept(throughputs, 4).tolist() == [1, 3, 4, 5]
    assert _rows_kept(throughputs, 6).tolist() == list(range(6))
