"""The value of one linalg op, computed from its loop-nest facts with NumPy, with an error bound.

Independent of MLIR: indexing maps become strided views, the body is evaluated op by op in double
precision (integers exactly), reductions by their combiner. Sums of products of two operands run as
matrix products.

Bounds. For a sum of K terms, and so for every contraction: `2 (K + 2) eps (|A| . |B| + |C|)` with eps
of the result's type and C the init, and what K products that underflow may be off by; extremes, bitwise
ops and copies are exact; the rest is a running error analysis, see `body_rules`. Bounds of operands that are
themselves results are propagated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harl_mlir.measure.accumulate import COMBINERS, Sum, accumulator
from harl_mlir.measure.approx import Approx, is_float, largest
from harl_mlir.measure.body_rules import NEEDS_EXACT_INTEGERS
from harl_mlir.measure.body_values import KNOWN_OPS, Body, CannotCheckError, loops_below, numbered, users
from harl_mlir.measure.loop_views import Box, contract, parts, size, whole
from harl_mlir.measure.operands import DTYPES
from harl_mlir.tasks.linalg_op import PAD, LinalgOp

Array: TypeAlias = npt.NDArray[Any]

_PART = 1 << 21
_CONTRACTION_PART = 1 << 25
_MOST_ITERATIONS = 1 << 29
_EXACT_IN_DOUBLE = 2**53


@dataclass(frozen=True)
class Reduction:
    """How a body reduces into its init: the combiner, and its terms (value numbers) with their signs."""

    combiner: str
    terms: tuple[tuple[int, int], ...]


def refuse(op: LinalgOp) -> None:
    """Raise CannotCheckError if the op's value cannot be computed."""
    made = [op.init.element, *(body.result for body in op.body)]
    for element in [*(operand.element for operand in op.inputs), *made]:
        if element not in DTYPES:
            raise CannotCheckError(f"elements of type {element} cannot be checked")
    rounded: set[int] = set()
    for number, body in enumerate(op.body, start=len(op.operands)):
        if body.name not in KNOWN_OPS and body.name not in ("arith.constant", "linalg.index", PAD):
            raise CannotCheckError(f"{body.name} in a body cannot be checked")
        inexact = body.name in ("arith.fptosi", "arith.fptoui") or not rounded.isdisjoint(body.operands)
        if inexact and body.name in NEEDS_EXACT_INTEGERS:
            raise CannotCheckError(f"{body.name} of a rounded number cannot be checked")
        if inexact and not is_float(body.result) and not body.name.startswith("arith.cmp"):
            rounded.add(number)
    if op.reduction_dims:
        reduction_of(op)
    if size(whole(op.dims)) > _MOST_ITERATIONS and product_of(op) is None:
        raise CannotCheckError("the op is too large to check")


def reduction_of(op: LinalgOp) -> Reduction:
    """The reduction an op with reduction loops does. Raises CannotCheckError if it is not understood."""
    body = numbered(op)
    init = len(op.operands) - 1
    uses_init = users(op, init)
    terms: list[tuple[int, int]] = []
    combiner = COMBINERS.get(body[op.yields].name) if op.yields in body else None
    value = op.yields
    while value != init:
        here = body.get(value)
        if combiner is None or here is None or COMBINERS.get(here.name) != combiner:
            raise CannotCheckError("a reduction whose body is not a sum, product, extreme or bitwise op")
        first, second = here.operands
        minus = here.name in ("arith.subf", "arith.subi")
        if second in uses_init and first not in uses_init and not minus:
            first, second = second, first
        if first not in uses_init or second in uses_init:
            raise CannotCheckError("a reduction that uses its running value in more than one way")
        terms.append((second, -1 if minus else 1))
        value = first
    if combiner is None:
        raise CannotCheckError("a reduction loop whose body reduces nothing")
    return Reduction(combiner, tuple(terms))


def product_of(op: LinalgOp) -> tuple[int, int, int] | None:
    """For `init +- f(a) * g(b)`: the value numbers of both factors and the sign; else None."""
    if not op.reduction_dims:
        return None
    try:
        reduction = reduction_of(op)
    except CannotCheckError:
        return None
    if reduction.combiner != "sum" or len(reduction.terms) != 1:
        return None
    ((term, sign),) = reduction.terms
    body = numbered(op)
    if term not in body or body[term].name not in ("arith.mulf", "arith.muli"):
        return None
    # A product in a wider or narrower type than the sum rounds differently.
    if body[term].result != op.init.element:
        return None
    first, second = body[term].operands
    loops = [loops_below(op, value) for value in (first, second)]
    if any(d not in loops[0] | loops[1] for d in op.reduction_dims):
        return None
    return first, second, sign


def evaluate(op: LinalgOp, operands: Sequence[Approx | None]) -> Approx:
    """The op's result from its operands (None for an init that holds nothing)."""
    if op.is_pad:
        return _padded(op, operands[0])
    with np.errstate(all="ignore"):
        nest = _reduce(op, operands) if op.reduction_dims else _map(op, operands)
    # The result is indexed by plain loops: one row, one loop.
    order = [row.index(1) for row in op.init.map]
    axes = [*order, *op.reduction_dims]
    value = nest.value.transpose(axes).reshape(op.init.shape)
    if isinstance(nest.error, float):
        error: Array | float = nest.error
    else:
        error = np.broadcast_to(nest.error, nest.value.shape).transpose(axes).reshape(op.init.shape)
    return _with_overflow(Approx(value, error), op.init.element)


