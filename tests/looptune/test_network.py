"""The network of the policies: its gradient, and weights that travel."""

from __future__ import annotations

import numpy as np
import pytest

from harl_mlir.looptune.network import LayeredActorCritic


def network(seed: int = 0, inputs: int = 5) -> LayeredActorCritic:
    return LayeredActorCritic(inputs, 4, 8, np.random.default_rng(seed))


def test_the_gradient_is_that_of_finite_differences() -> None:
    rng, made = np.random.default_rng(1), network()
    made.flat[:] = rng.normal(0, 0.5, made.flat.shape)
    seen = rng.normal(size=(6, 5))
    of_logits, of_values = rng.normal(size=(6, 4)), rng.normal(size=6)
    found = made.backward(
        made.forward(seen.astype(np.float32)), of_logits.astype(np.float32), of_values.astype(np.float32)
    )

    # In double precision: the loss is what the slopes are those of.
    flat = made.flat.astype(np.float64)

    def loss(at: np.ndarray) -> float:
        made.weights = made.views(at)
        out = made.forward(seen)
        return float((out.logits * of_logits).sum() + (out.values * of_values).sum())

    for number in range(len(flat)):
        step = np.zeros_like(flat)
        step[number] = 1e-5
        slope = (loss(flat + step) - loss(flat - step)) / 2e-5
        assert found[number] == pytest.approx(slope, rel=1e-3, abs=1e-4)


def test_rows_do_not_depend_on_each_other() -> None:
    made, rows = network(), np.random.default_rng(2).normal(size=(7, 5)).astype(np.float32)
    together = made.forward(rows)
    for number, row in enumerate(rows):
        alone = made.forward(row[None])
        np.testing.assert_allclose(alone.logits[0], together.logits[number], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(alone.values[0], together.values[number], rtol=1e-5, atol=1e-6)


def test_weights_travel_and_others_are_refused() -> None:
    first, second = network(0), network(1)
    rows = np.ones((1, 5), np.float32)
    assert first.forward(rows).values[0] != second.forward(rows).values[0]
    second.set_weights({name: weight.copy() for name, weight in first.weights.items()})
    np.testing.assert_array_equal(first.flat, second.flat)
    assert first.forward(rows).values[0] == second.forward(rows).values[0]
    fewer = {name: weight for name, weight in first.weights.items() if name != "value"}
    for others in (network(inputs=6).weights, fewer):
        with pytest.raises(ValueError, match="another network"):
            second.set_weights(others)


def test_a_new_policy_hardly_prefers_an_action() -> None:
    rows = np.random.default_rng(3).normal(size=(50, 5)).astype(np.float32)
    assert np.abs(network().forward(rows).logits).max() < 0.2
