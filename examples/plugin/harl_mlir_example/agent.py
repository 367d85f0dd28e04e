"""The agent `coordinates`: from the best known candidate, every value of one decision after the other."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harl_mlir.search.agent import Agent, Problem
from harl_mlir.search.per_task import PerTask
from harl_mlir.search.settings import Settings
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space

_DRAWN = 4


def make_coordinates(problems: Sequence[Problem], seed: int, settings: Settings) -> Agent:
    """An agent that searches each task on its own; the tasks take turns by weight."""
    searches = [Coordinates(problem, random.Random(f"{seed} {n}")) for n, problem in enumerate(problems)]
    return PerTask(problems, searches)


class Coordinates:
    """Coordinate descent over the spaces of one task."""

    def __init__(self, problem: Problem, rng: random.Random) -> None:
        self._spaces = problem.spaces
        self._rng = rng
        self._known: dict[Candidate, float | None] = {}
        self._turn = 0

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        """A candidate was measured; None seconds for a failure."""
        self._known[candidate] = seconds

    def plan(self) -> list[Candidate]:
        """The next round; empty when nothing new is found."""
        timed = {c: s for c, s in self._known.items() if s is not None}
        best = min(timed, key=timed.__getitem__, default=None)
        for space in self._spaces:
            if best is not None and space.is_legal(best):
                for _ in space.decisions:
                    self._turn += 1
                    line = self._line(space, best, self._turn % len(space.decisions))
                    if line:
                        return line
        drawn = [self._rng.choice(self._spaces).sample(self._rng) for _ in range(_DRAWN)]
        return [candidate for candidate in dict.fromkeys(drawn) if candidate not in self._known]

    def _line(self, space: Space, best: Candidate, number: int) -> list[Candidate]:
        decision = space.decisions[number]
        line = (space.candidate({**best.assignment, decision.name: v}) for v in decision.values)
        return [c for c in line if c not in self._known and space.is_legal(c)]
