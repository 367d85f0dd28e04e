"""Declared value lists: the part of a space that is recorded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harl_mlir.errors import InputError
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space

ValueLists = Mapping[str, Mapping[str, Sequence[Value]]]
"""The values of decisions, by the sketch's and the decision's name."""

_COUNTABLE = 1 << 18
_LEAST_VALUES = 3
"""Ordered decisions are not thinned below this while others are longer."""


def declared(spaces: Sequence[Space], lists: ValueLists) -> tuple[Space, ...]:
    """The spaces restricted to the lists; what no list names keeps all its values.

    A value that a task does not have is left out; the first that it has becomes the default, so that a
    recorded space can start elsewhere than at the formula's choice. A list of which the task has nothing
    leaves the default alone.

    Raises:
        InputError: a list names a sketch or a decision that is not there, or the new defaults together are
            no legal candidate.
    """
    known = {space.sketch: {decision.name for decision in space.decisions} for space in spaces}
    for sketch, decisions in lists.items():
        if sketch not in known:
            raise InputError(
                f"no sketch {sketch} applies; correct the value lists ({', '.join(known)} apply)"
            )
        for name in decisions:
            if name not in known[sketch]:
                names = ", ".join(sorted(known[sketch]))
                raise InputError(f"sketch {sketch} has no decision {name}; correct the value lists ({names})")
    return tuple(_restricted(space, lists.get(space.sketch, {})) for space in spaces)


def thinned(spaces: Sequence[Space], most: int) -> tuple[Space, ...]:
    """The spaces restricted so that they have at most `most` legal candidates together.

    Each space may have an equal share, and what small ones do not need goes to the others. Values are
    taken out of the longest decisions, evenly; the default stays.
    """
    found: dict[int, Space] = {}
    left = most
    by_size = sorted(range(len(spaces)), key=lambda number: spaces[number].size())
    for done, number in enumerate(by_size):
        found[number] = _thinned(spaces[number], max(1, left // (len(spaces) - done)))
        left -= legal_points(found[number])
    return tuple(found[number] for number in range(len(spaces)))


def legal_points(space: Space) -> int:
    """How many legal candidates a small space has."""
    return sum(1 for _ in legal_values(space))


def legal_values(space: Space) -> list[tuple[Value, ...]]:
    """The values of every legal candidate, the last decision varying fastest."""
    names = [decision.name for decision in space.decisions]
    everything = itertools.product(*(decision.values for decision in space.decisions))
    return [values for values in everything if space.constraint(dict(zip(names, values, strict=True)))]


def _restricted(space: Space, lists: Mapping[str, Sequence[Value]]) -> Space:
    def of(decision: Decision) -> Decision:
        if decision.name not in lists:
            return decision
        wanted = [value for value in lists[decision.name] if value in decision.values] or [decision.default]
        values = tuple(value for value in decision.values if value in wanted)
        return replace(decision, values=values, default=wanted[0])

    restricted = replace(space, decisions=tuple(of(decision) for decision in space.decisions))
    if not restricted.is_legal(restricted.default()):
        raise InputError(
            f"the first values listed for sketch {space.sketch} are no legal candidate together; "
            "put others first"
        )
    return restricted


def _thinned(space: Space, most: int) -> Space:
    original = space
    while space.size() > most and (space.size() > _COUNTABLE or legal_points(space) > most):
        lengths = [_length(decision) for decision in space.decisions]
        longest = max(range(len(lengths)), key=lengths.__getitem__)
        count = len(space.decisions[longest].values) - 1
        if count < 1:
            break
        decisions = list(space.decisions)
        decisions[longest] = _spread(original.decisions[longest], count)
        space = replace(space, decisions=tuple(decisions))
    return space


def _length(decision: Decision) -> float:
    """How readily a decision is thinned: ordered ones first, as their values resemble each other."""
    count = len(decision.values)
    return count if decision.ordered and count > _LEAST_VALUES else count / 100


def _spread(decision: Decision, count: int) -> Decision:
    """The decision with `count` of its values, spread evenly; one of them is the default."""
    last = len(decision.values) - 1
    default = decision.values.index(decision.default)
    chosen = [round(i * last / (count - 1)) for i in range(count)] if count > 1 else [default]
    if default not in chosen:
        nearest = min(range(count), key=lambda i: abs(chosen[i] - default))
        chosen[nearest] = default
    return replace(decision, values=tuple(decision.values[i] for i in sorted(chosen)))
