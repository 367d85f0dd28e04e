"""One network for all spaces: a score for every move of every decision, and a value of the candidate.

Plain NumPy: importing a library for learning takes longer than all that is learned in a run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.flat_weights import FlatWeights, Floats


@dataclass(frozen=True)
class Activations:
    """What the network made of B observations of D decisions, for the way back.

    `logits` (B, 1 + 2*D) are those of staying and of each decision's two moves; `values` (B,).
    """

    situation: Floats
    decisions: Floats
    first: Floats
    second: Floats
    mean: Floats
    pooled: Floats
    context: Floats
    heads: Floats
    logits: Floats
    values: Floats


class ActorCritic(FlatWeights):
    """Each decision is encoded with the same weights; their mean and the globals are the context.

    An observation has `situation` numbers, then `features` for each decision. Moves are scored from a
    decision's encoding and the context, staying and the value from the context alone.

    Attributes:
        critic: the layers of the value alone.
    """

    critic: tuple[str, ...] = ("value",)

    def __init__(self, situation: int, features: int, hidden: int, rng: np.random.Generator) -> None:
        _keep_freed_memory()
        self._situation = situation
        self._features = features
        layers = {
            "decision": (features, hidden),
            "situation": (situation, hidden),
            "encoded": (hidden, hidden),
            "pooled": (hidden, hidden),
            "context": (hidden, hidden),
            "own": (hidden, hidden),
            "around": (hidden, hidden),
            "moves": (hidden, 2),
            "stay": (hidden, 1),
            "value": (hidden, 1),
        }
        gains = {"moves": 0.01, "stay": 0.01, "value": 1.0}
        super().__init__(layers)
        for name, shape in layers.items():
            self.weights[name][:] = _orthogonal(shape, rng) * gains.get(name, math.sqrt(2))

    def forward(self, observations: Floats) -> Activations:
        """Logits of all actions, and values."""
        w, count = self.weights, len(observations)
        situation = observations[:, : self._situation]
        each = (observations.shape[1] - self._situation) // self._features
        decisions = observations[:, self._situation :].reshape(count * each, self._features)
        globals_ = situation @ w["situation"] + w["situation_bias"]
        first = (decisions @ w["decision"] + w["decision_bias"]).reshape(count, each, -1) + globals_[:, None]
        first = _tanh(first).reshape(count * each, -1)
        second = _tanh(first @ w["encoded"] + w["encoded_bias"])
        mean = second.reshape(count, each, -1).sum(axis=1) / np.float32(max(1, each))
        pooled = _tanh(mean @ w["pooled"] + w["pooled_bias"] + globals_)
        context = _tanh(pooled @ w["context"] + w["context_bias"])
        around = context @ w["around"] + w["around_bias"]
        heads = (second @ w["own"] + w["own_bias"]).reshape(count, each, -1) + around[:, None]
        heads = _tanh(heads).reshape(count * each, -1)
        moves = (heads @ w["moves"] + w["moves_bias"]).reshape(count, 2 * each)
        logits = np.concatenate([context @ w["stay"] + w["stay_bias"], moves], axis=1)
        values = (context @ w["value"] + w["value_bias"])[:, 0]
        return Activations(situation, decisions, first, second, mean, pooled, context, heads, logits, values)

    def backward(self, at: Activations, of_logits: Floats, of_values: Floats) -> Floats:
        """The gradient of all weights, as one vector, from those of logits and values."""
        w, gradient = self.weights, np.empty_like(self.flat)
        into = self.views(gradient)
        count = len(at.logits)

        def layer(name: str, inputs: Floats, outputs: Floats) -> None:
            np.matmul(inputs.T, outputs, out=into[name])
            outputs.sum(axis=0, out=into[f"{name}_bias"])

        def each(rows: NDArray[Any]) -> Floats:
            return rows.reshape(count, -1, rows.shape[1])

        of_stay, of_moves = of_logits[:, :1], of_logits[:, 1:].reshape(-1, 2)
        layer("moves", at.heads, of_moves)
        of_heads = (of_moves @ w["moves"].T) * _slope(at.heads)
        layer("own", at.second, of_heads)
        of_around = each(of_heads).sum(axis=1)
        layer("around", at.context, of_around)
        layer("stay", at.context, of_stay)
        layer("value", at.context, of_values[:, None])
        of_context = of_around @ w["around"].T + of_stay @ w["stay"].T + of_values[:, None] @ w["value"].T
        of_context *= _slope(at.context)
        layer("context", at.pooled, of_context)
        of_pooled = (of_context @ w["context"].T) * _slope(at.pooled)
        layer("pooled", at.mean, of_pooled)
        shares = np.float32(count / max(1, len(at.decisions)))
        of_mean = (of_pooled @ w["pooled"].T) * shares
        of_second = each(of_heads @ w["own"].T) + of_mean[:, None]
        of_second = of_second.reshape(at.second.shape) * _slope(at.second)
        layer("encoded", at.first, of_second)
        of_first = (of_second @ w["encoded"].T) * _slope(at.first)
        layer("decision", at.decisions, of_first)
        layer("situation", at.situation, of_pooled + each(of_first).sum(axis=1))
        return gradient


def _keep_freed_memory() -> None:
    """Let arrays of up to 16 MiB be made again without new pages: four times as fast as with them.

    glibc gives back freed memory above a threshold, which follows the greatest array freed so far.
    """
    np.empty(1 << 24, dtype=np.uint8)


def _orthogonal(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows or columns, whichever are fewer, that are orthogonal and of length 1."""
    tall = rng.standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return q if shape[0] >= shape[1] else q.T


def _tanh(values: Floats) -> Floats:
    return np.tanh(values, out=values)


def _slope(tanh: Floats) -> Floats:
    return np.float32(1) - tanh * tanh
