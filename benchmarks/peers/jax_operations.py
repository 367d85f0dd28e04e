"""The cases in which nothing is contracted, as JAX's users write them."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

EPSILON = 1e-5


def _layer_norm(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    mean = x.mean(axis=-1, keepdims=True)
    return (x - mean) * lax.rsqrt(x.var(axis=-1, keepdims=True) + EPSILON) * weight + bias


def _rms_norm(x: jax.Array, weight: jax.Array) -> jax.Array:
    return x * lax.rsqrt((x * x).mean(axis=-1, keepdims=True) + EPSILON) * weight


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
}
