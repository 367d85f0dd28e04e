"""What the steps of walks are worth."""

from __future__ import annotations

import numpy as np

from harl_mlir.looptune.actions import PRODUCT
from harl_mlir.looptune.rollout import Rollout, roll_out
from harl_mlir.looptune.tracks import Tracks
from harl_mlir.search.steps import Steps
from tests.looptune.landscapes import Told, matmul_problem


def steps(rewards: list[float]) -> Steps:
    rng = np.random.default_rng(len(rewards))
    seen = rng.normal(size=(len(rewards), 3)).astype(np.float32)
    masks = np.ones((len(rewards), 2), dtype=np.bool_)
    actions = np.zeros(len(rewards), dtype=np.int64)
    nothing = np.zeros(len(rewards), dtype=np.float32)
    return Steps(seen, masks, actions, nothing, np.array(rewards, dtype=np.float32), seen)


def test_advantages_by_hand() -> None:
    """Two walks: the first takes three steps, the second stops with its first."""
    parts = [steps([1.0, 4.0]), steps([2.0]), steps([0.5])]
    worth = {id(part.observations): v for part, v in zip(parts, ([0.3, 1.0], [0.6], [0.2]), strict=True)}
    rollout = Rollout(2, parts, [np.array([0, 1]), np.array([0]), np.array([0])])
    advantages, returns = rollout.advantages(lambda rows: np.array(worth[id(rows)], np.float32), 0.9, 0.5)
    third = 0.5 - 0.2
    second = 2 + 0.9 * 0.2 - 0.6 + 0.45 * third
    first = 1 + 0.9 * 0.6 - 0.3 + 0.45 * second
    np.testing.assert_allclose(advantages, [first, 4 - 1, second, third], rtol=1e-6)
    np.testing.assert_allclose(returns, [first + 0.3, 4, second + 0.6, third + 0.2], rtol=1e-6)
    assert rollout.length == 2.0


def test_walks_are_taken_to_their_ends() -> None:
    stop = [action.name for action in PRODUCT.actions].index("stop")
    tracks = Tracks([matmul_problem(4, 16, 8)] * 2, PRODUCT, Told())

    def one_stops(rows: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        actions = masks.argmax(axis=1)
        if len(rows) == 2:
            actions[1] = stop
        return actions, np.zeros(len(rows), np.float32)

    rollout = roll_out(tracks, one_stops)
    assert [len(numbers) for numbers in rollout.numbers] == [2] + [1] * (PRODUCT.steps - 1)
    assert len(rollout.steps.rewards) == PRODUCT.steps + 1
