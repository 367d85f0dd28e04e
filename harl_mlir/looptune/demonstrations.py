"""Which actions lead from the nest of an op as it came to a nest that is known to be good."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harl_mlir.looptune.actions import PRODUCT, STOP, successors
from harl_mlir.looptune.sampling import transfer
from harl_mlir.looptune.shares import Estimates, Problem
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.space.nest.nest import Loop, LoopNest
from harl_mlir.space.nest.rules import NestRules

_LOOKED_AT = 160
"""Good nests of other problems, of which the one with the greatest estimate here is shown."""
_NUMBER = {action.name: number for number, action in enumerate(PRODUCT.actions)}


class _NoWayError(Exception):
    """An action on the way does not apply."""


def demonstration(
    problem: Problem, good: Sequence[str], estimates: Estimates, rng: random.Random
) -> list[int] | None:
    """Numbers of *product*'s actions that lead to what was good elsewhere and is expected to be here.

    None where none of some nests drawn of `good` is legal here and can be reached.
    """
    drawn = {rng.choice(good) for _ in range(_LOOKED_AT)} if good else set()
    nests = [nest for text in sorted(drawn) if (nest := transfer(text, problem[1]))]
    if not nests:
        return None
    shares = estimates.of_problems([problem] * len(nests), nests)
    for number in shares.argsort()[::-1][:3]:
        actions = way_to(nests[number], problem[1])
        if actions is not None:
            return actions
    return None


def way_to(nest: LoopNest, rules: NestRules) -> list[int] | None:
    """Numbers of *product*'s actions from the plain nest to `nest` and to a stop.

    Splits, then swaps, then marks. None where that is no way, or longer than an episode.
    """
    way = _Way(rules)
    try:
        for dim in sorted({loop.dim for loop in nest.loops}):
            for loop in [loop for loop in nest.loops if loop.dim == dim][:-1]:
                way.cursor_to(Loop(dim, 1))
                way.take(f"split {loop.step}")
        for place, loop in enumerate(nest.loops):
            at = way.place_of(Loop(loop.dim, loop.step))
            if at > place:
                way.cursor_to(Loop(loop.dim, loop.step))
            for _ in range(place, at):
                way.take("swap up")
        for loop in reversed(nest.loops):
            if loop.mark:
                way.take("vector" if loop.mark == "v" else "unroll")
        way.take(STOP)
    except _NoWayError:
        return None
    return way.actions if way.state.nest == nest and len(way.actions) <= PRODUCT.steps else None


class _Way:
    """The actions so far and where they lead to."""

    def __init__(self, rules: NestRules) -> None:
        self._rules = rules
        self.state: WalkState = start(rules.op.dims)
        self.actions: list[int] = []

    def take(self, name: str) -> None:
        """Take an action. Raises _NoWayError where it does not apply."""
        number = _NUMBER.get(name)
        after = successors(self.state, PRODUCT, self._rules)[number] if number is not None else None
        if number is None or after is None:
            raise _NoWayError
        self.actions.append(number)
        self.state = after

    def place_of(self, loop: Loop) -> int:
        """The number of a loop of the nest. Raises _NoWayError where there is none."""
        if loop not in self.state.nest.loops:
            raise _NoWayError
        return self.state.nest.loops.index(loop)

    def cursor_to(self, loop: Loop) -> None:
        """Put the cursor on a loop, unless it is there."""
        at = self.place_of(loop)
        if at != self.state.cursor:
            self.take(f"cursor {at}")
