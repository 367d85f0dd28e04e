"""The weights of a network's layers as views of one vector, which an optimiser updates as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class FlatWeights:
    """Weights and biases of layers, all zero at first.

    Attributes:
        flat: all of them in one vector.
        weights: by the layer's name, and of its bias by `NAME_bias`, as views of that.
    """

    def __init__(self, layers: Mapping[str, tuple[int, int]]) -> None:
        """`layers` are the inputs and outputs of each by its name."""
        self._shapes: dict[str, tuple[int, ...]] = {}
        for name, shape in layers.items():
            self._shapes |= {name: shape, f"{name}_bias": shape[1:]}
        self.flat = np.zeros(sum(math.prod(shape) for shape in self._shapes.values()), dtype=np.float32)
        self.weights = self.views(self.flat)

    def views(self, flat: Floats) -> dict[str, Floats]:
        """A vector like `flat` by the names of the weights."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()])[:-1]
        parts = np.split(flat, ends)
        return {n: part.reshape(s) for (n, s), part in zip(self._shapes.items(), parts, strict=True)}

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Copy weights by name. Raises ValueError if they are of another network."""
        if {n: w.shape for n, w in weights.items()} != {n: w.shape for n, w in self.weights.items()}:
            raise ValueError("these weights are of another network")
        for name, weight in self.weights.items():
            weight[:] = weights[name]
