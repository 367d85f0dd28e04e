"""One open choice of a sketch: its legal values, default, sampling, neighbours and encoding."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

Value = int | str

LANES = "elements of a vector register of the processor"
"""The meaning of every sketch's `lanes`."""


@dataclass(frozen=True)
class Decision:
    """A named choice.

    `values` are in order. For an `ordered` decision (a tile size, an unroll factor) the neighbours
    of a value are the ones beside it; otherwise (a loop order, a packing) every other value is one.
    `meaning` says in a line, for people, what is chosen; two decisions do not differ by it.
    """

    name: str
    values: tuple[Value, ...]
    default: Value
    ordered: bool = True
    meaning: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"decision {self.name} has no values")
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"decision {self.name} names a value twice: {self.values}")
        if self.default not in self.values:
            raise ValueError(f"decision {self.name}: default {self.default!r} is not among {self.values}")

    def accepts(self, value: Value) -> bool:
        """Whether it is one of the legal values."""
        return value in self.values

    def sample(self, rng: random.Random) -> Value:
        """Draw a value uniformly."""
        return rng.choice(self.values)

    def neighbours(self, value: Value) -> tuple[Value, ...]:
        """The values one move away from `value`."""
        at = self.values.index(value)
        if not self.ordered:
            return self.values[:at] + self.values[at + 1 :]
        return tuple(self.values[i] for i in (at - 1, at + 1) if 0 <= i < len(self.values))

    def encode(self, value: Value) -> tuple[float, ...]:
        """Numbers for a learner: position in [0, 1] and log2 size if ordered, else one-hot."""
        at = self.values.index(value)
        if self.ordered:
            position = at / (len(self.values) - 1) if len(self.values) > 1 else 0.0
            return position, math.log2(1 + value) if isinstance(value, int) and value >= 0 else 0.0
        return tuple(float(i == at) for i in range(len(self.values)))


def number(value: Value) -> int:
    """The value of a decision whose values are numbers. Raises TypeError if it is none."""
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a number")
    return value
