"""Which states of a space its constraint accepts, asked once a state."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harl_mlir.space.space import Space

_MOST_CODES = 1 << 24
_MOST_KNOWN = 1 << 18
_ILLEGAL, _LEGAL = 1, 2


class Legality:
    """Remembers what the constraint of a space said.

    A state's code is its place when all states are counted. Where the space is small enough there is a byte
    for each code, which is memory only where it was written; else the states asked last are kept.
    """

    def __init__(self, space: Space) -> None:
        sizes = [len(d.values) for d in space.decisions]
        self._constraint = space.constraint
        self._names = [d.name for d in space.decisions]
        self._values = [d.values for d in space.decisions]
        self._strides = [math.prod(sizes[d + 1 :]) for d in range(len(sizes))]
        self._has_codes = math.prod(sizes) <= _MOST_CODES
        self._known = np.zeros(math.prod(sizes) if self._has_codes else 0, dtype=np.int8)
        self._columns = np.array(self._strides if self._has_codes else [], dtype=np.int64)
        self._asked: dict[tuple[int, ...], bool] = {}

    def accepts(self, states: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each state, a row, is accepted."""
        if not self._has_codes:
            return np.array([self.accepts_one(tuple(state)) for state in states.tolist()], dtype=bool)
        codes = states @ self._columns
        known = self._known[codes]
        places = np.flatnonzero(known == 0)
        if places.size:
            unknown, first = np.unique(codes[places], return_index=True)
            rows = states[places[first]].tolist()
            self._known[unknown] = [_LEGAL if self._ask(row) else _ILLEGAL for row in rows]
            known = self._known[codes]
        return np.asarray(known == _LEGAL)

    def accepts_one(self, state: tuple[int, ...]) -> bool:
        """Whether one state is accepted."""
        if self._has_codes:
            code = sum(number * stride for number, stride in zip(state, self._strides, strict=True))
            if not self._known[code]:
                self._known[code] = _LEGAL if self._ask(state) else _ILLEGAL
            return bool(self._known[code] == _LEGAL)
        accepted = self._asked.get(state)
        if accepted is None:
            if len(self._asked) >= _MOST_KNOWN:
                self._asked.clear()
            accepted = self._asked[state] = self._ask(state)
        return accepted

    def _ask(self, state: tuple[int, ...] | list[int]) -> bool:
        values = {n: v[i] for n, v, i in zip(self._names, self._values, state, strict=True)}
        return bool(self._constraint(values))
