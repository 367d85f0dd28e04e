"""The baseline `greedy`: hill climbing by measured time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harl_mlir.search.agent import Problem
from harl_mlir.search.per_task import PerTask
from harl_mlir.search.points import Point, Points
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space


class Greedy(PerTask):
    """Climbs on every task from the fastest of its sketches' defaults.

    Measures the neighbours of the climb's best candidate in random order and goes on from a faster one as
    soon as it is found. Where none is faster, a new climb starts at a random candidate of a random sketch.
    """

    def __init__(self, problems: Sequence[Problem], seed: int) -> None:
        rng = np.random.default_rng(seed)
        super().__init__(problems, [_Climb(problem.spaces, rng) for problem in problems])


class _Climb:
    def __init__(self, spaces: Sequence[Space], rng: np.random.Generator) -> None:
        self._points = Points(spaces)
        self._rng = rng
        self._top: Point | None = None
        self._top_throughput = 0.0

    def plan(self) -> list[Candidate]:
        """One candidate: a default, a neighbour of the climb's best, or the start of a new climb."""
        defaults = self._points.new_defaults()
        if defaults:
            return [self._points.take(defaults[0])]
        beside = self._points.new_neighbours(self._top) if self._top else []
        if beside:
            return [self._points.take(beside[int(self._rng.integers(len(beside)))])]
        self._top, self._top_throughput = None, 0.0
        start = self._points.draw(self._rng)
        return [] if start is None else [self._points.take(start)]

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        """Go on from here if it is faster than the climb's best."""
        point = self._points.observe(candidate, seconds)
        throughput = self._points.throughputs[point] if point else 0.0
        if throughput > self._top_throughput:
            self._top, self._top_throughput = point, throughput