def _padded(op: LinalgOp, source: Approx | None) -> Approx:
    """A padding: its operand among copies of the constant that is its body's first op."""
    assert source is not None
    text = dict(op.body[0].attributes)["value"]
    number = float(text) if is_float(op.init.element) else int(text)
    inside = tuple(
        slice(-row[-1], extent - row[-1])
        for row, extent in zip(op.inputs[0].map, op.inputs[0].shape, strict=True)
    )
    value = np.full(op.init.shape, number, source.value.dtype)
    value[inside] = source.value
    if source.exact:
        return Approx(value)
    error = np.zeros(op.init.shape)
    error[inside] = source.error
    return Approx(value, error)


def _with_overflow(result: Approx, element: str) -> Approx:
    """Where the value may exceed the type's range nothing can be said of what the kernel computes.

    An infinity without an error is no such value: it was written there, as the least of all numbers is.
    """
    if not is_float(element):
        return result
    over = np.abs(result.value) + result.error > largest(element)
    over &= ~(np.isinf(result.value) & (result.error == 0))
    if over.any():
        return Approx(result.value, np.where(over, np.inf, result.error))
    return result


def _map(op: LinalgOp, operands: Sequence[Approx | None]) -> Approx:
    element = np.float64 if is_float(op.init.element) else np.int64
    value = np.empty(op.dims, element)
    error = np.zeros(op.dims)
    exact = True
    for box in parts(whole(op.dims), op.parallel_dims, _PART):
        where = tuple(slice(*r) for r in box)
        result = Body(op, operands, box).value(op.yields)
        value[where] = result.value
        if not result.exact:
            error[where] = result.error
            exact = False
    return Approx(value, 0.0 if exact else error)


def _reduce(op: LinalgOp, operands: Sequence[Approx | None]) -> Approx:
    reduction = reduction_of(op)
    axes = op.reduction_dims
    shape = tuple(1 if d in axes else extent for d, extent in enumerate(op.dims))
    count = math.prod(op.dims[d] for d in axes) * len(reduction.terms)
    total = accumulator(reduction.combiner, shape, op.init.element, count)
    product = product_of(op)
    by_size = sorted(range(len(op.dims)), key=lambda d: (d in axes, -op.dims[d]))
    if product is not None and isinstance(total, Sum):
        loops = [loops_below(op, value) for value in product[:2]]
        # Cut so that neither factor's copy and no part of the result is too large.
        most = _CONTRACTION_PART * max(
            1, min(_outside(op, loops[0]), _outside(op, loops[1]), _outside(op, axes))
        )
        for box in parts(whole(op.dims), tuple(by_size), most):
            _add_product(op, operands, box, product, total)
    else:
        for box in parts(whole(op.dims), tuple(by_size), _PART):
            body = Body(op, operands, box)
            inside = tuple(past - first for first, past in box)
            for number, sign in reduction.terms:
                term = body.value(number)
                full = Approx(np.broadcast_to(term.value, inside), term.error)
                total.add(_where(box, axes), full, axes, sign)
    init = Body(op, operands, tuple((0, 1) if d in axes else (0, e) for d, e in enumerate(op.dims)))
    start = init.value(len(op.operands) - 1)
    total.add(_where(whole(op.dims), axes), Approx(np.broadcast_to(start.value, shape), start.error), ())
    return total.finish()


def _outside(op: LinalgOp, loops: Sequence[int] | frozenset[int]) -> int:
    return math.prod(extent for d, extent in enumerate(op.dims) if d not in loops)


def _where(box: Box, reduced: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, 1) if d in reduced else slice(*r) for d, r in enumerate(box))


def _add_product(
    op: LinalgOp, operands: Sequence[Approx | None], box: Box, product: tuple[int, int, int], total: Sum
) -> None:
    body = Body(op, operands, box)
    first, second, sign = product
    a, b = body.value(first), body.value(second)
    axes, where = op.reduction_dims, _where(box, op.reduction_dims)
    if not is_float(op.init.element):
        total.add_reduced(where, sign * _integer_contract(a.value, b.value, axes, size(box)), None, 0.0)
        return
    magnitude = contract(np.abs(a.value), np.abs(b.value), axes)
    moved: Array | float = 0.0
    if not b.exact:
        moved = moved + contract(np.abs(a.value), np.broadcast_to(b.error, b.value.shape), axes)
    if not a.exact:
        off = np.broadcast_to(a.error, a.value.shape)
        moved = moved + contract(off, np.abs(b.value) + b.error, axes)
    total.add_reduced(where, sign * contract(a.value, b.value, axes), magnitude, moved)


def _integer_contract(a: Array, b: Array, axes: tuple[int, ...], terms: int) -> Array:
    largest = int(np.abs(a).max(initial=0)) * int(np.abs(b).max(initial=0)) * terms
    if largest < _EXACT_IN_DOUBLE:
        # Exact, and hundreds of times faster than NumPy's integer product.
        return contract(a.astype(np.float64), b.astype(np.float64), axes).astype(np.int64)
    return contract(a, b, axes)
