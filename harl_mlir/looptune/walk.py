"""Walks with a trained policy: from the nest of an op as it came to good nests, without measuring."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from harl_mlir.looptune.actions import PRODUCT, Configuration
from harl_mlir.looptune.estimate import Estimate
from harl_mlir.looptune.learner import LearnerSettings, new_policy
from harl_mlir.looptune.sampling import transfer
from harl_mlir.looptune.tracks import Tracks
from harl_mlir.looptune.weights import Weights
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import legal_moves
from harl_mlir.tasks.task import Task

TRACKS = 8
"""Walks side by side: one takes the likeliest action at every step, the others draw."""
_HOTTEST = 2.0
"""The temperature of the walk that draws most freely; that of the first is 1."""
_KEPT = 16
_POLISHED = 3
"""Best nests from which there may be better ones by the estimate."""
_LEAST_GAIN = 1e-4
BY_ESTIMATE = "by estimate"
"""What a step of that is called in place of an action."""


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
        polish: of *product*, steps from one of the best nests to its best neighbour by the estimate, until
            none is better: the ones that led furthest. What was best for problems of the training counts
            as seen, too. Both take milliseconds, and help where the policy does not know its way.
        best: distinct nests of all walks, ready to be scheduled, the greatest estimate first.
        estimates: theirs.
        visited: how many nests were looked at: states of the walks, each as often as they came there, and
            neighbours, and those remembered.
    """

    start: Step
    steps: tuple[Step, ...]
    polish: tuple[Step, ...]
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
    temperatures = np.linspace(1.0, _HOTTEST, tracks, dtype=np.float32)
    while not walks.is_over:
        observations, masks = walks.look()
        actions = policy.act(observations, masks, temperatures[walks.alive])[0]
        visited += len(actions)
        likeliest = walks.alive[0] == 0
        if likeliest:
            actions[0] = policy.best_actions(observations[:1], masks[:1])[0]
        walks.move(actions)
        if likeliest:
            state, name = walks.states[0], configuration.actions[int(actions[0])].name
            steps.append(Step(name, state.nest, state.cursor, float(walks.shares[0])))
    polish: tuple[Step, ...] = ()
    if configuration is PRODUCT:
        remembered = [nest for text in weights.nests if (nest := transfer(text, rules))]
        if remembered:
            estimate(task, rules, remembered)
        polish, neighbours = _polish(task, rules, estimate)
        visited += len(remembered) + neighbours
    best = heapq.nlargest(_KEPT, estimate.known(task).items(), key=lambda item: item[1])
    return Walk(
        start,
        tuple(steps),
        polish,
        tuple(nest for nest, _ in best),
        tuple(share for _, share in best),
        visited,
    )


def _polish(task: Task, rules: NestRules, estimate: Estimate) -> tuple[tuple[Step, ...], int]:
    """The steps along the estimate that led furthest, and how many neighbours were looked at."""
    ways: list[tuple[float, list[Step]]] = []
    looked_at = 0
    starts = heapq.nlargest(_POLISHED, estimate.known(task).items(), key=lambda item: item[1])
    for nest, share in starts:
        way: list[Step] = []
        while neighbours := legal_moves(nest, rules):
            shares = estimate(task, rules, neighbours)
            looked_at += len(neighbours)
            best = int(shares.argmax())
            if shares[best] <= share + _LEAST_GAIN:
                break
            nest, share = neighbours[best], float(shares[best])
            way.append(Step(BY_ESTIMATE, nest, 0, share))
        ways.append((share, way))
    return tuple(max(ways, key=lambda found: found[0])[1]), looked_at
