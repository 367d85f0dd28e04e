"""What a task's results should be, with how far a correct kernel may be from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from harl_mlir.measure.approx import Approx, constant, is_float
from harl_mlir.measure.body_values import CannotCheckError
from harl_mlir.measure.op_reference import evaluate, refuse
from harl_mlir.measure.operands import DTYPES, Arguments, exact
from harl_mlir.tasks.linalg_op import Operand
from harl_mlir.tasks.task import Member, Task

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Reference:
    """The expected results of a task, in the order of `Task.results`, for one set of arguments."""

    results: tuple[Approx, ...]

    @property
    def bytes(self) -> int:
        """Memory held."""
        return sum(np.asarray(part).nbytes for r in self.results for part in (r.value, r.error))


def can_check(task: Task) -> str | None:
    """None if the task's results can be checked; otherwise why not, for people."""
    if task.unchecked:
        return task.unchecked
    for argument in task.arguments:
        if argument.element not in DTYPES or (argument.is_scalar and argument.element == "bf16"):
            return f"elements of type {argument.element} cannot be checked"
    try:
        for member in task.members:
            refuse(member.op)
            if member.sources[-1].kind == "empty" and member.op.reads_init:
                raise CannotCheckError("a body reads a tensor that holds nothing yet")
            if any(source.kind == "other" for source in member.sources):
                raise CannotCheckError("an operand is computed by something that is not a linalg op")
    except CannotCheckError as reason:
        return str(reason)
    return None


def reference(task: Task, arguments: Arguments) -> Reference:
    """Evaluate a task in double precision. Raises CannotCheckError where `can_check` gives a reason."""
    reason = can_check(task)
    if reason is not None:
        raise CannotCheckError(reason)
    given = [
        Approx(exact(value, kind.element))
        for kind, value in zip(task.arguments, arguments.values, strict=True)
    ]
    last_use = {
        source.index: number
        for number, member in enumerate(task.members)
        for source in member.sources
        if source.kind == "member"
    }
    results: dict[int, Approx] = {}
    for number, member in enumerate(task.members):
        results[number] = evaluate(member.op, _operands(member, given, results))
        for done in [r for r in results if r not in task.results and last_use.get(r, r) <= number]:
            del results[done]
    return Reference(tuple(results[r] for r in task.results))


def _operands(member: Member, given: list[Approx], results: dict[int, Approx]) -> list[Approx | None]:
    operands: list[Approx | None] = []
    for operand, source in zip(member.op.operands, member.sources, strict=True):
        if source.kind == "argument":
            operands.append(given[source.index])
        elif source.kind == "member":
            operands.append(results[source.index])
        elif source.kind == "constant":
            operands.append(_splat(constant(source.number, operand.element), operand))
        else:
            operands.append(None)
    return operands


def _splat(value: Approx, operand: Operand) -> Approx:
    return Approx(np.broadcast_to(value.value, operand.shape))


def difference(got: Array, untuned: Array, element: str) -> str | None:
    """None if a kernel's result is the untuned kernel's bit for bit, NaNs aside; else where not, in words.

    `element` is MLIR's name of what the arrays hold.
    """
    bits = np.dtype(f"u{got.itemsize}")
    same = got.view(bits) == untuned.view(bits)
    if is_float(element):
        same |= np.isnan(exact(got, element)) & np.isnan(exact(untuned, element))
    if same.all():
        return None
    where = np.unravel_index(int(np.argmin(same)), same.shape) if same.ndim else ()
    place = "".join(f"[{int(i)}]" for i in where)
    return (
        f"{int((~same).sum())} of {same.size} elements are not exactly the untuned kernel's; "
        f"element {place or 'alone'} is {got[where]!r}, should be {untuned[where]!r}"
    )


def mismatch(got: Array, expected: Approx, element: str) -> str | None:
    """None if a kernel's result is within the bound everywhere; else the worst element, in words."""
    with np.errstate(all="ignore"):
        values = exact(got, element)
        if is_float(element):
            distance = np.abs(values - expected.value)
            right = (distance <= expected.error) | (values == expected.value)
            right |= np.isnan(values) & np.isnan(expected.value)
            right |= np.isposinf(np.broadcast_to(expected.error, values.shape))
        else:
            distance = np.abs(values - expected.value).astype(np.float64)
            right = (values == expected.value) | (distance <= expected.error)
        wrong = ~right
        count = int(wrong.sum())
        if count == 0:
            return None
        excess = np.where(wrong, np.nan_to_num(distance, nan=np.inf), -1.0)
        where = np.unravel_index(int(np.argmax(excess)), wrong.shape) if wrong.ndim else ()
        allowed = np.broadcast_to(expected.error, wrong.shape)[where]
    place = "".join(f"[{int(i)}]" for i in where)
    return (
        f"{count} of {wrong.size} elements are wrong; element {place or 'alone'} is {values[where]:.9g}, "
        f"should be {expected.value[where]:.9g} +- {allowed:.3g}"
    )
