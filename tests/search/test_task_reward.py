from __future__ import annotations

from dataclasses import replace

import pytest

from harl_mlir.search.agent import Problem
from harl_mlir.search.settings import Settings
from harl_mlir.search.task_reward import TaskGains
from tests.search.landscapes import matmul_task

SETTINGS = Settings(recent_weight=0.2, recent_rounds=2, similarity_trust=2.0)


def other_kind(weight: int = 1, baseline: float | None = None) -> Problem:
    """A task that is similar to no other."""
    task = matmul_task(weight=weight)
    member = replace(task.members[0], op=replace(task.anchor_op, name=f"other{weight}"))
    return Problem(replace(task, members=(member,)), (), baseline)


def rounds(gains: TaskGains, problem: int, *seconds: float) -> None:
    for time in seconds:
        gains.note_time(problem, time)
        gains.end_round(problem)


def test_gain_of_a_single_task() -> None:
    gains = TaskGains([Problem(matmul_task(weight=3), ())], SETTINGS)
    rounds(gains, 0, 10.0, 8.0, 9.0, 4.0)
    # Best times 10, 8, 8, 4: two rounds gained 4; after four rounds 4/4 is hoped for.
    assert gains.gain(0) == pytest.approx(3 * (0.2 * 2.0 + 0.8 * 1.0))
    assert gains.reward(0) == 1.0


def test_a_similar_faster_task_raises_the_hope() -> None:
    gains = TaskGains([Problem(matmul_task(), ()), Problem(matmul_task(), ())], SETTINGS)
    rounds(gains, 0, 10.0, 10.0, 10.0, 10.0)
    rounds(gains, 1, 1.0)
    # Twice as fast as the other would be 0.5 s: 2 * C / V = 2 s away from 10 s.
    assert gains.gain(0) == pytest.approx(0.8 * (10.0 - 2.0))
    assert gains.reward(0) == 1.0
    assert gains.reward(1) == pytest.approx(1.0 / 8.0)


def test_weights_and_kinds_decide_between_equal_times() -> None:
    gains = TaskGains([other_kind(1), other_kind(5)], SETTINGS)
    rounds(gains, 0, 2.0)
    rounds(gains, 1, 2.0)
    assert gains.reward(0) == pytest.approx(0.2)
    assert gains.reward(1) == 1.0


def test_unmeasured_tasks_count_by_their_baseline_or_not_at_all() -> None:
    gains = TaskGains([other_kind(1, baseline=4.0), other_kind(2)], SETTINGS)
    assert gains.gain(0) == pytest.approx(0.8 * 4.0)
    assert gains.gain(1) == gains.reward(1) == 0.0
    assert gains.best(0) is None
