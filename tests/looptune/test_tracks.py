"""Walks side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harl_mlir.looptune.actions import PAPER, PRODUCT, Configuration
from harl_mlir.looptune.observation import width
from harl_mlir.looptune.state import WalkState
from harl_mlir.looptune.tracks import Tracks
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import parse, plain_nest
from tests.looptune.landscapes import Told, matmul_problem, vector_in_sum

SMALL, OTHER = matmul_problem(4, 16, 8), matmul_problem(6, 32, 5)
NAMES = [action.name for action in PRODUCT.actions]


def actions(*names: str) -> np.ndarray:
    return np.array([NAMES.index(name) for name in names])


def moved(tracks: Tracks, *names: str) -> np.ndarray:
    tracks.look()
    return tracks.move(actions(*names))


def test_stop_ends_a_walk_and_no_other() -> None:
    tracks = Tracks([SMALL, OTHER, SMALL], PRODUCT, Told())
    moved(tracks, "down", "stop", "down")
    assert tracks.alive.tolist() == [0, 2]
    observations, masks = tracks.look()
    assert observations.shape == (2, width(PRODUCT))
    assert masks.shape == (2, len(NAMES))
    stood = tracks.states[1]
    tracks.move(actions("swap down", "stop"))
    assert tracks.alive.tolist() == [0]
    assert tracks.states[1] is stood
    assert not tracks.is_over
    moved(tracks, "stop")
    assert tracks.is_over


def test_the_best_nest_is_remembered_not_the_last() -> None:
    told = Told()
    tracks = Tracks([SMALL], PRODUCT, told)
    # m n k -> m k n -> a vector along n.
    moved(tracks, "down")
    moved(tracks, "swap down")
    gained = moved(tracks, "vector")
    assert gained == pytest.approx([0.5])
    assert tracks.best.tolist() == [1.0]
    best = tracks.nests[0]
    assert best.text() == "0/1 2/1 1/1v"
    moved(tracks, "cursor 0")
    lost = moved(tracks, "swap down")
    assert lost == pytest.approx([-0.9])
    assert tracks.states[0].nest.text() == "2/1 0/1 1/1v"
    assert tracks.shares.tolist() == [0.1]
    assert tracks.best.tolist() == [1.0]
    assert tracks.nests[0] is best


def test_an_illegal_action_is_refused() -> None:
    tracks = Tracks([SMALL, OTHER], PRODUCT, Told())
    _, masks = tracks.look()
    assert not masks[1, NAMES.index("up")]
    with pytest.raises(ValueError, match="action up does not apply"):
        tracks.move(actions("down", "up"))


@pytest.mark.parametrize("configuration", [PAPER, PRODUCT], ids=lambda c: str(c.name))
def test_rewards_sum_to_what_the_walk_gained(configuration: Configuration) -> None:
    rng = np.random.default_rng(0)
    problems = [SMALL, OTHER, SMALL, OTHER]
    tracks = Tracks(problems, configuration, Told())
    first, sums, best, steps = tracks.shares.copy(), np.zeros(4), tracks.shares.copy(), 0
    for (_, rules), nest in zip(problems, tracks.nests, strict=True):
        plain = plain_nest(rules.op.dims)
        assert nest == (generated(plain, rules) if configuration is PAPER else plain)
    while not tracks.is_over:
        alive = tracks.alive
        masks = tracks.look()[1]
        sums[alive] += tracks.move(np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]))
        best, steps = np.maximum(best, tracks.shares), steps + 1
    np.testing.assert_allclose(sums, tracks.shares - first, atol=1e-6)
    np.testing.assert_array_equal(tracks.best, best)
    for (_, rules), nest, share in zip(problems, tracks.nests, tracks.best, strict=True):
        assert rules.is_legal(nest)
        assert vector_in_sum(rules, nest) == share
    assert steps <= configuration.steps
    if configuration is PAPER:
        assert steps == PAPER.steps


def test_walks_end_after_the_steps_of_the_configuration() -> None:
    tracks = Tracks([SMALL], replace(PRODUCT, steps=2), Told())
    moved(tracks, "down")
    assert not tracks.is_over
    moved(tracks, "up")
    assert tracks.is_over


def test_walks_start_where_they_are_told_to() -> None:
    rules = SMALL[1]
    states = [WalkState(parse(rules.op.dims, text), 1) for text in ("0/1 2/1 1/1", "2/1 0/2 1/1 0/1")]
    tracks = Tracks([SMALL, SMALL], PRODUCT, Told(), states)
    assert tracks.states == states
    assert tracks.shares.tolist() == tracks.best.tolist() == [0.5, 0.2]
    assert tracks.nests == [state.nest for state in states]
    moved(tracks, "vector", "down")
    assert tracks.states[0] != states[0]
    assert states[0].nest.text() == "0/1 2/1 1/1"
