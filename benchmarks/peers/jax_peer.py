"""JAX: each case as one jitted function on the CPU back end."""

from __future__ import annotations

import os
from collections.abc import Callable

# XLA reads these when it is loaded; its pool has a thread for each core that it may run on.
if os.environ["OMP_NUM_THREADS"] == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax_operations import EPSILON, FUNCTIONS, memory_function
from layouts import grouped, groups
from serve import Problem, Program, serve

Function = Callable[..., jax.Array]
SPATIAL = "DHW"
TYPES = {"f32": jnp.float32, "bf16": jnp.bfloat16, "i32": jnp.int32}


def load(problem: Problem) -> Program:
    """The case's function, compiled for its shapes; operands are on the device before any timing."""
    case = problem.case
    if "op" in case:
        by_op = memory_function(case) if case["kind"] == "memory" else FUNCTIONS[case["op"]]
        function, arrays = by_op, problem.inputs
    elif case["kind"] in ("matmul", "matvec", "vecmat"):
        function, arrays = _product(problem), problem.inputs
    elif case["kind"] == "transposed_conv":
        function, arrays = _transposed(problem), problem.inputs
    else:
        function, arrays = _convolution(problem)
    if case.get("epilogue"):
        function = _with_epilogue(problem, function)
    compiled = jax.jit(function)
    operands = [
        jnp.asarray(array.view(jnp.bfloat16) if array.dtype == np.uint16 else array) for array in arrays
    ]

    def call() -> None:
        compiled(*operands).block_until_ready()

    return Program(call, lambda: _canonical(problem, np.asarray(compiled(*operands))))


def _product(problem: Problem) -> Function:
    turn = [bool(problem.case.get(field)) for field in ("a_transposed", "b_transposed")]

    def function(left: jax.Array, right: jax.Array, *_: jax.Array) -> jax.Array:
        if turn[0]:
            left = left.swapaxes(-1, -2)
        if turn[1]:
            right = right.swapaxes(-1, -2)
        return jnp.matmul(left, right, preferred_element_type=TYPES[problem.case.get("result", "f32")])

    return function


def _with_epilogue(problem: Problem, function: Function) -> Function:
    trailing = len(problem.case["spatial"]) if problem.case.get("layout") == "channels_first" else 0
    shape, epilogue = (-1, *[1] * trailing), problem.case["epilogue"]
    if epilogue == "bias_gelu":
        return lambda left, right, bias: jax.nn.gelu(function(left, right) + bias, approximate=False)
    if epilogue == "bias_relu":
        return lambda left, right, bias: jnp.maximum(function(left, right) + bias.reshape(shape), 0)

    def normed(left: jax.Array, right: jax.Array, *extras: jax.Array) -> jax.Array:
        mean, variance, weight, bias = (vector.reshape(shape) for vector in extras[:4])
        made = (function(left, right) - mean) * lax.rsqrt(variance + EPSILON) * weight + bias
        return jnp.maximum(made + extras[4] if extras[4:] else made, 0)

    return normed


def _convolution(problem: Problem) -> tuple[Function, list[np.ndarray]]:
    """In the case's layout; the groups of image and filter merged, before the timing."""
    case = problem.case
    image, taps = problem.inputs[:2]
    rank = len(case["spatial"])
    axes = SPATIAL[-rank:]
    last = case["layout"] == "channels_last"
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C") if last else (f"NC{axes}", f"OI{axes}", f"NC{axes}")
    if case["depthwise"]:
        taps = taps[..., np.newaxis, :] if last else taps[:, np.newaxis]
    elif grouped(case) and last:
        image = image.reshape(*image.shape[: rank + 1], -1)
        taps = np.moveaxis(taps, rank, -2)
        taps = np.ascontiguousarray(taps.reshape(*taps.shape[:-2], -1))
    elif grouped(case):
        image = image.reshape(image.shape[0], -1, *image.shape[-rank:])
        taps = taps.reshape(-1, *taps.shape[2:])

    def function(image: jax.Array, taps: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(
            image,
            taps,
            window_strides=(case["stride"],) * rank,
            padding="VALID",
            dimension_numbers=layout,
            feature_group_count=groups(case),
            preferred_element_type=TYPES[case.get("result", "f32")],
        )

    return function, [image, taps, *problem.inputs[2:]]


def _transposed(problem: Problem) -> Function:
    """A convolution of the dilated image: the canonical filter is flipped already."""
    case = problem.case
    edge = case["kernel"] - 1 - case["padding"]
    return lambda image, taps: lax.conv_general_dilated(
        image,
        taps,
        window_strides=(1, 1),
        padding=[(edge, edge)] * 2,
        lhs_dilation=(case["stride"],) * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _canonical(problem: Problem, output: np.ndarray) -> np.ndarray:
    """The result with the filters of a grouped convolution in their groups."""
    case = problem.case
    if case.get("result") == "bf16":
        output = output.view(np.uint16)
    if case["kind"] == "rows" and case["op"] == "argmax":
        return output.astype(np.int64)  # JAX's indices have 32 bits
    if case["kind"] != "conv" or not grouped(case):
        return output
    if case["layout"] == "channels_last":
        return output.reshape(*output.shape[:-1], case["groups"], -1)
    return output.reshape(output.shape[0], case["groups"], -1, *output.shape[2:])


if __name__ == "__main__":
    serve(jax.__version__, load)
