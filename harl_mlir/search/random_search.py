"""The baseline: uniform legal candidates without repetition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harl_mlir.search.agent import Problem
from harl_mlir.search.per_task import PerTask
from harl_mlir.search.points import Points
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space


class RandomSearch(PerTask):
    """Tasks in turns by their weights; a uniform sketch; a uniform candidate of it."""

    def __init__(self, problems: Sequence[Problem], seed: int) -> None:
        rng = np.random.default_rng(seed)
        super().__init__(problems, [_Draws(problem.spaces, rng) for problem in problems])


class _Draws:
    def __init__(self, spaces: Sequence[Space], rng: np.random.Generator) -> None:
        self._points = Points(spaces)
        self._rng = rng

    def plan(self) -> list[Candidate]:
        point = self._points.draw(self._rng)
        return [] if point is None else [self._points.take(point)]

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        self._points.observe(candidate, seconds)
