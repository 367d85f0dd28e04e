"""The cases in which nothing is contracted, as JAX's users write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

EPSILON = 1e-5


def _layer_norm(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    mean = x.mean(axis=-1, keepdims=True)
    return (x - mean) * lax.rsqrt(x.var(axis=-1, keepdims=True) + EPSILON) * weight + bias


def _rms_norm(x: jax.Array, weight: jax.Array) -> jax.Array:
    return x * lax.rsqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON) * weight


def _attention(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    scores = jnp.einsum("hik,hjk->hij", q, k) * (1 / math.sqrt(q.shape[-1]))
    return jnp.einsum("hij,hjk->hik", jax.nn.softmax(scores), v)


FUNCTIONS: dict[str, Callable[..., jax.Array]] = {
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "logsumexp": lambda x: jax.nn.logsumexp(x, axis=-1),
    "variance": lambda x: x.var(axis=-1, ddof=1),
    "argmax": lambda x: jnp.argmax(x, axis=-1),
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "exp": jnp.exp,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "gelu_erf": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    "add_relu": lambda x, y: jnp.maximum(x + y, 0),
    "bias_add": jnp.add,
    "attention": _attention,
    "linear_softmax": lambda x, w, b: jax.nn.softmax(x @ w.T + b),
    "add_layer_norm": lambda x, y, w, b: _layer_norm(x + y, w, b),
}


def memory_function(case: dict[str, Any]) -> Callable[..., jax.Array]:
    """The case's function."""
    op = case["op"]
    if op == "transpose":
        return lambda x: x.transpose(case["permutation"])
    if op == "pad":
        return lambda x: jnp.pad(x, [(border, border) for border in case["border"]])
    if op == "concat":
        return lambda *given: jnp.concatenate(given, case["axis"])
    first = 2 if case["layout"] == "channels_first" else 1
    window, strides = [1, 1, 1, 1], [1, 1, 1, 1]
    window[first : first + 2] = [case["kernel"]] * 2
    strides[first : first + 2] = [case["stride"]] * 2
    if op == "max_pool":
        return lambda x: lax.reduce_window(x, -jnp.inf, lax.max, window, strides, "VALID")
    count = case["kernel"] ** 2
    return lambda x: lax.reduce_window(x, 0.0, lax.add, window, strides, "VALID") / count
