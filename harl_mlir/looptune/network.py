"""A network of two hidden layers that gives an agent's actions their logits and a state its value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harl_mlir.search.flat_weights import FlatWeights, Floats


@dataclass(frozen=True)
class Activations:
    """What the network made of B observations: `logits` (B, actions), `values` (B,), and what led to them."""

    inputs: Floats
    first: Floats
    second: Floats
    logits: Floats
    values: Floats


class LayeredActorCritic(FlatWeights):
    """Observations -> two layers of tanh -> logits and a value. Plain NumPy, as a walk takes milliseconds.

    Attributes:
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
        super().__init__(layers)
        for name, shape in layers.items():
            scale = gains.get(name, math.sqrt(2)) / math.sqrt(shape[0])
            self.weights[name][:] = scale * rng.standard_normal(shape)

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
