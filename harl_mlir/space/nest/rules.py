"""Which loop nests of an op are legal: they transform, compile in time, and compute the right numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.tasks.contraction import step_along, stride_along
from harl_mlir.tasks.linalg_op import LinalgOp

MOST_LOOPS = 12
MOST_REGISTERS_A_VECTOR = 4
"""Longer vectors are slower to compile and no faster."""
_REGISTERS_KEPT_FREE = 3
MOST_BODY = 128
"""Vector operations that unrolling may put into one body; each takes LLVM about half a millisecond."""
_MOST_PIECES = 4


def is_width(width: int, lanes: int) -> bool:
    """Whether LLVM makes good code for vectors of so many elements: parts of a register, or 1, 2 or 4."""
    return 1 <= width <= lanes or width in {lanes << i for i in range(MOST_REGISTERS_A_VECTOR.bit_length())}


@dataclass(frozen=True)
class NestRules:
    """The rules for the nests of one op, a product that is summed.

    Attributes:
        lanes: elements of a vector register.
        registers: how many of them the processor has.
    """

    op: LinalgOp
    lanes: int
    registers: int

    def __hash__(self) -> int:
        return hash((self.op.dims, self.lanes, self.registers))

    @cached_property
    def vector_dims(self) -> tuple[int, ...]:
        """Dimensions along which vectors can lie.

        A parallel one has to be contiguous in the result, and in the inputs that it moves; of a reduction one
        input at least.
        """
        found = []
        for d, kind in enumerate(self.op.iterators):
            inputs = [abs(stride_along(operand, d)) for operand in self.op.inputs]
            if kind == "parallel":
                suits = stride_along(self.op.init, d) == 1 and max(inputs) == 1
            else:
                steps = [step_along(operand, d) for operand in self.op.inputs]
                suits = 1 in inputs and max(steps) == 1 and self.op.init.element.startswith("f")
            if suits and self.op.dims[d] > 1:
                found.append(d)
        return tuple(found)

    def is_legal(self, nest: LoopNest) -> bool:
        """Whether the nest is one of this op and keeps all rules."""
        return (
            nest.dims == self.op.dims
            and len(nest.loops) <= MOST_LOOPS
            and self._is_chain(nest)
            and self._marks_suit(nest)
            and 2 ** sum(tail > 0 for tail in nest.tails) <= _MOST_PIECES
        )

    def _is_chain(self, nest: LoopNest) -> bool:
        """Whether steps get smaller down to one, and divide what they walk over but for the outermost.

        What that leaves over is divided by the steps inside, or less than one: so every dimension with a
        tail doubles the pieces of the nest, and nothing else does.
        """
        found: list[list[int]] = [[] for _ in nest.dims]
        for loop in nest.loops:
            found[loop.dim].append(loop.step)
        for extent, steps in zip(nest.dims, found, strict=True):
            if extent == 1 and not steps:
                continue
            if not steps or steps[-1] != 1 or steps[0] >= extent:
                return False
            if any(outer % inner or outer == inner for outer, inner in itertools.pairwise(steps)):
                return False
            tail = extent % steps[0]
            # A single whole step would be no loop, and bufferization would copy what is computed in it.
            if tail and extent < 2 * steps[0]:
                return False
            if tail and any(tail > step and tail % step for step in steps[1:]):
                return False
        return True

    def _marks_suit(self, nest: LoopNest) -> bool:
        first = len(nest.loops) - nest.marked
        if any(loop.mark for loop in nest.loops[:first]):
            return False
        if not nest.marked:
            return True
        *unrolled, vector = nest.loops[first:]
        if vector.mark != "v" or any(loop.mark == "v" for loop in unrolled):
            return False
        if len({loop.dim for loop in unrolled}) < len(unrolled):
            return False
        if any(nest.tails[first:]) or not self._vector_suits(nest):
            return False
        registers, body = self.register_tile(nest)
        kept = self.registers - _REGISTERS_KEPT_FREE
        return registers + self.vector_registers(nest) <= kept and body <= MOST_BODY

    def _vector_suits(self, nest: LoopNest) -> bool:
        """Whether vectors can lie along the last loop and have good lengths in all pieces."""
        dim, width = nest.loops[-1].dim, nest.extents[-1]
        if dim not in self.vector_dims or not is_width(width, self.lanes):
            return False
        outermost = next(number for number, loop in enumerate(nest.loops) if loop.dim == dim)
        tail = nest.tails[outermost]
        return not tail or is_width(min(tail, width), self.lanes)

    def vector_registers(self, nest: LoopNest) -> int:
        """Registers of one vector; 1 where there is none."""
        if not nest.marked:
            return 1
        return -(-nest.extents[-1] // self.lanes)

    def register_tile(self, nest: LoopNest) -> tuple[int, int]:
        """Registers of all vectors of the result that are in a body, and vector operations of the body."""
        first = len(nest.loops) - nest.marked
        inside = list(zip(nest.loops, nest.trips, strict=True))[first:]
        unrolled = [(loop.dim, trips) for loop, trips in inside if loop.mark == "u"]
        body = math.prod(trips for _, trips in unrolled) * self.vector_registers(nest)
        summed = nest.marked and self.op.iterators[nest.loops[-1].dim] == "reduction"
        results = math.prod(trips for d, trips in unrolled if self.op.iterators[d] == "parallel")
        return results * (1 if summed else self.vector_registers(nest)), body
