"""A candidate: one assignment of a sketch's decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from harl_mlir.space.decision import Value


@dataclass(frozen=True)
class Candidate:
    """The values of all decisions of one sketch, in the sketch's order; hashable, a key."""

    sketch: str
    version: int
    values: tuple[tuple[str, Value], ...]

    @cached_property
    def assignment(self) -> Mapping[str, Value]:
        """The values by decision name."""
        return dict(self.values)

    def __getitem__(self, name: str) -> Value:
        return self.assignment[name]

    def number(self, name: str) -> int:
        """The value of a decision that holds a number."""
        value = self.assignment[name]
        if not isinstance(value, int):
            raise TypeError(f"decision {name} of {self.sketch} holds {value!r}, not a number")
        return value

    def word(self, name: str) -> str:
        """The value of a decision that holds a word."""
        value = self.assignment[name]
        if not isinstance(value, str):
            raise TypeError(f"decision {name} of {self.sketch} holds {value!r}, not a word")
        return value
