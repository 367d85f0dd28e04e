from __future__ import annotations

import random

import pytest

from harl_mlir.search.bandit import SlidingWindowUCB


def test_plays_every_arm_once_before_any_twice() -> None:
    bandit = SlidingWindowUCB(3, window=10, exploration=0.25)
    played = []
    for _ in range(3):
        played.append(bandit.choose([0, 1, 2]).arm)
        bandit.update(played[-1], 1.0 if played[-1] == 0 else 0.0)
    assert played == [0, 1, 2]


def test_value_is_window_mean_plus_bonus() -> None:
    bandit = SlidingWindowUCB(2, window=3, exploration=0.5)
    for arm, reward in ((0, 9.0), (0, 0.2), (0, 0.4), (1, 0.6)):
        bandit.update(arm, reward)
    first, second = bandit.choices()
    assert first.mean == pytest.approx(0.3)  # the play worth 9.0 has left the window
    assert first.bonus == pytest.approx(0.5 * 0.741, abs=1e-3)  # sqrt(ln 3 / 2)
    assert second.bonus == pytest.approx(0.5 * 1.048, abs=1e-3)  # sqrt(ln 3 / 1)
    assert str(first) == "0.30+0.37"


def test_chooses_among_the_available_only() -> None:
    bandit = SlidingWindowUCB(3, window=10, exploration=0.25)
    for arm, reward in ((0, 1.0), (1, 0.0), (2, 0.1)):
        bandit.update(arm, reward)
    assert bandit.choose([1, 2]).arm == 2


def test_an_arm_that_was_not_played_counts_as_what_is_hoped_of_it() -> None:
    bandit = SlidingWindowUCB(3, window=10, exploration=0.25)
    bandit.update(0, 0.6)
    assert bandit.choose([0, 1, 2], {1: 0.5, 2: 0.7}).arm == 2
    assert bandit.choose([0, 1, 2], {1: 0.5, 2: 0.5}).arm == 0
    assert bandit.choose([0, 1, 2], {1: 0.5}).arm == 2  # nothing is known of it
    assert bandit.choose([0, 1], {0: 9.0, 1: 0.5}).arm == 0
    assert bandit.choose([0, 1], {0: 0.0, 1: 0.5}).mean == 0.6  # what was measured stands


@pytest.mark.parametrize("seed", range(5))
def test_follows_the_best_arm_when_rewards_drift(seed: int) -> None:
    rng = random.Random(seed)
    bandit = SlidingWindowUCB(3, window=60, exploration=0.25)
    good = 0
    for step in range(900):
        best = step // 300
        arm = bandit.choose(range(3)).arm
        good += arm == best and step % 300 >= 100
        bandit.update(arm, float(rng.random() < (0.9 if arm == best else 0.2)))
    assert good > 0.75 * 600
