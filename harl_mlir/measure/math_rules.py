"""The ops of the math dialect on arrays, with a running error bound; see `body_rules`.

A function of the math library, or a polynomial in its place, may be off by `ULP_OF_LIBM` units in the
last place, besides what its operand's bound makes of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from harl_mlir.measure.approx import Approx, Array, OpTypes, Rule, eps, rounded, tiny
from harl_mlir.measure.body_rules import stepped

ULP_OF_LIBM = 4

MATH_RULES: dict[str, Rule] = {}
"""The known ops of `math`."""


Propagation = Callable[[Array, Array | float, Array], Array | float]
"""Operand, its bound, result -> the bound of the result for that."""


def _function(function: Callable[[Array], Any], propagate: Propagation) -> Rule:
    def rule(x: list[Approx], types: OpTypes) -> Approx:
        value = np.asarray(function(x[0].value), dtype=np.float64)
        moved = 0.0 if x[0].exact else propagate(x[0].value, x[0].error, value)
        return rounded(value, moved, types.result, 2 * ULP_OF_LIBM)

    return rule


def _contracting(a: Array, e: Array | float, r: Array) -> Array | float:
    return e


def _log_error(a: Array, e: Array | float, r: Array) -> Array:
    return np.where(a > e, e / np.maximum(a - e, 5e-324), np.inf)


def _sqrt_error(a: Array, e: Array | float, r: Array) -> Array:
    low = np.sqrt(np.maximum(a - e, 0.0))
    return np.where(a >= e, e / np.maximum(r + low, 5e-324), np.inf)


def _rsqrt_error(a: Array, e: Array | float, r: Array) -> Array:
    low = np.maximum(a - e, 0.0)
    return np.where(low > 0, 1 / np.sqrt(np.maximum(low, 5e-324)) - r, np.inf)


_erf_of_objects = np.frompyfunc(math.erf, 1, 1)


def _erf(a: Array) -> Array:
    return np.asarray(_erf_of_objects(a), dtype=np.float64)


_MATH: dict[str, tuple[Callable[[Array], Any], Propagation]] = {
    "exp": (np.exp, lambda a, e, r: r * np.expm1(e)),
    "exp2": (np.exp2, lambda a, e, r: r * np.expm1(e * math.log(2))),
    "expm1": (np.expm1, lambda a, e, r: (r + 1) * np.expm1(e)),
    "log": (np.log, _log_error),
    "log2": (np.log2, lambda a, e, r: _log_error(a, e, r) / math.log(2)),
    "log10": (np.log10, lambda a, e, r: _log_error(a, e, r) / math.log(10)),
    "log1p": (np.log1p, lambda a, e, r: _log_error(1 + a, e, r)),
    "sqrt": (np.sqrt, _sqrt_error),
    "rsqrt": (lambda a: 1 / np.sqrt(a), _rsqrt_error),
    "cbrt": (np.cbrt, lambda a, e, r: np.cbrt(4 * np.asarray(e))),
    "tanh": (np.tanh, lambda a, e, r: e * (1 - np.tanh(np.maximum(np.abs(a) - e, 0)) ** 2)),
    "sin": (np.sin, _contracting),
    "cos": (np.cos, _contracting),
    "atan": (np.arctan, _contracting),
    "erf": (_erf, lambda a, e, r: 1.13 * e),
    "sinh": (np.sinh, lambda a, e, r: np.cosh(np.abs(a) + e) * e),
    "cosh": (np.cosh, lambda a, e, r: np.cosh(np.abs(a) + e) * e),
}
for _name, (_numpy, _propagate) in _MATH.items():
    MATH_RULES[f"math.{_name}"] = _function(_numpy, _propagate)


def _powf(x: list[Approx], types: OpTypes) -> Approx:
    a, b = x
    value = np.power(a.value, b.value)
    moved: Array | float = 0.0
    if not (a.exact and b.exact):
        room = np.abs(a.value) - a.error
        relative = np.where(room > 0, np.abs(b.value) * a.error / np.maximum(room, 5e-324), np.inf)
        relative = relative + np.abs(np.log(np.abs(a.value))) * b.error
        moved = np.abs(value) * np.expm1(relative)
    # exp(b log a) rounds the exponent first.
    ulps = 2 * ULP_OF_LIBM * (1 + np.abs(b.value * np.log(np.abs(a.value))))
    ulps = np.where(np.isfinite(ulps), ulps, 2 * ULP_OF_LIBM)
    error = moved + ulps * eps(types.result) * (np.abs(value) + moved) + tiny(types.result)
    return Approx(value, error)


MATH_RULES["math.powf"] = _powf


def _half_away(a: Array) -> Array:
    return np.asarray(np.trunc(a + np.copysign(0.5, a)))


MATH_RULES["math.floor"] = stepped(np.floor)
MATH_RULES["math.ceil"] = stepped(np.ceil)
MATH_RULES["math.trunc"] = stepped(np.trunc)
MATH_RULES["math.roundeven"] = stepped(np.rint)
MATH_RULES["math.round"] = stepped(_half_away)
