"""The estimate, fitted to made-up shares."""

from __future__ import annotations

import random

import numpy as np
import pytest

from harl_mlir.looptune.columns import COLUMNS, NestColumns
from harl_mlir.looptune.estimate import Estimate, fit, predict
from harl_mlir.looptune.sampling import draw
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from tests.looptune.landscapes import Problem, matmul_problem, tiled
from tests.space.sketches.single_op_tasks import PROCESSOR

PROBLEMS = [matmul_problem(64, 96, 80), matmul_problem(48, 64, 100), matmul_problem(128, 32, 16)]
HELD_OUT = matmul_problem(80, 64, 64)


def drawn(rules: NestRules, count: int, seed: int) -> list[LoopNest]:
    rng = random.Random(seed)
    return list(dict.fromkeys(draw(rules, rng) for _ in range(count)))


def known(problems: list[Problem]) -> tuple[np.ndarray, np.ndarray]:
    rows, shares = [], []
    for task, rules in problems:
        nests = drawn(rules, 250, 0)
        rows.append(NestColumns(task, rules, PROCESSOR).rows(nests))
        shares += [tiled(rules, nest) for nest in nests]
    return np.concatenate(rows), np.array(shares)


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    return Estimate(fit(*known(PROBLEMS), 0), PROCESSOR)


def test_orders_nests_of_a_problem_it_was_not_fitted_to(estimate: Estimate) -> None:
    task, rules = HELD_OUT
    nests = drawn(rules, 200, 1)
    found, shares = estimate(task, rules, nests), np.array([tiled(rules, nest) for nest in nests])
    apart = np.abs(shares[:, None] - shares) > 0.05
    right = (found[:, None] > found) == (shares[:, None] > shares)
    assert right[apart].mean() > 0.9
    assert shares[found.argmax()] > 0.8 * shares.max()
    assert found.min() >= 0
    assert estimate.known(task) == dict(zip(nests, found.tolist(), strict=True))
    assert estimate.known(PROBLEMS[0][0]) == {}


def test_of_many_problems_it_says_what_it_says_of_each(estimate: Estimate) -> None:
    nests = [nest for task, rules in PROBLEMS for nest in drawn(rules, 10, 2)]
    problems = [problem for problem in PROBLEMS for _ in drawn(problem[1], 10, 2)]
    order = random.Random(0).choices(range(len(nests)), k=3 * len(nests))
    estimate.forget()
    together = estimate.of_problems([problems[n] for n in order], [nests[n] for n in order])
    assert sum(len(estimate.known(task)) for task, _ in PROBLEMS) == len(set(order))
    again = estimate.of_problems([problems[n] for n in order], [nests[n] for n in order])
    np.testing.assert_array_equal(together, again)
    for number, share in zip(order, together, strict=True):
        alone = Estimate(estimate.booster, PROCESSOR)
        assert alone(*problems[number], [nests[number]])[0] == share
    estimate.forget()
    assert not any(estimate.known(task) for task, _ in PROBLEMS)
    assert estimate.of_problems([], []).shape == (0,)


def test_the_same_rows_and_seed_fit_the_same() -> None:
    rows, shares = known(PROBLEMS[:1])
    first, second, other = (fit(rows, shares, seed) for seed in (0, 0, 1))
    assert first.save_raw("ubj") == second.save_raw("ubj") != other.save_raw("ubj")


def test_shares_are_not_below_nothing() -> None:
    rows = np.random.default_rng(0).normal(size=(200, len(COLUMNS))).astype(np.float32)
    assert predict(fit(rows, np.full(200, -1.0), 0), rows).tolist() == [0.0] * 200
