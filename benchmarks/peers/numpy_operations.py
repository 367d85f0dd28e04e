"""The cases in which nothing is contracted, by NumPy's universal functions, in place where they can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from serve import Problem, Program, UnsupportedError, aligned

EPSILON = np.float32(1e-5)


def load_operation(problem: Problem) -> Program:
    """The call of the case; elementwise results and scratch are made before."""
    op = problem.case["op"]
    if problem.case["kind"] == "memory":
        return _moved(problem)
    if op not in _FUNCTIONS:
        raise UnsupportedError("NumPy has no such function.")
    function, scratch = _FUNCTIONS[op], aligned(problem.inputs[0])

    def call() -> np.ndarray:
        return function(scratch, *problem.inputs)

    return Program(call, call)


def _shifted_exp(out: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    most = x.max(axis=-1, keepdims=True)
    np.subtract(x, most, out=out)
    np.exp(out, out=out)
    return most, out.sum(axis=-1, keepdims=True)


def _softmax(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    _, total = _shifted_exp(out, x)
    return np.divide(out, total, out=out)


def _logsumexp(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    most, total = _shifted_exp(out, x)
    return (most + np.log(total))[:, 0]


def _log_softmax(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.subtract(x, _logsumexp(out, x)[:, np.newaxis], out=out)


def _normed(out: np.ndarray, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    np.square(x, out=out)
    root = np.sqrt(out.mean(axis=-1, keepdims=True) + EPSILON)
    np.divide(x, root, out=out)
    return np.multiply(out, weight, out=out)


def _layer_norm(out: np.ndarray, x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    left = x - x.mean(axis=-1, keepdims=True)
    return np.add(_normed(out, left, weight), bias, out=out)


def _sigmoid(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, np.float32(1), out=out)
    return np.reciprocal(out, out=out)


def _silu(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.multiply(_sigmoid(out, x), x, out=out)


def _gelu_tanh(out: np.ndarray, x: np.ndarray) -> np.ndarray:
    np.multiply(x, x, out=out)
    np.multiply(out, np.float32(0.044715), out=out)
    np.add(out, np.float32(1), out=out)
    np.multiply(out, x, out=out)
    np.multiply(out, np.float32(0.7978845608), out=out)
    np.tanh(out, out=out)
    np.add(out, np.float32(1), out=out)
    np.multiply(out, x, out=out)
    return np.multiply(out, np.float32(0.5), out=out)


def _add_relu(out: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    np.add(x, y, out=out)
    return np.maximum(out, np.float32(0), out=out)


_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "variance": lambda _, x: x.var(axis=-1, ddof=1),
    "argmax": lambda _, x: x.argmax(axis=-1),
    "layer_norm": _layer_norm,
    "rms_norm": _normed,
    "exp": lambda out, x: np.exp(x, out=out),
    "tanh": lambda out, x: np.tanh(x, out=out),
    "sigmoid": _sigmoid,
    "silu": _silu,
    "gelu_tanh": _gelu_tanh,
    "add_relu": _add_relu,
    "bias_add": lambda out, x, y: np.add(x, y, out=out),
}


def _moved(problem: Problem) -> Program:
    """Copies into an array that is there; the border of a padded one is zero already."""
    case, x = problem.case, problem.inputs[0]
    if case["op"] == "transpose":
        turned = x.transpose(case["permutation"])
        out = aligned(turned)
        return Program(lambda: np.copyto(out, turned), lambda: out)
    if case["op"] == "concat":
        out = aligned(np.concatenate(problem.inputs, case["axis"]))
        return Program(lambda: np.concatenate(problem.inputs, case["axis"], out=out), lambda: out)
    if case["op"] != "pad":
        raise UnsupportedError("NumPy has no pooling.")
    out = aligned(np.pad(x, [(border, border) for border in case["border"]]))
    inner = out[tuple(slice(border, border + n) for border, n in zip(case["border"], x.shape, strict=True))]
    return Program(lambda: np.copyto(inner, x), lambda: out)
