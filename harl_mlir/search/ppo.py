"""A masked actor-critic learner: proximal policy optimisation (arXiv 1707.06347) in one sitting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.actor_critic import ActorCritic, Floats
from harl_mlir.search.adam import Adam
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps

_FORBIDDEN = np.float32(-1e9)
"""Logit of a masked action: its probability is exactly 0, and the entropy stays finite."""

Masks = NDArray[np.bool_]


class PPO:
    """A policy over the moves of any number of decisions, and a critic.

    Observations are as `ActorCritic` takes them. The advantage of a step is `r + gamma V(s') - V(s)`; tracks
    have no end state. The seed decides everything.
    """

    def __init__(self, situation: int, features: int, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._network = ActorCritic(situation, features, settings.hidden, self._rng)
        rates = np.full_like(self._network.flat, settings.actor_learning_rate)
        of_layers = self._network.views(rates)
        for name in ("value", "value_bias"):
            of_layers[name][:] = settings.critic_learning_rate
        self._adam = Adam(self._network.flat, rates)

    def weights(self) -> dict[str, Floats]:
        """Copies of all weights by name."""
        return {name: weight.copy() for name, weight in self._network.weights.items()}

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Start from weights that `weights` gave. Raises ValueError if they are of another network."""
        self._network.set_weights(weights)

    def act(self, observations: Floats, masks: Masks) -> tuple[NDArray[np.int64], Floats]:
        """Draw a legal action for every row; the actions and their log-probabilities."""
        log_probabilities = _log_softmax(self._network.forward(observations).logits, masks)
        uniform = np.clip(self._rng.random(log_probabilities.shape), 1e-9, 1 - 1e-7)
        # The greatest of log-probability plus Gumbel noise is a draw from the distribution.
        actions = (log_probabilities - np.log(-np.log(uniform))).argmax(axis=1)
        return actions, log_probabilities[np.arange(len(actions)), actions]

    def best_actions(self, observations: Floats, masks: Masks) -> NDArray[np.int64]:
        """The most probable legal action of every row."""
        actions: NDArray[np.int64] = np.where(
            masks, self._network.forward(observations).logits, _FORBIDDEN
        ).argmax(axis=1)
        return actions

    def train(self, steps: Steps) -> Floats:
        """One update from fresh steps; returns their advantages before it."""
        settings, network = self._settings, self._network
        discount = np.float32(settings.discount)
        returns = steps.rewards + discount * network.forward(steps.next_observations).values
        advantages = normalised = np.zeros(0, dtype=np.float32)
        for epoch in range(settings.epochs):
            at = network.forward(steps.observations)
            if epoch == 0:
                advantages = returns - at.values
                normalised = (advantages - advantages.mean()) / (advantages.std() + np.float32(1e-6))
            of_logits = self._slope_of_logits(at.logits, steps, normalised)
            of_values = np.float32(2 * settings.critic_weight / len(returns)) * (at.values - returns)
            self._adam.step(network.backward(at, of_logits, of_values), settings.gradient_clip)
        return advantages

    def _slope_of_logits(self, logits: Floats, steps: Steps, advantages: Floats) -> Floats:
        """How the loss of the actor changes with the logits: the clipped gain, and the entropy."""
        settings, rows = self._settings, np.arange(len(logits))
        log_probabilities = _log_softmax(logits, steps.masks)
        probabilities = np.exp(log_probabilities)
        ratio = np.exp(log_probabilities[rows, steps.actions] - steps.log_probabilities)
        clipped = np.clip(ratio, 1 - settings.clip, 1 + settings.clip)
        gain = np.where(ratio * advantages <= clipped * advantages, ratio * advantages, np.float32(0))
        slope = probabilities * gain[:, None]
        slope[rows, steps.actions] -= gain
        entropy = -(probabilities * log_probabilities).sum(axis=1, keepdims=True)
        slope += np.float32(settings.entropy_weight) * probabilities * (log_probabilities + entropy)
        slope /= np.float32(len(rows))
        return slope


def _log_softmax(logits: Floats, masks: Masks) -> Floats:
    legal = np.where(masks, logits, _FORBIDDEN)
    legal -= legal.max(axis=1, keepdims=True)
    legal -= np.log(np.exp(legal).sum(axis=1, keepdims=True))
    return legal
