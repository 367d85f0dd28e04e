"""What an actor-critic learner learns from: steps of many tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Steps:
    """Steps of many tracks, one a row.

    `masks` are the legal actions at `observations`; `log_probabilities` are those of `actions` under
    the policy that took them.
    """

    observations: NDArray[np.float32]
    masks: NDArray[np.bool_]
    actions: NDArray[np.int64]
    log_probabilities: NDArray[np.float32]
    rewards: NDArray[np.float32]
    next_observations: NDArray[np.float32]


def joined(parts: Sequence[Steps]) -> Steps:
    """All rows of several Steps."""
    columns = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Steps)}
    return Steps(**columns)
