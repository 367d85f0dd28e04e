"""The loop-nest facts of one linalg op, as plain data.

Nothing here needs MLIR: the facts are read from IR once, in a worker (`facts.py`), and every
other room (keys, spaces, features, the NumPy reference) works from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

IteratorKind = Literal["parallel", "reduction"]
PAD = "tensor.pad"
"""A padding's name, and that of what its body computes (see `padding.py`)."""
AffineRow = tuple[int, ...]
"""One result of an indexing map: a coefficient for every loop, then the constant."""


@dataclass(frozen=True)
class Operand:
    """One operand of a linalg op.

    `shape` is `()` for a scalar operand and for a rank-0 tensor. `map` has a row for each dimension
    of the operand; row `(1, 0, 2, 3)` in a three-loop nest is `d0 + 2*d2 + 3`.
    """

    shape: tuple[int, ...]
    element: str
    map: tuple[AffineRow, ...]
    is_scalar: bool = False


@dataclass(frozen=True)
class BodyOp:
    """One scalar op of a linalg body in value numbering.

    Values are numbered: block arguments first (one for each operand), then the body's ops in order.
    `attributes` holds only what changes the meaning (a constant's value, a comparison's predicate).
    """

    name: str
    operands: tuple[int, ...]
    result: str
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class LinalgOp:
    """A linalg op with static shapes and one result.

    `dims` are the loop extents, `iterators` their kinds; `operands` are the inputs, then the init.
    `yields` is the value number the body yields. `name` is how the op is spelled in the source
    (`linalg.matmul`, `linalg.generic`); it never decides how the op is tuned.
    """

    name: str
    dims: tuple[int, ...]
    iterators: tuple[IteratorKind, ...]
    operands: tuple[Operand, ...]
    body: tuple[BodyOp, ...]
    yields: int

    @cached_property
    def is_pad(self) -> bool:
        """Whether it is a padding, which reads its operand in a part of its loops (see `padding.py`)."""
        return any(op.name == PAD for op in self.body)

    @property
    def inputs(self) -> tuple[Operand, ...]:
        """All operands but the init."""
        return self.operands[:-1]

    @property
    def init(self) -> Operand:
        """The init (output) operand; its type is the result's type."""
        return self.operands[-1]

    @cached_property
    def parallel_dims(self) -> tuple[int, ...]:
        """Numbers of the parallel loops, outermost first."""
        return tuple(d for d, kind in enumerate(self.iterators) if kind == "parallel")

    @cached_property
    def reduction_dims(self) -> tuple[int, ...]:
        """Numbers of the reduction loops, outermost first."""
        return tuple(d for d, kind in enumerate(self.iterators) if kind == "reduction")

    @cached_property
    def result_loops(self) -> tuple[int, ...]:
        """The loop behind each dimension of the result."""
        return tuple(loops_of(row)[0] for row in self.init.map)

    @cached_property
    def is_fill(self) -> bool:
        """Whether it writes one scalar everywhere."""
        if self.reduction_dims:
            return False
        if not self.body:
            return self.yields < len(self.inputs) and self.operands[self.yields].is_scalar
        only = len(self.body) == 1 and self.body[0].name == "arith.constant"
        return only and self.yields == len(self.operands)

    @cached_property
    def reads_init(self) -> bool:
        """Whether the body uses the init's old value (a reduction or an in-place update)."""
        init_value = len(self.operands) - 1
        return self.yields == init_value or any(init_value in op.operands for op in self.body)

    def tells_place(self, loop: int) -> bool:
        """Whether the body uses the position in a loop (`linalg.index`)."""
        return any(op.name == "linalg.index" and ("dim", str(loop)) in op.attributes for op in self.body)

    @property
    def flops(self) -> int:
        """Arithmetic operations of the whole nest: `2*M*N*K` for a matmul, 0 for a fill."""
        arithmetic = sum(1 for op in self.body if _counts_as_arithmetic(op.name))
        return arithmetic * math.prod(self.dims)


def loops_of(row: AffineRow) -> list[int]:
    """The loops that a map's row depends on."""
    return [d for d, coefficient in enumerate(row[:-1]) if coefficient]


def plain_loop(row: AffineRow) -> int | None:
    """The loop a map's row stands for if it is just that loop: `d1`."""
    used = loops_of(row)
    return used[0] if len(used) == 1 and row[used[0]] == 1 and row[-1] == 0 else None


def is_leading(operand: Operand, count: int) -> bool:
    """Whether the operand's dimensions are the first `count` loops in their order."""
    return len(operand.map) == count and all(
        row[-1] == 0 and all(row[d] == int(d == i) for d in range(len(row) - 1))
        for i, row in enumerate(operand.map)
    )


FREE_OPS = frozenset(
    {
        PAD,
        "arith.constant",
        "arith.extf",
        "arith.truncf",
        "arith.extsi",
        "arith.extui",
        "arith.trunci",
        "arith.sitofp",
        "arith.uitofp",
        "arith.fptosi",
        "arith.fptoui",
        "arith.bitcast",
        "arith.index_cast",
        "linalg.index",
    }
)


def _counts_as_arithmetic(name: str) -> bool:
    return name not in FREE_OPS
