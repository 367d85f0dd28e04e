"""The learner: it solves what can be solved, and its numbers are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harl_mlir.looptune.actions import PAPER, PRODUCT
from harl_mlir.looptune.learner import Learner, LearnerSettings, new_policy
from harl_mlir.looptune.observation import width
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.looptune.tracks import Tracks
from harl_mlir.looptune.walk import TRACKS
from tests.looptune.landscapes import Told, matmul_problem, vector_in_sum

SHORT = replace(PRODUCT, steps=6)
PROBLEMS = [matmul_problem(4, 16, 8), matmul_problem(8, 32, 4)]
SMALL = LearnerSettings(
    problems=2,
    tracks=16,
    plain_share=1.0,
    minibatch=64,
    actor_learning_rate=1e-3,
    entropy_weight=0.05,
)
GOOD = ["0/2 2/1 0/1u 1/1v", "2/1 0/1u 1/1v", "0/1 1/1 2/1v"]


def learner(settings: LearnerSettings = SMALL, seed: int = 0) -> Learner:
    return Learner(SHORT, PROBLEMS, [1.0, 1.0], settings, seed)


def trained(settings: LearnerSettings, updates: int, seed: int = 0) -> tuple[float, float]:
    """Means of the last five updates: the share where walks end, and the best on the way."""
    made = learner(settings, seed)
    progress = [made.update(Told()) for _ in range(updates)][-5:]
    return float(np.mean([p.last for p in progress])), float(np.mean([p.best for p in progress]))


@pytest.mark.parametrize("seed", range(2))
def test_finds_a_nest_that_takes_three_right_steps(seed: int) -> None:
    last, best = trained(SMALL, 40, seed)
    assert best > 0.9
    assert last > 0.85


def test_without_learning_walks_stay_behind() -> None:
    last, best = trained(replace(SMALL, actor_learning_rate=0.0, critic_learning_rate=0.0), 10)
    assert best < 0.4
    assert last < best


def test_what_was_reached_are_the_best_nests_of_the_walks() -> None:
    made = learner()
    best = made.update(Told()).best
    found = made.reached()
    assert len(found) == SMALL.problems * SMALL.tracks
    rules_of = {task.key: rules for task, rules in PROBLEMS}
    assert np.mean([vector_in_sum(rules_of[key], nest) for key, nest in found]) == pytest.approx(best)


def test_some_walks_start_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight walks of each problem four start from the plain nest, and progress is theirs."""
    made = Learner(PRODUCT, PROBLEMS, [1.0, 1.0], replace(SMALL, tracks=8, plain_share=0.5), 0)
    starts: list[WalkState] = []

    class Seen(Tracks):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)
            starts.extend(self.states)

    monkeypatch.setattr("harl_mlir.looptune.learner.Tracks", Seen)
    progress = made.update(Told(), GOOD)
    rules_of = {task.key: rules for task, rules in PROBLEMS}
    far, best = 0, []
    for number, ((key, nest), state) in enumerate(zip(made.reached(), starts, strict=True)):
        rules = rules_of[key]
        if number % 8 < 4:
            assert state == start(rules.op.dims)
            best.append(vector_in_sum(rules, nest))
        else:
            assert rules.is_legal(state.nest)
            assert not state.nest.marked
            assert 0 <= state.cursor < len(state.nest.loops)
            far += state != start(rules.op.dims)
    assert far >= 4
    assert progress.best == pytest.approx(np.mean(best))


def test_what_is_shown_is_learned() -> None:
    """Three actions of 26 in the right order, which nobody finds in a few updates, are copied."""
    shares = []
    for rounds in (0, 40):
        made = Learner(PRODUCT, PROBLEMS, [1.0, 1.0], SMALL, 0)
        for _ in range(rounds):
            progress = made.imitate(Told(), [*GOOD, "0/1 2/1 1/1v"])
            assert (progress.last, progress.best) == (1.0, 1.0)
            assert {nest.text() for _, nest in made.reached()} == {"0/1 2/1 1/1v"}
        shares.append(made.update(Told()).best)
    assert shares[1] > 0.6 > 0.5 > shares[0]


def test_where_nothing_can_be_shown_nothing_is_learned() -> None:
    made = Learner(PRODUCT, PROBLEMS, [1.0, 1.0], SMALL, 0)
    before = made.state()["weights"].copy()
    for good in ([], ["3/1"]):
        assert made.imitate(Told(), good).best == 0
        assert made.reached() == []
    np.testing.assert_array_equal(made.state()["weights"], before)


def test_problems_of_no_weight_are_not_drawn() -> None:
    made = Learner(SHORT, PROBLEMS, [0.0, 1.0], replace(SMALL, problems=1), 0)
    for _ in range(3):
        made.update(Told())
        assert {key for key, _ in made.reached()} == {PROBLEMS[1][0].key}


def test_the_seed_decides_everything() -> None:
    found = []
    for seed in (3, 3, 4):
        made = learner(seed=seed)
        found.append(([made.update(Told()) for _ in range(3)], made.state()["weights"]))
    assert found[0][0] == found[1][0] != found[2][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])


def test_goes_on_from_a_state_as_if_it_had_never_been_left() -> None:
    first = learner()
    first.update(Told())
    state = {name: array.copy() for name, array in first.state().items()}
    first.go_on(state, 1)
    second = learner()
    second.go_on(state, 1)
    other = learner()
    other.go_on(state, 2)
    progress = [[made.update(Told()) for _ in range(2)] for made in (first, second, other)]
    assert progress[0] == progress[1] != progress[2]
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[name])


def test_policies_are_as_wide_as_what_they_see() -> None:
    for configuration in (PAPER, PRODUCT):
        policy = new_policy(configuration, LearnerSettings(), 0)
        masks = np.ones((TRACKS, len(configuration.actions)), dtype=np.bool_)
        actions, _ = policy.act(np.zeros((TRACKS, width(configuration)), np.float32), masks)
        assert actions.shape == (TRACKS,)
