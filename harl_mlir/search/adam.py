"""Adam (arXiv 1412.6980)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_MEAN_DECAY = np.float32(0.9)
_SQUARE_DECAY = np.float32(0.999)
_EPSILON = np.float32(1e-8)


class Adam:
    """Updates a vector of parameters in place; every parameter has its learning rate."""

    def __init__(self, parameters: NDArray[np.float32], rates: NDArray[np.float32]) -> None:
        self._parameters = parameters
        self._rates = rates
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._steps = 0

    def step(self, gradient: NDArray[np.float32], most: float) -> None:
        """Apply a gradient, scaled down where its norm exceeds `most`."""
        norm = float(np.sqrt(gradient @ gradient))
        gradient = gradient * np.float32(min(1.0, most / (norm + 1e-6)))
        self._steps += 1
        self._mean += (1 - _MEAN_DECAY) * (gradient - self._mean)
        self._square += (1 - _SQUARE_DECAY) * (gradient * gradient - self._square)
        mean = self._mean / np.float32(1 - float(_MEAN_DECAY) ** self._steps)
        square = self._square / np.float32(1 - float(_SQUARE_DECAY) ** self._steps)
        self._parameters -= self._rates * mean / (np.sqrt(square) + _EPSILON)

    def state(self) -> dict[str, NDArray[np.float32]]:
        """What `set_state` goes on from."""
        return {"mean": self._mean, "square": self._square, "steps": np.array([self._steps], np.float32)}

    def set_state(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Go on from where `state` was asked for."""
        self._mean[:], self._square[:], self._steps = state["mean"], state["square"], int(state["steps"][0])
