"""A masked actor-critic learner: proximal policy optimisation (arXiv 1707.06347) in one sitting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harl_mlir.search.actor_critic import ActorCritic
from harl_mlir.search.adam import Adam
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps

_FORBIDDEN = -1e9
"""Logit of a masked action: its probability is exactly 0, and the entropy stays finite."""


class PPO:
    """A policy over the moves of any number of decisions, and a critic.

    Observations are as `ActorCritic` takes them. The advantage of a step is `r + gamma V(s') - V(s)`; tracks
    have no end state. Random numbers come from a generator of its own, so that the seed decides everything.
    Sets torch to one thread.
    """

    def __init__(self, situation: int, features: int, settings: Settings, seed: int) -> None:
        torch.set_num_threads(1)
        self._settings = settings
        self._random = torch.Generator().manual_seed(seed)
        self._network = ActorCritic(situation, features, settings.hidden, self._random)
        rates = {True: settings.critic_learning_rate, False: settings.actor_learning_rate}
        named = self._network.named_parameters()
        self._optimiser = Adam((p, rates[name.startswith("value.")]) for name, p in named)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Copies of all weights by name."""
        return {name: p.detach().numpy().copy() for name, p in self._network.named_parameters()}

    @torch.no_grad()
    def set_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Start from weights that `weights` gave. Raises ValueError if they are of another network."""
        named = dict(self._network.named_parameters())
        if {n: tuple(p.shape) for n, p in named.items()} != {n: w.shape for n, w in weights.items()}:
            raise ValueError("these weights are of another network")
        for name, parameter in named.items():
            parameter.copy_(torch.from_numpy(weights[name]))

    @torch.no_grad()
    def act(
        self, observations: NDArray[np.float32], masks: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Draw a legal action for every row; the actions and their log-probabilities."""
        log_probabilities, _ = self._evaluate(torch.from_numpy(observations), torch.from_numpy(masks))
        uniform = torch.rand(log_probabilities.shape, generator=self._random).clamp_(1e-9, 1 - 1e-7)
        # The greatest of log-probability plus Gumbel noise is a draw from the distribution.
        actions = (log_probabilities - torch.log(-torch.log(uniform))).argmax(dim=1)
        taken = log_probabilities.gather(1, actions[:, None])[:, 0]
        return actions.numpy(), taken.numpy()

    @torch.no_grad()
    def best_actions(self, observations: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The most probable legal action of every row."""
        log_probabilities, _ = self._evaluate(torch.from_numpy(observations), torch.from_numpy(masks))
        return log_probabilities.argmax(dim=1).numpy()

    def train(self, steps: Steps) -> NDArray[np.float32]:
        """One update from fresh steps; returns their advantages before it."""
        settings = self._settings
        observations, masks = torch.from_numpy(steps.observations), torch.from_numpy(steps.masks)
        actions = torch.from_numpy(steps.actions)[:, None]
        old = torch.from_numpy(steps.log_probabilities)
        with torch.no_grad():
            next_values = self._network.values(torch.from_numpy(steps.next_observations))
            returns = torch.from_numpy(steps.rewards) + settings.discount * next_values
        advantages = normalised = torch.zeros(0)
        for epoch in range(settings.epochs):
            log_probabilities, values = self._evaluate(observations, masks)
            if epoch == 0:
                advantages = returns - values.detach()
                normalised = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-6)
            ratio = (log_probabilities.gather(1, actions)[:, 0] - old).exp()
            clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
            actor_loss = -torch.minimum(ratio * normalised, clipped * normalised).mean()
            entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1).mean()
            critic_loss = (values - returns).square().mean()
            loss = actor_loss + settings.critic_weight * critic_loss - settings.entropy_weight * entropy
            torch.autograd.backward(loss)
            self._optimiser.step(settings.gradient_clip)
        learned: NDArray[np.float32] = advantages.numpy()
        return learned

    def _evaluate(self, observations: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities of all actions, and values."""
        logits, values = self._network(observations)
        return logits.masked_fill(~masks, _FORBIDDEN).log_softmax(dim=1), values
