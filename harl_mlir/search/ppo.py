"""A masked actor-critic learner: proximal policy optimisation (arXiv 1707.06347) in one sitting."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harl_mlir.search.adam import Adam
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps

_FORBIDDEN = -1e9
"""Logit of a masked action: its probability is exactly 0, and the entropy stays finite."""


class PPO:
    """A policy over `actions` numbered actions, and a critic.

    The advantage of a step is `r + gamma V(s') - V(s)`; tracks have no end state. Random numbers come
    from a generator of its own, so that the seed decides everything. Sets torch to one thread.
    """

    def __init__(self, observation_size: int, actions: int, settings: Settings, seed: int) -> None:
        torch.set_num_threads(1)
        self._settings = settings
        self._random = torch.Generator().manual_seed(seed)
        self._actor = _network(observation_size, settings.hidden, actions, 0.01, self._random)
        self._critic = _network(observation_size, settings.hidden, 1, 1.0, self._random)
        rates = {self._actor: settings.actor_learning_rate, self._critic: settings.critic_learning_rate}
        self._optimiser = Adam((p, rate) for net, rate in rates.items() for p in net.parameters())

    @torch.no_grad()
    def act(
        self, observations: NDArray[np.float32], masks: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Draw a legal action for every row; the actions and their log-probabilities."""
        log_probabilities = self._log_probabilities(torch.from_numpy(observations), torch.from_numpy(masks))
        uniform = torch.rand(log_probabilities.shape, generator=self._random).clamp_(1e-9, 1 - 1e-7)
        # The greatest of log-probability plus Gumbel noise is a draw from the distribution.
        actions = (log_probabilities - torch.log(-torch.log(uniform))).argmax(dim=1)
        taken = log_probabilities.gather(1, actions[:, None])[:, 0]
        return actions.numpy(), taken.numpy()

    @torch.no_grad()
    def best_actions(self, observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The most probable legal action of every row."""
        return (
            self._log_probabilities(torch.from_numpy(observations), torch.from_numpy(masks))
            .argmax(dim=1)
            .numpy()
        )

    def train(self, steps: Steps) -> NDArray[np.float32]:
        """One update from fresh steps; returns their advantages before it."""
        settings = self._settings
        observations = torch.from_numpy(steps.observations)
        masks = torch.from_numpy(steps.masks)
        actions = torch.from_numpy(steps.actions)[:, None]
        old = torch.from_numpy(steps.log_probabilities)
        with torch.no_grad():
            next_values = self._critic(torch.from_numpy(steps.next_observations))[:, 0]
            returns = torch.from_numpy(steps.rewards) + settings.discount * next_values
            advantages = returns - self._critic(observations)[:, 0]
        normalised = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-6)
        for _ in range(settings.epochs):
            log_probabilities = self._log_probabilities(observations, masks)
            ratio = (log_probabilities.gather(1, actions)[:, 0] - old).exp()
            clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
            actor_loss = -torch.minimum(ratio * normalised, clipped * normalised).mean()
            entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1).mean()
            critic_loss = (self._critic(observations)[:, 0] - returns).square().mean()
            loss = actor_loss + settings.critic_weight * critic_loss - settings.entropy_weight * entropy
            loss.backward()
            self._optimiser.step(settings.gradient_clip)
        learned: NDArray[np.float32] = advantages.numpy()
        return learned

    def _log_probabilities(self, observations: Tensor, masks: Tensor) -> Tensor:
        logits: Tensor = self._actor(observations)
        return logits.masked_fill(~masks, _FORBIDDEN).log_softmax(dim=1)


def _network(inputs: int, hidden: int, outputs: int, gain: float, random: torch.Generator) -> nn.Sequential:
    """A perceptron with two hidden layers; `gain` scales the last one's first weights."""
    return nn.Sequential(
        _linear(inputs, hidden, math.sqrt(2), random),
        nn.Tanh(),
        _linear(hidden, hidden, math.sqrt(2), random),
        nn.Tanh(),
        _linear(hidden, outputs, gain, random),
    )


def _linear(inputs: int, outputs: int, gain: float, random: torch.Generator) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):  # torch's own first weights come from its global generator
        layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain, generator=random)
    nn.init.zeros_(layer.bias)
    return layer
