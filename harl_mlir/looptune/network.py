"""A network of two hidden layers that gives an agent's actions their logits and a state its value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Activations:
    """What the network made of B observations: `logits` (B, actions), `values` (B,), and what led to them."""

    inputs: Floats
    first: Floats
    second: Floats
    logits: Floats
    values: Floats


class LayeredActorCritic:
    """Observations -> two layers of tanh -> logits and a value. Plain NumPy, as a walk takes milliseconds.

    Attributes:
        flat: all weights in one vector, of which `weights` are views by name.
        critic: the layer of the value alone.
    """

    critic: tuple[str, ...] = ("value",)

    def __init__(self, inputs: int, actions: int, hidden: int, rng: np.random.Generator) -> None:
        layers = {
            "first": (inputs, hidden),
            "second": (hidden, hidden),
            "action": (hidden, actions),
            "value": (hidden, 1),
        }
        gains = {"action": 0.01, "value": 1.0}
        self._shapes: dict[str, tuple[int, ...]] = {}
        for name, shape in layers.items():
            self._shapes |= {name: shape, f"{name}_bias": shape[1:]}
        self.flat = np.zeros(sum(math.prod(shape) for shape in self._shapes.values()), dtype=np.float32)
        self.weights = self.views(self.flat)
        for name, shape in layers.items():
            scale = gains.get(name, math.sqrt(2)) / math.sqrt(shape[0])
            self.weights[name][:] = scale * rng.standard_normal(shape)

    def views(self, flat: Floats) -> dict[str, Floats]:
        """A vector like `flat` by the names of the weights."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()])[:-1]
        parts = np.split(flat, ends)
        return {n: part.reshape(s) for (n, s), part in zip(self._shapes.items(), parts, strict=True)}

    def forward(self, observations: Floats) -> Activations:
        """Logits of all actions, and values."""
        w = self.weights
        first = np.tanh(observations @ w["first"] + w["first_bias"])
        second = np.tanh(first @ w["second"] + w["second_bias"])
        logits = second @ w["action"] + w["action_bias"]
        values = (second @ w["value"] + w["value_bias"])[:, 0]
        return Activations(observations, first, second, logits, values)

    def backward(self, at: Activations, of_logits: Floats, of_values: Floats) -> Floats:
        """The gradient of all weights, as one vector, from those of logits and values."""
        w, gradient = self.weights, np.empty_like(self.flat)
        into = self.views(gradient)

        def layer(name: str, inputs: Floats, outputs: Floats) -> None:
            np.matmul(inputs.T, outputs, out=into[name])
            outputs.sum(axis=0, out=into[f"{name}_bias"])

        layer("action", at.second, of_logits)
        layer("value", at.second, of_values[:, None])
        of_second = of_logits @ w["action"].T + of_values[:, None] @ w["value"].T
        of_second *= 1 - at.second * at.second
        layer("second", at.first, of_second)
        of_first = of_second @ w["second"].T
        of_first *= 1 - at.first * at.first
        layer("first", at.inputs, of_first)
        return gradient

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Copy weights by name. Raises ValueError if they are of another network."""
        if {n: w.shape for n, w in weights.items()} != {n: w.shape for n, w in self.weights.items()}:
            raise ValueError("these weights are of another network")
        for name, weight in self.weights.items():
            weight[:] = weights[name]
