"""The steps that walks took, and what they came to be worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harl_mlir.looptune.tracks import Masks, Tracks
from harl_mlir.search.flat_weights import Floats
from harl_mlir.search.steps import Steps, joined

Choose = Callable[[Floats, Masks], tuple[NDArray[np.int64], Floats]]
"""From observations and legal actions to actions and their log-probabilities."""


@dataclass
class Rollout:
    """Steps of walks, those taken side by side together; `numbers` are the walks' of each part."""

    count: int
    parts: list[Steps] = field(default_factory=list)
    numbers: list[NDArray[np.int64]] = field(default_factory=list)

    @property
    def steps(self) -> Steps:
        """All of them, in order."""
        return joined(self.parts)

    @property
    def length(self) -> float:
        """Steps of a walk, as a mean."""
        return sum(len(part) for part in self.numbers) / self.count

    def advantages(
        self, values: Callable[[Floats], Floats], discount: float, trace: float
    ) -> tuple[Floats, Floats]:
        """Generalised advantages (arXiv 1506.02438) and returns of all steps; what is over is worth 0."""
        later = np.zeros(self.count, dtype=np.float32)
        value_after = np.zeros_like(later)
        advantages: list[Floats] = []
        returns: list[Floats] = []
        for part, walks in zip(reversed(self.parts), reversed(self.numbers), strict=True):
            now = values(part.observations)
            error = part.rewards + discount * value_after[walks] - now
            later[walks] = error + discount * trace * later[walks]
            value_after[walks] = now
            advantages.append(later[walks])
            returns.append(later[walks] + now)
        return np.concatenate(advantages[::-1]), np.concatenate(returns[::-1])


def roll_out(tracks: Tracks, choose: Choose) -> Rollout:
    """Take the walks to their ends."""
    rollout = Rollout(len(tracks.states))
    while not tracks.is_over:
        rollout.numbers.append(tracks.alive)
        observations, masks = tracks.look()
        actions, log_probabilities = choose(observations, masks)
        rewards = tracks.move(actions)
        rollout.parts.append(Steps(observations, masks, actions, log_probabilities, rewards, observations))
    return rollout
