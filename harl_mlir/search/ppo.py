"""A masked actor-critic learner: proximal policy optimisation (arXiv 1707.06347) in one sitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.adam import Adam
from harl_mlir.search.flat_weights import Floats
from harl_mlir.search.steps import Steps

_FORBIDDEN = np.float32(-1e9)
"""Logit of a masked action: its probability is exactly 0, and the entropy stays finite."""

Masks = NDArray[np.bool_]


class Settings(Protocol):
    """The constants of the learner."""

    @property
    def actor_learning_rate(self) -> float:
        """Step size of Adam for all weights but the critic's."""
        ...

    @property
    def critic_learning_rate(self) -> float:
        """Step size of Adam for the critic's."""
        ...

    @property
    def discount(self) -> float:
        """Gamma."""
        ...

    @property
    def clip(self) -> float:
        """Bound on the change of an action's probability."""
        ...

    @property
    def critic_weight(self) -> float:
        """Of the critic's squared error in the loss."""
        ...

    @property
    def entropy_weight(self) -> float:
        """Of the policy's entropy in the loss."""
        ...

    @property
    def epochs(self) -> int:
        """Passes over the steps of one update."""
        ...

    @property
    def gradient_clip(self) -> float:
        """Greatest norm of a gradient."""
        ...


class Outputs(Protocol):
    """What a network made of B observations."""

    @property
    def logits(self) -> Floats:
        """Of all actions."""
        ...

    @property
    def values(self) -> Floats:
        """What observations are worth."""
        ...


Made = TypeVar("Made", bound=Outputs)


class Network(Protocol[Made]):
    """Logits (B, actions) and values (B,) of B observations, with the way back.

    Attributes:
        flat: all weights in one vector, of which `weights` are views by name.
        critic: the layers that learn at the critic's rate.
    """

    flat: Floats
    weights: dict[str, Floats]
    critic: tuple[str, ...]

    def views(self, flat: Floats) -> dict[str, Floats]:
        """A vector like `flat` by the names of the weights."""
        ...

    def forward(self, observations: Floats) -> Made:
        """Logits of all actions, and values."""
        ...

    def backward(self, at: Made, of_logits: Floats, of_values: Floats) -> Floats:
        """The gradient of `flat` from those of logits and values."""
        ...

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Copy weights by name. Raises ValueError if they are of another network."""
        ...


class PPO:
    """A policy over masked actions, and a critic, both by `network`.

    The advantage of a step is `r + gamma V(s') - V(s)`, of tracks that have no end state, unless the caller
    gives advantages. All that is drawn is drawn from `rng`.
    """

    def __init__(self, network: Network[Any], settings: Settings, rng: np.random.Generator) -> None:
        self._settings = settings
        self._rng = rng
        self._network = network
        rates = np.full_like(network.flat, settings.actor_learning_rate)
        of_layers = network.views(rates)
        for layer in network.critic:
            of_layers[layer][:] = of_layers[f"{layer}_bias"][:] = settings.critic_learning_rate
        self._adam = Adam(network.flat, rates)

    def weights(self) -> dict[str, Floats]:
        """Copies of all weights by name."""
        return {name: weight.copy() for name, weight in self._network.weights.items()}

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Start from weights that `weights` gave. Raises ValueError if they are of another network."""
        self._network.set_weights(weights)

    def state(self) -> dict[str, Floats]:
        """All that `set_state` needs to go on as if nothing had been in between, but for what is drawn."""
        return {"weights": self._network.flat, **self._adam.state()}

    def set_state(self, state: Mapping[str, Floats], rng: np.random.Generator | None = None) -> None:
        """Go on from a state, drawing from `rng` if one is given."""
        self._network.flat[:] = state["weights"]
        self._adam.set_state(state)
        self._rng = rng or self._rng

    def act(
        self, observations: Floats, masks: Masks, temperatures: Floats | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """Draw a legal action for every row; the actions and their log-probabilities.

        With `temperatures`, one a row, logits are divided by them: above 1 unlikely actions are drawn more.
        """
        logits = self._network.forward(observations).logits
        if temperatures is not None:
            logits = logits / temperatures[:, None]
        log_probabilities = _log_softmax(logits, masks)
        uniform = np.clip(self._rng.random(log_probabilities.shape), 1e-9, 1 - 1e-7)
        # The greatest of log-probability plus Gumbel noise is a draw from the distribution.
        actions = (log_probabilities - np.log(-np.log(uniform))).argmax(axis=1)
        return actions, log_probabilities[np.arange(len(actions)), actions]

    def log_probabilities(self, observations: Floats, masks: Masks) -> Floats:
        """Of all actions; that of a masked one is very low."""
        return _log_softmax(self._network.forward(observations).logits, masks)

    def best_actions(self, observations: Floats, masks: Masks) -> NDArray[np.int64]:
        """The most probable legal action of every row."""
        actions: NDArray[np.int64] = np.where(
            masks, self._network.forward(observations).logits, _FORBIDDEN
        ).argmax(axis=1)
        return actions

    def train(self, steps: Steps) -> Floats:
        """One update from fresh steps; returns their advantages before it."""
        discount = np.float32(self._settings.discount)
        returns = steps.rewards + discount * self.values(steps.next_observations)
        advantages = self.update(steps, returns)
        for _ in range(1, self._settings.epochs):
            self.update(steps, returns, advantages)
        return advantages

    def values(self, observations: Floats) -> Floats:
        """The critic's values of observations."""
        values: Floats = self._network.forward(observations).values
        return values

    def imitate(self, steps: Steps, returns: Floats) -> None:
        """One step along the gradient towards the actions taken, and returns for the critic."""
        self._descend(steps, returns, np.ones_like(returns), self._network.forward(steps.observations))

    def update(self, steps: Steps, returns: Floats, advantages: Floats | None = None) -> Floats:
        """One step along the gradient; `returns` are what the critic should have said.

        Advantages are what it said too little, unless they are given. They are returned.
        """
        at = self._network.forward(steps.observations)
        if advantages is None:
            advantages = returns - at.values
        normalised = (advantages - advantages.mean()) / (advantages.std() + np.float32(1e-6))
        self._descend(steps, returns, normalised, at)
        return advantages

    def _descend(self, steps: Steps, returns: Floats, advantages: Floats, at: Outputs) -> None:
        settings, network = self._settings, self._network
        of_logits = self._slope_of_logits(at.logits, steps, advantages)
        of_values = np.float32(2 * settings.critic_weight / len(returns)) * (at.values - returns)
        self._adam.step(network.backward(at, of_logits, of_values), settings.gradient_clip)

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
