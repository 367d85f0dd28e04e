"""Functions that programs write in several ops, as torch-mlir does and otherwise, in MLIR's text."""

from __future__ import annotations

import math

_SIGMOID = ("n = arith.negf x", "e = math.exp n", "s = arith.addf e one")
_ERF = ("e = math.erf d", "s = arith.addf e one")
_BENT = ("a = arith.mulf p cube", "b = arith.addf x a", "t = arith.mulf b scale", "e = math.tanh t")
_TANH = ("q = arith.mulf x x", "p = arith.mulf q x", *_BENT, "s = arith.addf e one")
COMPOSED: dict[str, tuple[str, ...]] = {
    "sigmoid": (*_SIGMOID, "y = arith.divf one s"),
    "silu": (*_SIGMOID, "q = arith.divf one s", "y = arith.mulf q x"),
    "gelu": ("d = arith.divf x root", *_ERF, "h = arith.mulf s half", "y = arith.mulf x h"),
    "gelu_of_half": ("d = arith.mulf x reciprocal", *_ERF, "h = arith.mulf half x", "y = arith.mulf h s"),
    "gelu_of_product": ("d = arith.divf x root", *_ERF, "h = arith.mulf x s", "y = arith.mulf h half"),
    "gelu_tanh": (*_TANH, "h = arith.mulf s half", "y = arith.mulf x h"),
    "gelu_tanh_of_half": (*_TANH, "h = arith.mulf half x", "y = arith.mulf h s"),
    "gelu_tanh_of_power": (
        "p = math.powf x three",
        *_BENT,
        "s = arith.addf one e",
        "h = arith.mulf x s",
        "y = arith.mulf h half",
    ),
    "log_of_more": ("a = math.absf x", "b = arith.addf a one", "y = math.log b"),
    "sqrt_of_size": ("a = math.absf x", "y = math.sqrt a"),
    "rsqrt_of_more": ("a = math.absf x", "b = arith.addf a one", "y = math.rsqrt b"),
}
"""The ops by their names' order: result, op, operands; `x` is the argument and `y` the function's result."""

_NUMBERS = {
    "one": 1.0,
    "half": 0.5,
    "three": 3.0,
    "root": math.sqrt(2),
    "reciprocal": math.sqrt(0.5),
    "scale": math.sqrt(2 / math.pi),
    "cube": 0.044715,
}


def numbers(kind: str) -> list[str]:
    """The constants that compositions of floats or vectors of type `kind` take."""
    written = "dense<{}>" if kind.startswith("vector") else "{}"
    return [
        f"%{name} = arith.constant {written.format(number)} : {kind}" for name, number in _NUMBERS.items()
    ]


def function(name: str, made: str, x: str, kind: str) -> list[str]:
    """`made` = the function of that name, of `COMPOSED` or an op's, of `x`."""
    lines = []
    for line in COMPOSED.get(name, (f"y = {name} x",)):
        result, op, *operands = line.replace("=", "").split()
        given = [
            x if each == "x" else f"%{each}" if each in _NUMBERS else f"{made}{each}" for each in operands
        ]
        lines.append(f"{made if result == 'y' else made + result} = {op} {', '.join(given)} : {kind}")
    return lines
