"""One task on the worker's bench: its operands, its reference, and whether a kernel computes it right."""

from __future__ import annotations

from harl_mlir.codegen.jit import Bound, CompiledKernel
from harl_mlir.codegen.lowering import InPlace
from harl_mlir.measure.build import result_types
from harl_mlir.measure.clock import Timed
from harl_mlir.measure.measurement import Failure
from harl_mlir.measure.operands import DTYPES, OperandSet, seeded_arguments
from harl_mlir.measure.reference import Array, Reference, difference, mismatch, reference
from harl_mlir.tasks.task import Task


class TaskBench:
    """The operands and the reference of a task, kept between its candidates.

    A kernel is checked on buffers flush against the guard page behind them, and timed on others flush
    against the one in front.

    Attributes:
        untuned: the results of the untuned kernel once `keep_untuned` was called, else None.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.untuned: tuple[Array, ...] | None = None
        self.result_types = result_types(task)
        for kind in (*task.arguments, *self.result_types):
            if kind.element not in DTYPES:
                raise ValueError(f"elements of type {kind.element} cannot be measured")
        given = seeded_arguments(task)
        self._reference: Reference | None = None if task.unchecked else reference(task, given)
        self._checked_on = OperandSet(task, self.result_types, given, "end")
        self._timed_on = OperandSet(task, self.result_types, given, "start")
        # Arguments that an op of the task may update in place.
        self._updatable = frozenset(
            member.sources[-1].index for member in task.members if member.sources[-1].kind == "argument"
        )

    @property
    def guards(self) -> list[tuple[int, int]]:
        """Address ranges of all guard pages."""
        return self._checked_on.guards + self._timed_on.guards

    @property
    def bytes(self) -> int:
        """Memory held, about."""
        held = self._reference.bytes if self._reference else 0
        held += sum(result.nbytes for result in self.untuned or ())
        return 3 * self.task.bytes + held

    def fresh_call(self, kernel: CompiledKernel) -> Bound:
        """The kernel bound to fresh operands: one call of it, then `verdict`."""
        self._checked_on.reset()
        return _bind(kernel, self._checked_on)

    def keep_untuned(self, kernel: CompiledKernel) -> None:
        """Keep the results of the call made on `fresh_call`, which was one of the untuned kernel."""
        self.untuned = tuple(array.copy() for array in self._results(kernel))

    def verdict(self, kernel: CompiledKernel, *, exact: bool = False) -> Failure | None:
        """What was wrong with the call made on `fresh_call`, or None.

        With `exact` the results must be those kept of the untuned kernel, besides those of the reference.
        """
        if not self._checked_on.slack_intact():
            return Failure("out_of_bounds", "wrote beside a buffer")
        changed = [i for i in self._checked_on.changed_arguments() if i not in self._updatable]
        if changed:
            return Failure("wrong_result", f"changed its argument {changed[0]}, which is only read")
        for number, array in enumerate(self._results(kernel)):
            wrong = None
            if self._reference is not None:
                expected = self._reference.results[number]
                wrong = mismatch(array, expected, self.result_types[number].element)
            if wrong is None and exact:
                assert self.untuned is not None
                wrong = difference(array, self.untuned[number], self.result_types[number].element)
            if wrong is not None:
                which = f"result {number}: " if len(kernel.results) > 1 else ""
                return Failure("wrong_result", which + wrong)
        return None

    def _results(self, kernel: CompiledKernel) -> list[Array]:
        """Where the call made on `fresh_call` left its results."""
        arrays = []
        for number, place in enumerate(kernel.results):
            if isinstance(place, InPlace):
                buffer = self._checked_on.arguments[place.argument]
            else:
                buffer = self._checked_on.results[number]
            assert buffer is not None
            arrays.append(buffer.array)
        return arrays

    def timed(self, kernel: CompiledKernel) -> Timed:
        """The kernel ready for the clock, with arguments it accumulates into put back before a sample."""
        self._timed_on.reset()
        updatable = sorted(self._updatable)
        bound = _bind(kernel, self._timed_on)
        return Timed(call=bound, reset=lambda: self._timed_on.reset_arguments(updatable))

    def after_timing(self) -> Failure | None:
        """What was wrong with the buffers after timing, or None."""
        if not self._timed_on.slack_intact():
            return Failure("out_of_bounds", "wrote beside a buffer")
        return None


def _bind(kernel: CompiledKernel, operands: OperandSet) -> Bound:
    given = [operands.value(i) for i in range(len(operands.arguments))]
    return kernel.bind([*given, *_result_addresses(kernel, operands)])


def _result_addresses(kernel: CompiledKernel, operands: OperandSet) -> list[int]:
    return [
        operands.results[number].address
        for number, place in enumerate(kernel.results)
        if not isinstance(place, InPlace)
    ]
