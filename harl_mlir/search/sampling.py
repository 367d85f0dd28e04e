"""Drawing legal candidates that were not seen before."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.lattice import Lattice, State

_ENUMERABLE = 20_000
_DRAWS = 128
_TRIES = 8
_WALKS = 16


def fresh_states(
    lattice: Lattice, rng: np.random.Generator, seen: Collection[State], count: int
) -> list[State]:
    """At most `count` distinct legal states that are not in `seen`; none if nothing is left.

    Uniform where drawing finds them or the space is small enough to be listed. Else, in a large space
    with few legal states, found by random walks and then beside the default and the seen states.
    """
    found: dict[State, None] = {}
    for _ in range(_TRIES):
        _add(found, lattice.draw(rng, _DRAWS), seen, count)
        if len(found) >= count:
            return list(found)
    if math.prod(lattice.sizes.tolist()) <= _ENUMERABLE:
        rest = [state for state in lattice.all_legal() if state not in seen]
        return [rest[i] for i in rng.permutation(len(rest))[:count].tolist()]
    known = [state for state in (lattice.default, *seen) if lattice.is_legal(state)]
    _add(found, known[:1], seen, count)
    for _ in range(_WALKS if known else 0):
        _add(found, _random_walk(lattice, rng, known[int(rng.integers(len(known)))]), seen, count)
    for state in known:
        if len(found) >= count:
            break
        _add(found, lattice.neighbours(state), seen, count)
    return list(found)


def diverse(points: NDArray[np.float32], chosen: int, count: int) -> list[int]:
    """Numbers of `count` points far from each other: farthest-point order.

    The first `chosen` points count as taken already; with none, the first point is the first one.
    """
    order: list[int] = [] if chosen else [0]
    distance = np.full(len(points), np.inf)
    for taken in range(max(chosen, 1)):
        distance = np.minimum(distance, np.square(points - points[taken]).sum(axis=1))
        distance[taken] = -1.0
    while len(order) < min(count, len(points) - chosen):
        farthest = int(distance.argmax())
        order.append(farthest)
        distance = np.minimum(distance, np.square(points - points[farthest]).sum(axis=1))
        distance[farthest] = -1.0
    return order[:count]


def _add(found: dict[State, None], states: Iterable[State], seen: Collection[State], count: int) -> None:
    for state in states:
        if len(found) >= count:
            return
        if state not in seen:
            found[state] = None


def _random_walk(lattice: Lattice, rng: np.random.Generator, start: State) -> list[State]:
    path = [start]
    for _ in range(2 * len(start)):
        moves = lattice.neighbours(path[-1])
        if not moves:
            break
        path.append(moves[int(rng.integers(len(moves)))])
    return path[1:]
