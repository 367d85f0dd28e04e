from __future__ import annotations

import numpy as np

from harl_mlir.search.cost_model import CostModel, _rows_kept
from harl_mlir.search.settings import Settings


def data(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.random((count, 6)).astype(np.float32)
    throughputs = np.exp(-4 * (rows[:, 0] - 0.6) ** 2 - 3 * (rows[:, 1] - rows[:, 2]) ** 2)
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


def test_fits_the_best_and_the_latest_of_many_rows() -> None:
    throughputs = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.4], dtype=np.float32)
    assert _rows_kept(throughputs, 4).tolist() == [1, 3, 4, 5]
    assert _rows_kept(throughputs, 6).tolist() == list(range(6))
