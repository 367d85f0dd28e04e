"""Searches over the loop nests of an op by any value of a nest: what the agent's walk is compared with.

All go by single moves from a first nest, at any loop. Each remembers every value, so that none is asked for
twice, and answers with the best nest it has seen, not with the last.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harl_mlir.space.nest.nest import LoopNest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import legal_moves

Evaluator = Callable[[Sequence[LoopNest]], Sequence[float]]
"""Values of nests, higher is better; minus infinity for one that cannot be had."""
Budget = int | Callable[[], bool]
"""At most so many nests are valued; or none any more once the call says that it is over."""

_IDLE_WALKS = 100
"""The random search ends after so many walks through nests that it knew already."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        nest: the best it has seen.
        value: of that.
        evaluations: nests that were valued.
        curve: whenever it got better, the nests valued so far, the seconds since the start, and the value.
    """

    nest: LoopNest
    value: float
    evaluations: int
    curve: tuple[tuple[int, float, float], ...]


class _OverError(Exception):
    """The budget is spent."""


@dataclass
class _Memory:
    """Every nest valued so far, and the best of them."""

    rules: NestRules
    evaluate: Evaluator
    budget: Budget
    known: dict[LoopNest, float] = field(default_factory=dict)
    best: LoopNest | None = None
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def successors(self, nest: LoopNest) -> list[LoopNest]:
        """The legal nests one move away."""
        return legal_moves(nest, self.rules)

    def values(self, nests: Sequence[LoopNest]) -> list[float]:
        """Their values. Raises _OverError where the budget does not suffice; what it buys is kept."""
        new = [nest for nest in dict.fromkeys(nests) if nest not in self.known]
        if isinstance(self.budget, int):
            affordable = new[: max(0, self.budget - len(self.known))]
            if affordable:
                self._keep(affordable, self.evaluate(affordable))
        else:
            # One at a time, since each may take long.
            for nest in new:
                if self.known and self.budget():
                    break
                self._keep([nest], self.evaluate([nest]))
        if any(nest not in self.known for nest in new):
            raise _OverError
        return [self.known[nest] for nest in nests]

    def _keep(self, nests: Sequence[LoopNest], values: Sequence[float]) -> None:
        for nest, value in zip(nests, values, strict=True):
            self.known[nest] = float(value)
            if self.best is None or value > self.known[self.best]:
                self.best = nest
                self.curve.append((len(self.known), time.monotonic() - self.started, float(value)))


def greedy(start: LoopNest, rules: NestRules, evaluate: Evaluator, budget: Budget) -> Found:
    """Goes to the best neighbour until none is better.

    Args:
        start: valued whatever the budget.
        rules: of the op; every nest valued is legal.
        evaluate, budget: see `Evaluator`, `Budget`.
    """

    def search(memory: _Memory) -> None:
        (here,), nest = memory.values([start]), start
        while neighbours := memory.successors(nest):
            values = memory.values(neighbours)
            best = max(range(len(values)), key=values.__getitem__)
            if values[best] <= here:
                return
            nest, here = neighbours[best], values[best]

    return _run(search, start, rules, evaluate, budget)


def beam(start: LoopNest, rules: NestRules, evaluate: Evaluator, budget: Budget, width: int) -> Found:
    """Goes on from the `width` best of all new successors of the beam, sorted by value.

    Arguments as of `greedy`. It goes downhill too, and ends with the budget or with the last new nest.
    """

    def search(memory: _Memory) -> None:
        memory.values([start])
        front = [start]
        while front:
            made = dict.fromkeys(nest for parent in front for nest in memory.successors(parent))
            new = [nest for nest in made if nest not in memory.known]
            values = dict(zip(new, memory.values(new), strict=True))
            front = sorted(new, key=values.__getitem__, reverse=True)[:width]

    return _run(search, start, rules, evaluate, budget)


def random_walks(
    start: LoopNest, rules: NestRules, evaluate: Evaluator, budget: Budget, steps: int, seed: int
) -> Found:
    """Walks of `steps` random legal moves, each from `start`, until the budget is spent.

    Arguments as of `greedy`. The same seed walks the same way.
    """
    rng = random.Random(seed)

    def search(memory: _Memory) -> None:
        memory.values([start])
        idle = 0
        while idle < _IDLE_WALKS:
            before, nest, walked = len(memory.known), start, []
            for _ in range(steps):
                nest = rng.choice(memory.successors(nest) or [nest])
                walked.append(nest)
            memory.values(walked)
            idle = idle + 1 if len(memory.known) == before else 0

    return _run(search, start, rules, evaluate, budget)


def _run(
    search: Callable[[_Memory], None],
    start: LoopNest,
    rules: NestRules,
    evaluate: Evaluator,
    budget: Budget,
) -> Found:
    memory = _Memory(rules, evaluate, max(1, budget) if isinstance(budget, int) else budget)
    with contextlib.suppress(_OverError):
        search(memory)
    assert memory.best is not None
    value = memory.known[memory.best]
    return Found(memory.best, value, len(memory.known), tuple(memory.curve))
