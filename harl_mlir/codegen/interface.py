"""How C calls a compiled function, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harl_mlir.tasks.task import TensorType

Role = Literal["in", "out", "inout"]


@dataclass(frozen=True)
class CParameter:
    """One parameter of a C function: a scalar by value, else a pointer to a tensor's first element.

    Attributes:
        name: a C identifier, unique in its function.
        type: shape and element type. A scalar that is a result is a pointer to one element (`()`).
        role: `in` is only read, `out` is only written and is a result; `inout` is a memref of the kernel
            that the kernel writes.
        layout: strides in elements where they are not the row-major ones (of a strided memref).
    """

    name: str
    type: TensorType
    role: Role
    layout: tuple[int, ...] | None = None

    @property
    def strides(self) -> tuple[int, ...]:
        """Elements from one index to the next, for each dimension."""
        shape = self.type.shape
        if self.layout is not None:
            return self.layout
        return tuple(math.prod(shape[d + 1 :]) for d in range(len(shape)))


@dataclass(frozen=True)
class CFunction:
    """A function of an object: returns nothing; its results are the trailing `out` parameters.

    Attributes:
        name: the MLIR function's.
        symbol: its name in C, which differs where the former is no free C identifier.
        parameters: the arguments in order, then one for each result.
    """

    name: str
    symbol: str
    parameters: tuple[CParameter, ...]
