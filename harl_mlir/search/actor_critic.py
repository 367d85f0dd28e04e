"""One network for all spaces: a score for every move of every decision, and a value of the candidate."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class ActorCritic(nn.Module):
    """Each decision is encoded with the same weights; their mean and the globals are the context.

    An observation has `situation` numbers, then `features` for each decision. The logits are those of staying
    and of each decision's two moves; the value comes from the context alone.
    """

    def __init__(self, situation: int, features: int, hidden: int, random: torch.Generator) -> None:
        super().__init__()
        self._situation = situation
        self._features = features
        gain = math.sqrt(2)
        self.decision = _linear(features, hidden, gain, random)
        self.situation = _linear(situation, hidden, gain, random)
        self.encoded = _linear(hidden, hidden, gain, random)
        self.pooled = _linear(hidden, hidden, gain, random)
        self.context = _linear(hidden, hidden, gain, random)
        self.own = _linear(hidden, hidden, gain, random)
        self.around = _linear(hidden, hidden, gain, random)
        self.moves = _linear(hidden, 2, 0.01, random)
        self.stay = _linear(hidden, 1, 0.01, random)
        self.value = _linear(hidden, 1, 1.0, random)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of all actions, and values."""
        decisions, context = self._encode(observations)
        heads = torch.tanh(self.own(decisions) + self.around(context)[:, None])
        moves = self.moves(heads).flatten(1)
        return torch.cat([self.stay(context), moves], dim=1), self.value(context)[:, 0]

    def values(self, observations: Tensor) -> Tensor:
        """Values alone."""
        values: Tensor = self.value(self._encode(observations)[1])[:, 0]
        return values

    def _encode(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        situation = self.situation(observations[:, : self._situation])
        count = (observations.shape[1] - self._situation) // self._features
        decisions = observations[:, self._situation :].reshape(-1, count, self._features)
        encoded = torch.tanh(self.decision(decisions) + situation[:, None])
        encoded = torch.tanh(self.encoded(encoded))
        pooled = encoded.sum(dim=1) / max(1, count)
        context = torch.tanh(self.pooled(pooled) + situation)
        return encoded, torch.tanh(self.context(context))


def _linear(inputs: int, outputs: int, gain: float, random: torch.Generator) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):  # torch's own first weights come from its global generator
        layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain, generator=random)
    nn.init.zeros_(layer.bias)
    return layer
