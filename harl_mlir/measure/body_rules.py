"""The scalar ops of linalg bodies on arrays, in double precision, with a running error bound.

Each value carries a bound on how far a correct kernel's value may be from it: the bounds of its
operands propagated through the op, plus `eps` of the result's type times the magnitude for the
op's own rounding (for the math library see `math_rules`).
Ops that round nothing (max, min, neg, compare, select, extensions) add nothing. Where a compare or a
rounding to integers could go either way within the bounds, both outcomes are allowed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harl_mlir.measure.approx import (
    Approx,
    Array,
    OpTypes,
    Rule,
    rounded,
    unsigned,
    wrap,
)

RULES: dict[str, Rule] = {}
"""The ops of `arith` but for `arith.constant`, and those of `math` that call no library."""

NEEDS_EXACT_INTEGERS = frozenset(
    {
        "arith.andi", "arith.extui", "arith.index_cast", "arith.maxui", "arith.minui", "arith.ori",
        "arith.trunci", "arith.xori",
    }
)  # fmt: skip
"""Integer ops whose operands must not come from rounded floats: no bound is known for them."""


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        for name in names:
            RULES[name] = rule
        return rule

    return register


# Arithmetic.


@_rule("arith.addf")
def _addf(x: list[Approx], types: OpTypes) -> Approx:
    return rounded(x[0].value + x[1].value, x[0].error + x[1].error, types.result)


@_rule("arith.subf")
def _subf(x: list[Approx], types: OpTypes) -> Approx:
    return rounded(x[0].value - x[1].value, x[0].error + x[1].error, types.result)


def product_error(a: Approx, b: Approx) -> Array | float:
    """How far the product may be off because its factors are."""
    if a.exact and b.exact:
        return 0.0
    error = np.abs(a.value) * b.error + np.abs(b.value) * a.error + a.error * b.error
    # Of a factor nothing may be known, of the product then neither: zero times infinity would be no bound.
    return np.where(np.isinf(a.error) | np.isinf(b.error), np.inf, error)


@_rule("arith.mulf")
def _mulf(x: list[Approx], types: OpTypes) -> Approx:
    return rounded(x[0].value * x[1].value, product_error(x[0], x[1]), types.result)


@_rule("math.fma")
def _fma(x: list[Approx], types: OpTypes) -> Approx:
    # A compiler may round the product too, or not.
    product = _mulf(x[:2], types)
    return _addf([product, x[2]], types)


@_rule("arith.divf")
def _divf(x: list[Approx], types: OpTypes) -> Approx:
    a, b = x
    value = a.value / b.value
    if a.exact and b.exact:
        return rounded(value, 0.0, types.result)
    room = np.abs(b.value) - b.error
    return rounded(
        value, np.where(room > 0, (a.error + np.abs(value) * b.error) / room, np.inf), types.result
    )


@_rule("arith.negf")
def _negf(x: list[Approx], types: OpTypes) -> Approx:
    return Approx(-x[0].value, x[0].error)


@_rule("math.absf")
def _absf(x: list[Approx], types: OpTypes) -> Approx:
    return Approx(np.abs(x[0].value), x[0].error)


def _extremum(function: Callable[[Array, Array], Array]) -> Rule:
    def rule(x: list[Approx], types: OpTypes) -> Approx:
        return Approx(function(x[0].value, x[1].value), np.maximum(x[0].error, x[1].error))

    return rule


RULES["arith.maximumf"] = _extremum(np.maximum)
RULES["arith.minimumf"] = _extremum(np.minimum)
RULES["arith.maxnumf"] = _extremum(np.fmax)
RULES["arith.minnumf"] = _extremum(np.fmin)
RULES["arith.maxsi"] = _extremum(np.maximum)
RULES["arith.minsi"] = _extremum(np.minimum)


@_rule("math.copysign")
def _copysign(x: list[Approx], types: OpTypes) -> Approx:
    unsure = np.abs(x[1].value) < x[1].error
    value = np.copysign(x[0].value, x[1].value)
    return Approx(value, np.where(unsure, 2 * np.abs(value), 0.0) + x[0].error)


# Integers.


def _integers(function: Callable[[Array, Array], Array], error: Callable[..., Array | float]) -> Rule:
    def rule(x: list[Approx], types: OpTypes) -> Approx:
        return Approx(wrap(function(x[0].value, x[1].value), types.result), error(x[0], x[1]))

    return rule


def _sum_of_errors(a: Approx, b: Approx) -> Array | float:
    return a.error + b.error


def _no_error(a: Approx, b: Approx) -> float:
    return 0.0


RULES["arith.addi"] = _integers(np.add, _sum_of_errors)
RULES["arith.subi"] = _integers(np.subtract, _sum_of_errors)
RULES["arith.muli"] = _integers(np.multiply, product_error)
RULES["arith.andi"] = _integers(np.bitwise_and, _no_error)
RULES["arith.ori"] = _integers(np.bitwise_or, _no_error)
RULES["arith.xori"] = _integers(np.bitwise_xor, _no_error)


@_rule("arith.maxui")
def _unsigned_maximum(x: list[Approx], types: OpTypes) -> Approx:
    a, b = x[0].value, x[1].value
    return Approx(np.where(unsigned(a, types.result) >= unsigned(b, types.result), a, b))


@_rule("arith.minui")
def _unsigned_minimum(x: list[Approx], types: OpTypes) -> Approx:
    a, b = x[0].value, x[1].value
    return Approx(np.where(unsigned(a, types.result) <= unsigned(b, types.result), a, b))


@_rule("math.absi")
def _absi(x: list[Approx], types: OpTypes) -> Approx:
    return Approx(wrap(np.abs(x[0].value), types.result), x[0].error)


@_rule("arith.trunci", "arith.index_cast")
def _trunci(x: list[Approx], types: OpTypes) -> Approx:
    signed = -x[0].value if types.operands[0] == "i1" else x[0].value
    return Approx(wrap(signed, types.result))


@_rule("arith.extsi")
def _extsi(x: list[Approx], types: OpTypes) -> Approx:
    return Approx(-x[0].value if types.operands[0] == "i1" else x[0].value, x[0].error)


@_rule("arith.extui")
def _extui(x: list[Approx], types: OpTypes) -> Approx:
    return Approx(unsigned(x[0].value, types.operands[0]).astype(np.int64))


# Comparing and choosing.

_CMPF = (
    "false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une",
    "uno", "true",
)  # fmt: skip
_CMPI = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
_RELATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
}


def _predicate(types: OpTypes, names: tuple[str, ...]) -> str:
    return names[int(types.attributes["predicate"])]


@_rule("arith.cmpf")
def _cmpf(x: list[Approx], types: OpTypes) -> Approx:
    name = _predicate(types, _CMPF)
    a, b = x[0].value, x[1].value
    unordered = np.isnan(a) | np.isnan(b)
    if name in ("true", "false", "ord", "uno"):
        value = {
            "true": np.ones_like(unordered),
            "false": np.zeros_like(unordered),
            "ord": ~unordered,
            "uno": unordered,
        }[name]
        return Approx(value.astype(np.int64))
    value = _RELATIONS[name[1:]](a, b)
    value = value | unordered if name[0] == "u" else value & ~unordered
    unsure = np.abs(a - b) <= x[0].error + x[1].error
    error = 0.0 if x[0].exact and x[1].exact else unsure.astype(np.float64)
    return Approx(value.astype(np.int64), error)


@_rule("arith.cmpi")
def _cmpi(x: list[Approx], types: OpTypes) -> Approx:
    name = _predicate(types, _CMPI)
    a, b = x[0].value, x[1].value
    if name[0] == "u":
        a, b = unsigned(a, types.operands[0]), unsigned(b, types.operands[0])
    elif types.operands[0] == "i1" and name[0] == "s":
        a, b = -a, -b
    value = _RELATIONS[name.lstrip("su")](a, b)
    error: Array | float = 0.0
    if not (x[0].exact and x[1].exact):
        error = (np.abs(x[0].value - x[1].value) <= x[0].error + x[1].error).astype(np.float64)
    return Approx(value.astype(np.int64), error)


@_rule("arith.select")
def _select(x: list[Approx], types: OpTypes) -> Approx:
    chosen, yes, no = x
    value = np.where(chosen.value != 0, yes.value, no.value)
    error = np.where(chosen.value != 0, yes.error, no.error)
    if not chosen.exact:
        either = np.abs(yes.value - no.value) + np.maximum(yes.error, no.error)
        error = np.where(np.asarray(chosen.error) > 0, either, error)
    return Approx(value, error)


# Casts.


@_rule("arith.extf")
def _extf(x: list[Approx], types: OpTypes) -> Approx:
    return x[0]


@_rule("arith.truncf")
def _truncf(x: list[Approx], types: OpTypes) -> Approx:
    return rounded(x[0].value, x[0].error, types.result)


@_rule("arith.sitofp")
def _sitofp(x: list[Approx], types: OpTypes) -> Approx:
    signed = -x[0].value if types.operands[0] == "i1" else x[0].value
    return rounded(signed.astype(np.float64), x[0].error, types.result)


@_rule("arith.uitofp")
def _uitofp(x: list[Approx], types: OpTypes) -> Approx:
    return rounded(unsigned(x[0].value, types.operands[0]).astype(np.float64), x[0].error, types.result)


@_rule("arith.fptosi", "arith.fptoui")
def _fptosi(x: list[Approx], types: OpTypes) -> Approx:
    rounded = stepped(np.trunc)(x, types)
    return Approx(wrap(rounded.value.astype(np.int64), types.result), rounded.error)


def stepped(function: Callable[[Array], Array]) -> Rule:
    """The rule of a rounding to integers, which may go either way within the bounds."""

    def rule(x: list[Approx], types: OpTypes) -> Approx:
        value = function(x[0].value)
        if x[0].exact:
            return Approx(value)
        above, below = function(x[0].value + x[0].error), function(x[0].value - x[0].error)
        return Approx(value, np.maximum(np.abs(above - value), np.abs(below - value)))

    return rule
