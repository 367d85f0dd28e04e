"""Walks with trained weights."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.looptune.actions import CONFIGURATIONS, PAPER, Configuration, successors
from harl_mlir.looptune.estimate import Estimate
from harl_mlir.looptune.learner import LearnerSettings, new_policy
from harl_mlir.looptune.observation import observe
from harl_mlir.looptune.state import WalkState
from harl_mlir.looptune.walk import Walk, walk
from harl_mlir.looptune.weights import Weights, load
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.nest import plain_nest
from harl_mlir.space.nest.space import legal_moves
from harl_mlir.tasks.task import Task
from tests.looptune.landscapes import matmul_problem
from tests.looptune.problems import CONV, rules_of

MATMUL, _ = matmul_problem(80, 64, 64)
each_task = pytest.mark.parametrize("task", [MATMUL, CONV], ids=["matmul", "conv"])
each_configuration = pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda c: str(c.name))


@pytest.fixture(scope="module")
def weights(weights_directory: Path) -> Weights:
    return load(weights_directory)


def greedy(task: Task, weights: Weights, configuration: Configuration) -> list[tuple[str, WalkState]]:
    """The likeliest action of every step, step by step."""
    rules, policy = rules_of(task), new_policy(configuration, LearnerSettings(), 9)
    policy.set_weights(weights.policies[configuration.name])
    state, found = WalkState(plain_nest(task.anchor_op.dims), 0), []
    for left in range(configuration.steps, 0, -1):
        after = successors(state, configuration, rules)
        seen = observe(state, task, rules, configuration, left)
        action = int(policy.best_actions(seen[None], np.array([[made is not None for made in after]]))[0])
        moved = after[action]
        assert moved is not None
        state = moved
        found.append((configuration.actions[action].name, state))
        if found[-1][0] == "stop":
            break
    return found


@each_task
@each_configuration
def test_a_walk(task: Task, weights: Weights, configuration: Configuration) -> None:
    rules = rules_of(task)
    found = walk(task, rules, weights, configuration)
    estimate = Estimate(weights.trees, this_processor())

    def told(walked: Walk) -> list[float]:
        states = [walked.start, *walked.steps]
        return estimate(task, rules, [configuration.realised(s.nest, rules) for s in states]).tolist()

    assert found.start.nest == plain_nest(task.anchor_op.dims)
    assert [found.start.estimate, *(step.estimate for step in found.steps)] == told(found)
    assert [(step.action, WalkState(step.nest, step.cursor)) for step in found.steps] == greedy(
        task, weights, configuration
    )
    assert 1 <= len(found.best) == len(found.estimates) <= found.visited
    assert len(set(found.best)) == len(found.best)
    assert list(found.estimates) == sorted(found.estimates, reverse=True)
    assert list(found.estimates) == estimate(task, rules, found.best).tolist()
    assert all(rules.is_legal(nest) for nest in found.best)
    assert max(told(found)) <= found.estimates[0]
    rising = [step.estimate for step in found.polish]
    assert rising == sorted(rising)
    assert rising == estimate(task, rules, [step.nest for step in found.polish]).tolist()
    assert all(after.nest in legal_moves(before.nest, rules) for before, after in pairwise(found.polish))
    if configuration is PAPER:
        assert len(found.steps) == PAPER.steps
        assert not found.polish
    else:
        # No neighbour of the best is better.
        around = estimate(task, rules, legal_moves(found.best[0], rules))
        assert around.max() <= found.estimates[0] + 1e-4


@each_configuration
def test_the_seed_decides_everything(weights: Weights, configuration: Configuration) -> None:
    rules = rules_of(MATMUL)
    first, again, other = (walk(MATMUL, rules, weights, configuration, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    # What the likeliest actions are does not depend on what the other walks draw.
    assert [(step.action, step.nest) for step in first.steps] == [
        (step.action, step.nest) for step in other.steps
    ]


def test_one_track_is_the_likeliest_walk_alone(weights: Weights) -> None:
    rules = rules_of(MATMUL)
    found = walk(MATMUL, rules, weights, PAPER, tracks=1)
    walked = [found.start.nest, *(step.nest for step in found.steps)]
    assert set(found.best) <= {PAPER.realised(nest, rules) for nest in walked}
    assert found.visited == len(walked)


def test_what_was_best_elsewhere_counts_as_seen(weights: Weights) -> None:
    rules = rules_of(MATMUL)
    told = "0/8 1/16 2/1 0/1u 1/1v", "7/1", "nothing"
    found = walk(MATMUL, rules, replace(weights, nests=told))
    without = walk(MATMUL, rules, weights)
    assert not weights.nests
    assert found.visited > without.visited
    assert found.estimates[0] >= without.estimates[0]
    assert walk(MATMUL, rules, replace(weights, nests=told), PAPER) == walk(MATMUL, rules, weights, PAPER)
