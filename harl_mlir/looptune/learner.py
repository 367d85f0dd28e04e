"""Learns a policy from walks through the nests of many problems: PPO (arXiv 1707.06347), masked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from harl_mlir.looptune.actions import Configuration
from harl_mlir.looptune.demonstrations import demonstration
from harl_mlir.looptune.network import LayeredActorCritic
from harl_mlir.looptune.observation import width
from harl_mlir.looptune.rollout import roll_out
from harl_mlir.looptune.sampling import approach, bare, draw
from harl_mlir.looptune.shares import Estimates, Problem
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.looptune.tracks import Masks, Tracks
from harl_mlir.search.flat_weights import Floats
from harl_mlir.search.ppo import PPO
from harl_mlir.search.steps import Steps
from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules

HIDDEN = 256
_NEAR = 0.7
"""Of the starts that are not plain, the share near good nests."""
_MOST_MOVES = 10


@dataclass(frozen=True)
class LearnerSettings:
    """Constants of the learner.

    Attributes:
        problems, tracks: of an update: how many problems, and walks of each side by side.
        plain_share: share of the walks that start from the plain nest.
        shown: problems of a round of walks that are shown.
        minibatch: steps of one gradient.
        trace: lambda of generalised advantage estimation (arXiv 1506.02438).
        others: see `harl_mlir.search.settings.Settings`.
    """

    problems: int = 8
    tracks: int = 24
    plain_share: float = 0.5
    shown: int = 64
    minibatch: int = 1024
    trace: float = 0.95
    actor_learning_rate: float = 5e-4
    critic_learning_rate: float = 5e-4
    discount: float = 1.0
    clip: float = 0.2
    critic_weight: float = 0.5
    entropy_weight: float = 0.02
    epochs: int = 3
    gradient_clip: float = 0.5


def _far_start(
    rules: NestRules, good: Sequence[str], rng: random.Random, configuration: Configuration
) -> LoopNest | None:
    """A nest without marks near a good one of another problem, or a random one."""
    moves = rng.randint(0, _MOST_MOVES)
    nest = approach(rng.choice(good), rules, rng, moves) if good and rng.random() < _NEAR else None
    nest = nest or bare(draw(rules, rng))
    return nest if nest.loops and len(nest.loops) <= configuration.most_loops else None


@dataclass(frozen=True)
class Progress:
    """What walks came to, as means: the share where they ended, the best on the way, how many steps."""

    last: float
    best: float
    length: float


def new_policy(configuration: Configuration, settings: LearnerSettings, seed: int) -> PPO:
    """A policy that has learned nothing yet."""
    rng = np.random.default_rng(seed)
    network = LayeredActorCritic(width(configuration), len(configuration.actions), HIDDEN, rng)
    return PPO(network, settings, rng)


class Learner:
    """Walks through nests of random problems and improves its policy.

    Attributes:
        policy: what has been learned.
    """

    def __init__(
        self,
        configuration: Configuration,
        problems: Sequence[Problem],
        weights: Sequence[float],
        settings: LearnerSettings,
        seed: int,
    ) -> None:
        self._configuration = configuration
        self._problems = problems
        self._chances = np.array(weights) / sum(weights)
        self._settings = settings
        self._seed = seed
        self._rng = np.random.default_rng((seed, 1))
        self.policy = new_policy(configuration, settings, seed)
        self._walked: list[Problem] = []
        self._nests: list[LoopNest] = []

    def state(self) -> dict[str, Floats]:
        """What `go_on` needs."""
        return self.policy.state()

    def go_on(self, state: Mapping[str, Floats], stretch: int) -> None:
        """Go on from a state; what is drawn from here on follows from the seed and the stretch's number."""
        self._rng = np.random.default_rng((self._seed, 1, stretch))
        self.policy.set_state(state, np.random.default_rng((self._seed, 2, stretch)))

    def update(self, estimates: Estimates, good: Sequence[str] = ()) -> Progress:
        """One round of walks, and what is learned from them.

        Some start near nests that are known to be `good` elsewhere, some anywhere: from the plain nest alone
        the policy would settle for what is good after few steps. Progress is that of walks from the plain
        nest.
        """
        settings = self._settings
        chosen = self._drawn(settings.problems)
        self._walked = [problem for problem in chosen for _ in range(settings.tracks)]
        tracks = Tracks(self._walked, self._configuration, estimates, self._starts(good))
        rollout = roll_out(tracks, self.policy.act)
        advantages, returns = rollout.advantages(self.policy.values, settings.discount, settings.trace)
        steps = rollout.steps
        for rows in self._minibatches(len(returns)):
            self.policy.update(_rows(steps, rows), returns[rows], advantages[rows])
        self._nests = tracks.nests
        plain = np.arange(len(self._walked)) % settings.tracks < self._plain
        return Progress(float(tracks.shares[plain].mean()), float(tracks.best[plain].mean()), rollout.length)

    def imitate(self, estimates: Estimates, good: Sequence[str]) -> Progress:
        """Learn from walks that are shown: the ways to what was good elsewhere and is expected to be here.

        Where there is no such way nothing is learned.
        """
        rng = random.Random(int(self._rng.integers(1 << 62)))
        ways: list[list[int]] = []
        self._walked = []
        for problem in self._drawn(self._settings.shown):
            way = demonstration(problem, good, estimates, rng)
            if way is not None:
                ways.append(way)
                self._walked.append(problem)
        if not ways:
            self._nests = []
            return Progress(0.0, 0.0, 0.0)
        tracks = Tracks(self._walked, self._configuration, estimates)
        taken = 0

        def shown(observations: Floats, masks: Masks) -> tuple[NDArray[np.int64], Floats]:
            nonlocal taken
            actions = np.array([ways[number][taken] for number in tracks.alive.tolist()])
            taken += 1
            chances = self.policy.log_probabilities(observations, masks)
            return actions, chances[np.arange(len(actions)), actions]

        rollout = roll_out(tracks, shown)
        # All of a walk counts for what it came to: the critic, too, is to learn where the ways lead.
        _, returns = rollout.advantages(lambda rows: np.zeros(len(rows), np.float32), 1.0, 1.0)
        steps = rollout.steps
        for rows in self._minibatches(len(returns)):
            self.policy.imitate(_rows(steps, rows), returns[rows])
        self._nests = tracks.nests
        return Progress(float(tracks.shares.mean()), float(tracks.best.mean()), rollout.length)

    def reached(self) -> list[tuple[str, LoopNest]]:
        """The best nest of each walk of the last round, with its workload key."""
        return [(task.key, nest) for (task, _), nest in zip(self._walked, self._nests, strict=True)]

    def _drawn(self, count: int) -> list[Problem]:
        count = min(count, len(self._problems))
        chosen = self._rng.choice(len(self._problems), count, replace=False, p=self._chances)
        return [self._problems[number] for number in chosen]

    @property
    def _plain(self) -> int:
        """How many of the walks of a problem start from the plain nest."""
        return round(self._settings.plain_share * self._settings.tracks)

    def _starts(self, good: Sequence[str]) -> list[WalkState]:
        rng = random.Random(int(self._rng.integers(1 << 62)))
        states = []
        for number, (_, rules) in enumerate(self._walked):
            state = start(rules.op.dims)
            if number % self._settings.tracks >= self._plain:
                nest = _far_start(rules, good, rng, self._configuration)
                state = WalkState(nest, rng.randrange(len(nest.loops))) if nest else state
            states.append(state)
        return states

    def _minibatches(self, count: int) -> Iterator[NDArray[np.int64]]:
        for _ in range(self._settings.epochs):
            order = self._rng.permutation(count)
            for begin in range(0, count, self._settings.minibatch):
                yield order[begin : begin + self._settings.minibatch]


def _rows(steps: Steps, rows: NDArray[np.int64]) -> Steps:
    return replace(steps, **{f.name: getattr(steps, f.name)[rows] for f in fields(Steps)})
