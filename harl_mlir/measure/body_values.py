"""The values of a linalg body over a box of its loop nest, and what they depend on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harl_mlir.measure.approx import Approx, OpTypes, constant, is_float
from harl_mlir.measure.body_rules import RULES
from harl_mlir.measure.loop_views import Box, loop_view
from harl_mlir.measure.math_rules import MATH_RULES
from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp, loops_of

KNOWN_OPS = {**RULES, **MATH_RULES}
"""The body ops that can be computed, but for `arith.constant` and `linalg.index`."""


class CannotCheckError(Exception):
    """There is no reference for an op; the message says why."""


class Body:
    """The body's values over a box of the nest, each computed once, when asked for."""

    def __init__(self, op: LinalgOp, operands: Sequence[Approx | None], box: Box) -> None:
        self._op, self._operands, self._box = op, operands, box
        self._body = numbered(op)
        self._known: dict[int, Approx] = {}

    def value(self, number: int) -> Approx:
        """Value `number` of the body's numbering, with an axis for each loop."""
        stack = [number]
        while stack:
            top = stack[-1]
            missing = [v for v in self._needs(top) if v not in self._known]
            if missing:
                stack += missing
                continue
            stack.pop()
            if top not in self._known:
                self._known[top] = self._compute(top)
        return self._known[number]

    def _needs(self, number: int) -> tuple[int, ...]:
        return self._body[number].operands if number in self._body else ()

    def _compute(self, number: int) -> Approx:
        if number < len(self._op.operands):
            return self._operand(number)
        body = self._body[number]
        attributes = dict(body.attributes)
        if body.name == "arith.constant":
            text = attributes["value"]
            return constant(float(text) if is_float(body.result) else int(text), body.result)
        if body.name == "linalg.index":
            loop = int(attributes["dim"])
            shape = [1] * len(self._box)
            shape[loop] = -1
            return Approx(np.arange(*self._box[loop], dtype=np.int64).reshape(shape))
        types = OpTypes(attributes, tuple(self._type(v) for v in body.operands), body.result)
        return KNOWN_OPS[body.name]([self._known[v] for v in body.operands], types)

    def _type(self, number: int) -> str:
        operands = self._op.operands
        return operands[number].element if number < len(operands) else self._body[number].result

    def _operand(self, number: int) -> Approx:
        given, operand = self._operands[number], self._op.operands[number]
        if given is None:
            raise CannotCheckError("a body reads a tensor that holds nothing yet")
        value = loop_view(given.value, operand, self._box)
        if isinstance(given.error, float):
            return Approx(value, given.error)
        error = np.broadcast_to(given.error, given.value.shape)
        return Approx(value, loop_view(error, operand, self._box))


def numbered(op: LinalgOp) -> dict[int, BodyOp]:
    """The body's ops by value number."""
    return dict(enumerate(op.body, start=len(op.operands)))


def users(op: LinalgOp, value: int) -> frozenset[int]:
    """The value itself and all body values computed from it."""
    found = {value}
    for number, body in numbered(op).items():
        if not found.isdisjoint(body.operands):
            found.add(number)
    return frozenset(found)


def loops_below(op: LinalgOp, value: int) -> frozenset[int]:
    """The loops a body value depends on."""
    body = numbered(op)
    loops: set[int] = set()
    stack = [value]
    while stack:
        number = stack.pop()
        if number < len(op.operands):
            rows = op.operands[number].map
            loops.update(d for row in rows for d in loops_of(row))
        else:
            stack += body[number].operands
            if body[number].name == "linalg.index":
                loops.add(int(dict(body[number].attributes)["dim"]))
    return frozenset(loops)
