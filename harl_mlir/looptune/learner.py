"""Learns a policy from walks through the nests of many problems: PPO (arXiv 1707.06347), masked."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from harl_mlir.looptune.actions import PRODUCT, Configuration
from harl_mlir.looptune.demonstrations import demonstration
from harl_mlir.looptune.network import Floats, LayeredActorCritic
from harl_mlir.looptune.observation import width
from harl_mlir.looptune.sampling import approach, bare, draw
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.looptune.tracks import Estimates, Problem, Tracks
from harl_mlir.search.ppo import PPO
from harl_mlir.search.steps import Steps, joined
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
        plain_share: share of the walks that start from the plain nest and go where the policy does.
        shown_share: share of the walks that are shown the way to a good nest: as in self-imitation learning
            (arXiv 1806.05635) they teach as far as they end better than the critic expects.
        minibatch: steps of one gradient.
        trace: lambda of generalised advantage estimation (arXiv 1506.02438).
        others: see `harl_mlir.search.settings.Settings`.
    """

    problems: int = 8
    tracks: int = 24
    plain_share: float = 0.5
    shown_share: float = 0.25
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
    """What the walks of an update came to, as means: the share where they ended, the best on the way."""

    last: float
    best: float
    steps: float


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
        count = min(settings.problems, len(self._problems))
        chosen = self._rng.choice(len(self._problems), count, replace=False, p=self._chances)
        self._walked = [self._problems[number] for number in chosen for _ in range(settings.tracks)]
        shown = self._shown(estimates, good)
        tracks = Tracks(self._walked, self._configuration, estimates, self._starts(shown, good))
        parts: list[Steps] = []
        numbers: list[NDArray[np.int64]] = []
        while not tracks.is_over:
            numbers.append(tracks.alive)
            observations, masks = tracks.look()
            actions, log_probabilities = self.policy.act(observations, masks)
            self._show(shown, len(parts), tracks.alive, observations, masks, actions, log_probabilities)
            rewards = tracks.move(actions)
            parts.append(Steps(observations, masks, actions, log_probabilities, rewards, observations))
        self._learn(parts, numbers)
        self._nests = tracks.nests
        plain = np.arange(len(self._walked)) % settings.tracks < self._plain
        steps = sum(len(part) for part in numbers) / len(self._walked)
        return Progress(float(tracks.shares[plain].mean()), float(tracks.best[plain].mean()), steps)

    @property
    def _plain(self) -> int:
        """How many of the walks of a problem start from the plain nest."""
        return round(self._settings.plain_share * self._settings.tracks)

    def _shown(self, estimates: Estimates, good: Sequence[str]) -> dict[int, list[int]]:
        """The actions of the walks that are shown, by their numbers; only *product* has such."""
        if self._configuration is not PRODUCT:
            return {}
        rng = random.Random(int(self._rng.integers(1 << 62)))
        first = round((1 - self._settings.shown_share) * self._settings.tracks)
        found = {}
        for number, problem in enumerate(self._walked):
            if number % self._settings.tracks >= first:
                actions = demonstration(problem, good, estimates, rng)
                if actions is not None:
                    found[number] = actions
        return found

    def _show(
        self,
        shown: Mapping[int, Sequence[int]],
        step: int,
        alive: NDArray[np.int64],
        observations: Floats,
        masks: NDArray[np.bool_],
        actions: NDArray[np.int64],
        log_probabilities: Floats,
    ) -> None:
        """Put the actions that are shown in the place of the policy's own."""
        rows = [row for row, number in enumerate(alive.tolist()) if number in shown]
        if rows:
            actions[rows] = [shown[int(alive[row])][step] for row in rows]
            all_ = self.policy.log_probabilities(observations[rows], masks[rows])
            log_probabilities[rows] = all_[np.arange(len(rows)), actions[rows]]

    def _starts(self, shown: Mapping[int, object], good: Sequence[str]) -> list[WalkState]:
        rng = random.Random(int(self._rng.integers(1 << 62)))
        states = []
        for number, (_, rules) in enumerate(self._walked):
            state = start(rules.op.dims)
            place = number % self._settings.tracks
            if self._plain <= place and number not in shown:
                nest = _far_start(rules, good, rng, self._configuration)
                state = WalkState(nest, rng.randrange(len(nest.loops))) if nest else state
            states.append(state)
        return states

    def reached(self) -> list[tuple[str, LoopNest]]:
        """The best nest of each walk of the last update, with its workload key."""
        return [(task.key, nest) for (task, _), nest in zip(self._walked, self._nests, strict=True)]

    def _learn(self, parts: Sequence[Steps], numbers: Sequence[NDArray[np.int64]]) -> None:
        advantages, returns = self._advantages(parts, numbers)
        steps = joined(parts)
        for _ in range(self._settings.epochs):
            order = self._rng.permutation(len(steps.actions))
            for begin in range(0, len(order), self._settings.minibatch):
                rows = order[begin : begin + self._settings.minibatch]
                part = replace(steps, **{f.name: getattr(steps, f.name)[rows] for f in fields(Steps)})
                self.policy.update(part, returns[rows], advantages[rows])

    def _advantages(
        self, parts: Sequence[Steps], numbers: Sequence[NDArray[np.int64]]
    ) -> tuple[Floats, Floats]:
        """Generalised advantages and returns of all steps; a walk that is over has the value 0."""
        settings = self._settings
        later = np.zeros(len(self._walked), dtype=np.float32)
        value_after = np.zeros_like(later)
        advantages: list[Floats] = []
        returns: list[Floats] = []
        for part, alive in zip(reversed(parts), reversed(numbers), strict=True):
            values = self.policy.values(part.observations)
            error = part.rewards + settings.discount * value_after[alive] - values
            later[alive] = error + settings.discount * settings.trace * later[alive]
            value_after[alive] = values
            advantages.append(later[alive])
            returns.append(later[alive] + values)
        return np.concatenate(advantages[::-1]), np.concatenate(returns[::-1])
