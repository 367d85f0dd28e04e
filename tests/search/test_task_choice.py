"""Each task policy on rounds with a known answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from harl_mlir.search.agent import Problem
from harl_mlir.search.settings import Settings, TaskPolicy
from harl_mlir.search.task_choice import WeightedTurns, make_task_choice
from harl_mlir.search.task_reward import TaskGains
from tests.search.landscapes import matmul_task

PROBLEMS = [Problem(matmul_task(size, weight=weight), ()) for size, weight in ((64, 1), (128, 5), (256, 2))]


def chosen(policy: TaskPolicy, rounds: int) -> list[int]:
    """Tasks chosen where only task 1 gets faster with every round."""
    settings = replace(Settings(), task_choice=policy, similarity_trust=0.0)
    gains = TaskGains(PROBLEMS, settings)
    choice = make_task_choice(settings, PROBLEMS, gains, np.random.default_rng(0))
    found: list[int] = []
    for _ in range(rounds):
        task, _why = choice.choose([0, 1, 2])
        gains.note_time(task, 1.0 / (1 + found.count(1)) if task == 1 else 0.05)
        gains.end_round(task)
        choice.end_round(task)
        found.append(task)
    return found


def test_round_robin_takes_turns() -> None:
    assert chosen("round-robin", 7) == [0, 1, 2, 0, 1, 2, 0]


def test_uniform_draws() -> None:
    assert min(Counter(chosen("uniform", 300)).values()) > 70


def test_gradient_tries_all_and_goes_where_the_gain_is() -> None:
    found = chosen("gradient", 12)
    assert found[:3] == [0, 1, 2]
    assert Counter(found)[1] > 8


def test_the_bandit_tries_all_and_goes_where_the_reward_is() -> None:
    found = chosen("bandit", 60)
    assert found[:3] == [0, 1, 2]
    assert Counter(found)[1] > 40


def test_weighted_turns_share_by_weight_among_what_is_left() -> None:
    turns, found = WeightedTurns(PROBLEMS), list[int]()
    for _ in range(16):
        task, _why = turns.choose([0, 1, 2])
        turns.end_round(task)
        found.append(task)
    assert Counter(found) == {0: 2, 1: 10, 2: 4}
    assert turns.choose([2])[0] == 2
