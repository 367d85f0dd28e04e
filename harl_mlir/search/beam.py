"""The baseline `beam`: beam search by measured time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harl_mlir.search.agent import Problem
from harl_mlir.search.per_task import PerTask
from harl_mlir.search.points import Point, Points
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space

WIDTH = 4
"""Candidates kept from one level to the next."""


class Beam(PerTask):
    """Keeps the `WIDTH` fastest candidates of a task and measures all neighbours of each, level by level.

    The first level are the sketches' defaults. A level's beam is chosen among it and the beam it came from,
    so that a candidate is given up only for faster ones. Where a level changes nothing, `WIDTH` random
    candidates start a new beam.
    """

    def __init__(self, problems: Sequence[Problem], seed: int) -> None:
        rng = np.random.default_rng(seed)
        super().__init__(problems, [_Levels(problem.spaces, rng) for problem in problems])


class _Levels:
    def __init__(self, spaces: Sequence[Space], rng: np.random.Generator) -> None:
        self._points = Points(spaces)
        self._rng = rng
        self._beam: list[Point] = []
        self._level: list[Point] = [
            Point(i, lattice.default) for i, lattice in enumerate(self._points.lattices)
        ]
        self._next = 0

    def plan(self) -> list[Candidate]:
        """One candidate, the next of the level that was not seen."""
        while True:
            while self._next < len(self._level):
                point = self._level[self._next]
                self._next += 1
                if self._points.is_new(point):
                    return [self._points.take(point)]
            if not self._advance():
                return []

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        """Remember it."""
        self._points.observe(candidate, seconds)

    def _advance(self) -> bool:
        """Make the next level; False if nothing is left."""
        beam = self._fastest([*self._beam, *self._level])
        new = [p for p in beam if p not in self._beam]
        beside = dict.fromkeys(p for top in new for p in self._points.new_neighbours(top))
        self._next = 0
        if beside:
            order = self._rng.permutation(len(beside)).tolist()
            listed = list(beside)
            self._beam, self._level = beam, [listed[i] for i in order]
            return True
        if new:
            self._beam, self._level = beam, []
            return True
        starts = {p for _ in range(WIDTH) if (p := self._points.draw(self._rng))}
        self._beam, self._level = [], sorted(starts)
        return bool(starts)

    def _fastest(self, points: Sequence[Point]) -> list[Point]:
        known = self._points.throughputs
        working = [p for p in dict.fromkeys(points) if known.get(p)]
        return sorted(working, key=lambda p: (-known[p], p))[:WIDTH]
