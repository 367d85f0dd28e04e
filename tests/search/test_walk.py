"""Tracks are dropped by advantage, on a slope and a plateau with a known answer."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from harl_mlir.search.cost_model import CostModel
from harl_mlir.search.features import Rows, SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.observations import Observer
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps
from harl_mlir.search.walk import Walk, Walker
from harl_mlir.space.decision import Decision
from harl_mlir.space.space import Space
from tests.search.landscapes import matmul_task

LENGTH = 60
SPACE = Space(
    "slope",
    1,
    (Decision("x", tuple(range(LENGTH)), 0), Decision("place", ("plateau", "slope"), "slope", ordered=False)),
)


class KnownScores(CostModel):
    """On the slope every step gains a tenth, on the plateau none."""

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        own = rows[:, SpaceFeatures.nest_width :]
        position, on_slope = own[:, 0], own[:, 3]
        return np.power(1 + 0.1 * on_slope, position * (LENGTH - 1)).astype(np.float32)


class Rightwards:
    """A policy that knows no better than the next value of x; its critic knows the rewards only."""

    def __init__(self) -> None:
        self.trained: list[int] = []

    def act(
        self, observations: NDArray[np.float32], masks: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        assert masks[:, 2].all()
        return np.full(len(masks), 2, dtype=np.int64), np.zeros(len(masks), dtype=np.float32)

    def train(self, steps: Steps) -> NDArray[np.float32]:
        self.trained.append(len(steps.rewards))
        return steps.rewards


def walk(settings: Settings, policy: Rightwards | None) -> Walk:
    lattice, features, observer = (
        Lattice(SPACE),
        SpaceFeatures(matmul_task(), SPACE),
        Observer(matmul_task(), SPACE),
    )
    model, rng = KnownScores(settings, 0), np.random.default_rng(0)
    walker = Walker(lattice, features, observer, model, cast(MovePolicy | None, policy), settings, rng)
    return walker.walk([(0, place) for _ in range(8) for place in (0, 1)])


def farthest(walked: Walk, place: int) -> int:
    return max(x for x, at in walked.scores if at == place)


def test_tracks_that_gain_nothing_are_dropped_first() -> None:
    policy = Rightwards()
    settings = replace(Settings(), stop_every=3, drop_share=0.5, least_tracks=8, train_every=2)
    walked = walk(settings, policy)
    # 16 tracks, then the 8 on the slope, then 4: fewer than 8, the end.
    assert (farthest(walked, 0), farthest(walked, 1)) == (3, 6)
    assert walked.dropped == 8 + 4
    # Every step is learned from once, what is left over before a dropping too.
    assert policy.trained == [32, 16, 16, 8]
    assert walked.updates == 4


# 16, 12, 9, 7, 6 (a quarter, rounded down), 5, 4; 16, 2, 1; at least one goes: 16, 15.
@pytest.mark.parametrize(("share", "least", "stretches"), [(0.25, 4, 7), (0.9, 1, 3), (0.0, 15, 2)])
def test_the_walk_ends_when_fewer_than_the_least_are_left(share: float, least: int, stretches: int) -> None:
    settings = replace(Settings(), stop_every=3, drop_share=share, least_tracks=least)
    assert farthest(walk(settings, Rightwards()), 1) == 3 * stretches


def test_a_fixed_length_drops_nothing() -> None:
    settings = replace(Settings(), adaptive_stopping=False, episode_length=7)
    walked = walk(settings, Rightwards())
    assert (farthest(walked, 0), farthest(walked, 1), walked.dropped) == (7, 7, 0)


def test_a_random_walk_is_stopped_by_its_rewards() -> None:
    walked = walk(replace(Settings(), stop_every=5, least_tracks=8), None)
    assert walked.updates == 0
    assert walked.dropped == 8 + 4


def test_going_down_and_up_again_earns_nothing() -> None:
    class ToAndFro(Rightwards):
        """Between two values of x; notes what it earned."""

        def __init__(self) -> None:
            super().__init__()
            self.earned: list[NDArray[np.float32]] = []

        def act(
            self, observations: NDArray[np.float32], masks: NDArray[np.bool_]
        ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            actions = np.full(len(masks), 2 if not masks[:, 1].all() else 1, dtype=np.int64)
            return actions, np.zeros(len(masks), dtype=np.float32)

        def train(self, steps: Steps) -> NDArray[np.float32]:
            self.earned.append(steps.rewards)
            return steps.rewards

    policy = ToAndFro()
    walked = walk(replace(Settings(), adaptive_stopping=False, episode_length=8), policy)
    assert np.abs(np.concatenate(policy.earned)).max() > 0.05
    assert abs(float(np.concatenate(policy.earned).sum())) < 1e-4
    assert walked.reached == pytest.approx(1.0)
