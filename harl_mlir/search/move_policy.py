"""The policy of HARL: which decision of a candidate moves, and which way."""

from __future__ import annotations

import numpy as np

from harl_mlir.search.actor_critic import ActorCritic
from harl_mlir.search.ppo import PPO
from harl_mlir.search.settings import Settings


class MovePolicy(PPO):
    """A policy over the moves of any number of decisions, and a critic. The seed decides everything.

    Observations are as `ActorCritic` takes them: `situation` numbers, then `features` for each decision.
    """

    def __init__(self, situation: int, features: int, settings: Settings, seed: int) -> None:
        rng = np.random.default_rng(seed)
        super().__init__(ActorCritic(situation, features, settings.hidden, rng), settings, rng)
