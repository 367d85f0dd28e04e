"""Walks with a trained policy: from the nest of an op as it came to good nests, without measuring."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from harl_mlir.looptune.actions import PRODUCT, Configuration
from harl_mlir.looptune.estimate import Estimate
from harl_mlir.looptune.learner import LearnerSettings, new_policy
from harl_mlir.looptune.tracks import Tracks
from harl_mlir.looptune.weights import Weights
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.tasks.task import Task

TRACKS = 8
"""Walks side by side: one takes the likeliest action at every step, the others draw."""
_KEPT = 16


@dataclass(frozen=True)
class Step:
    """A step of a walk: the action, the state after it, the realised nest's estimated share of the peak."""

    action: str
    nest: LoopNest
    cursor: int
    estimate: float


@dataclass(frozen=True)
class Walk:
    """What walks through the nests of a task came to.

    Attributes:
        start: of the nest as it came.
        steps: of the walk that always took the likeliest action.
        best: distinct nests of all walks, ready to be scheduled, the greatest estimate first.
        estimates: theirs.
        visited: how many states the walks went through, each counted as often as they did.
    """

    start: Step
    steps: tuple[Step, ...]
    best: tuple[LoopNest, ...]
    estimates: tuple[float, ...]
    visited: int


def walk(
    task: Task,
    rules: NestRules,
    weights: Weights,
    configuration: Configuration = PRODUCT,
    tracks: int = TRACKS,
    seed: int = 0,
) -> Walk:
    """Walk from the plain nest of a task; the same seed gives the same walk."""
    estimate = Estimate(weights.trees, this_processor())
    policy = new_policy(configuration, LearnerSettings(), seed)
    policy.set_weights(weights.policies[configuration.name])
    walks = Tracks([(task, rules)] * tracks, configuration, estimate)
    start = Step("start", walks.states[0].nest, 0, float(walks.shares[0]))
    steps: list[Step] = []
    visited = tracks
    while not walks.is_over:
        observations, masks = walks.look()
        actions = policy.act(observations, masks)[0]
        visited += len(actions)
        likeliest = walks.alive[0] == 0
        if likeliest:
            actions[0] = policy.best_actions(observations[:1], masks[:1])[0]
        walks.move(actions)
        if likeliest:
            state, name = walks.states[0], configuration.actions[int(actions[0])].name
            steps.append(Step(name, state.nest, state.cursor, float(walks.shares[0])))
    best = heapq.nlargest(_KEPT, estimate.known(task).items(), key=lambda item: item[1])
    return Walk(
        start,
        tuple(steps),
        tuple(nest for nest, _ in best),
        tuple(share for _, share in best),
        visited,
    )
