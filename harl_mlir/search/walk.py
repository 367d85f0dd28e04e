"""Many tracks walking through a space at once, rewarded by what the cost model thinks of each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harl_mlir.search.cost_model import CostModel, Scores
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice, State, States
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps, joined

if TYPE_CHECKING:  # importing torch takes seconds
    from harl_mlir.search.ppo import PPO


@dataclass(frozen=True)
class Walk:
    """Every state visited with its score, in the order visited, and how often the policy learned."""

    scores: dict[State, float]
    updates: int


class Walker:
    """Modifies candidates of one space side by side, one decision of each at a time.

    Without a policy the moves are uniform among the legal ones.
    """

    def __init__(
        self,
        lattice: Lattice,
        features: SpaceFeatures,
        model: CostModel,
        policy: PPO | None,
        settings: Settings,
        rng: np.random.Generator,
    ) -> None:
        self._lattice = lattice
        self._features = features
        self._model = model
        self._policy = policy
        self._settings = settings
        self._rng = rng

    def walk(self, starts: list[State]) -> Walk:
        """Walk a track from each of the legal `starts` (at least one), training the policy on the way.

        A step from s to s' earns the relative gain of the model's score, (C(s') - C(s)) / C(s),
        bounded by the settings.
        """
        states = self._lattice.rows(starts)
        scores = self._score(states)
        visited: dict[State, float] = {}
        _visit(visited, states, scores)
        window: list[Steps] = []
        updates = 0
        # All tracks are equally long. Adaptive stopping would drop tracks after an update, by the
        # advantages that training returns.
        for number in range(1, self._settings.episode_length + 1):
            step, states, scores = self._step(states, scores)
            _visit(visited, states, scores)
            window.append(step)
            if self._policy is not None and number % self._settings.train_every == 0:
                self._policy.train(joined(window))
                window.clear()
                updates += 1
        return Walk(visited, updates)

    def _step(self, states: States, scores: Scores) -> tuple[Steps, States, Scores]:
        masks = self._lattice.mask(states)
        observations = self._features.observations(states)
        if self._policy is None:
            actions = np.where(masks, self._rng.random(masks.shape), -1.0).argmax(axis=1)
            log_probabilities = np.zeros(len(actions), dtype=np.float32)
        else:
            actions, log_probabilities = self._policy.act(observations, masks)
        moved = self._lattice.move(states, actions)
        moved_scores = self._score(moved)
        bound = self._settings.reward_clip
        rewards = np.clip((moved_scores - scores) / scores, -bound, bound)
        next_observations = self._features.observations(moved)
        steps = Steps(observations, masks, actions, log_probabilities, rewards, next_observations)
        return steps, moved, moved_scores

    def _score(self, states: States) -> Scores:
        return self._model.scores(self._features.model_rows(states))


def _visit(visited: dict[State, float], states: States, scores: Scores) -> None:
    visited.update(zip(map(tuple, states.tolist()), scores.tolist(), strict=True))
