"""What is known of one task: which candidates of its spaces were seen, and how fast they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harl_mlir.search.lattice import Lattice, State
from harl_mlir.search.sampling import fresh_states
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space


@dataclass(frozen=True, order=True)
class Point:
    """A candidate of a task as the number of its sketch and its state there."""

    sketch: int
    state: State


class Points:
    """The candidates of all spaces of one task.

    Attributes:
        lattices: one a space.
        throughputs: calls per second of what was measured, 0 for a failure, in the order measured.
    """

    def __init__(self, spaces: Sequence[Space]) -> None:
        self.lattices = [Lattice(space) for space in spaces]
        self.throughputs: dict[Point, float] = {}
        self._seen: list[dict[State, None]] = [{} for _ in spaces]
        self._open = list(range(len(spaces)))

    def point(self, candidate: Candidate) -> Point | None:
        """The point of a candidate, or None if it is of none of the spaces."""
        for sketch, lattice in enumerate(self.lattices):
            state = lattice.state(candidate)
            if state is not None:
                return Point(sketch, state)
        return None

    def observe(self, candidate: Candidate, seconds: float | None) -> Point | None:
        """Take in a measurement, None seconds for a failure; its point, None if of none of the spaces."""
        point = self.point(candidate)
        if point is not None:
            self._seen[point.sketch][point.state] = None
            self.throughputs[point] = 1 / seconds if seconds else 0.0
        return point

    def take(self, point: Point) -> Candidate:
        """The point's candidate, which counts as seen from now on."""
        self._seen[point.sketch][point.state] = None
        return self.lattices[point.sketch].candidate(point.state)

    def is_new(self, point: Point) -> bool:
        """Whether the point is legal and was not seen."""
        is_legal = self.lattices[point.sketch].is_legal(point.state)
        return is_legal and point.state not in self._seen[point.sketch]

    def new_defaults(self) -> list[Point]:
        """The spaces' defaults that were not seen."""
        defaults = [Point(sketch, lattice.default) for sketch, lattice in enumerate(self.lattices)]
        return [point for point in defaults if self.is_new(point)]

    def new_neighbours(self, point: Point) -> list[Point]:
        """The legal points one move away that were not seen."""
        states = self.lattices[point.sketch].neighbours(point.state)
        return [p for p in (Point(point.sketch, state) for state in states) if self.is_new(p)]

    def draw(self, rng: np.random.Generator) -> Point | None:
        """A new point of a uniform sketch, uniform in its space; None if nothing is left."""
        while self._open:
            sketch = int(rng.choice(self._open))
            fresh = fresh_states(self.lattices[sketch], rng, self._seen[sketch], 1)
            if fresh:
                return Point(sketch, fresh[0])
            self._open.remove(sketch)
        return None

    def best(self, count: int) -> list[Point]:
        """The fastest measured points that did not fail, fastest first."""
        working = [point for point, throughput in self.throughputs.items() if throughput]
        return sorted(working, key=lambda point: (-self.throughputs[point], point))[:count]
