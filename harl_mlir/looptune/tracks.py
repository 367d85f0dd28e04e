"""Many walks side by side, each through the nests of its problem, with an estimate of every nest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from harl_mlir.looptune.actions import STOP, Configuration, successors
from harl_mlir.looptune.observation import observe
from harl_mlir.looptune.shares import Estimates, Problem
from harl_mlir.looptune.state import WalkState, start
from harl_mlir.search.flat_weights import Floats
from harl_mlir.space.nest.nest import LoopNest

Masks = NDArray[np.bool_]


class Tracks:
    """Walks from the plain nests of their problems, or from `starts`.

    Attributes:
        states: where each stands.
        shares: of the realised nest there.
        best, nests: the greatest share of each walk so far, and the realised nest that has it.
        alive: numbers of the walks that have not stopped.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        configuration: Configuration,
        estimate: Estimates,
        starts: Sequence[WalkState] | None = None,
    ) -> None:
        self._problems = problems
        self._configuration = configuration
        self._estimate = estimate
        self._next: list[tuple[WalkState | None, ...]] = []
        self._left = configuration.steps
        self._stop = next((n for n, a in enumerate(configuration.actions) if a.name == STOP), None)
        self.states = list(starts or (start(rules.op.dims) for _, rules in problems))
        self.alive = np.arange(len(problems))
        self.nests = [
            configuration.realised(state.nest, rules)
            for state, (_, rules) in zip(self.states, problems, strict=True)
        ]
        self.shares = self._estimated(range(len(problems)), self.nests)
        self.best = self.shares.copy()

    @property
    def is_over(self) -> bool:
        """Whether all have stopped or taken all steps."""
        return self._left == 0 or not self.alive.size

    def look(self) -> tuple[Floats, Masks]:
        """Observations and legal actions of the walks that are alive."""
        self._next, rows = [], []
        for number in self.alive.tolist():
            (task, rules), state = self._problems[number], self.states[number]
            self._next.append(successors(state, self._configuration, rules))
            rows.append(observe(state, task, rules, self._configuration, self._left))
        masks = np.array([[after is not None for after in each] for each in self._next])
        return np.stack(rows), masks

    def move(self, actions: NDArray[np.int64]) -> Floats:
        """Take an action in each walk that is alive, after `look`; what it changed the share by."""
        moved, realised = self.alive, list[LoopNest]()
        for number, action, after in zip(moved.tolist(), actions.tolist(), self._next, strict=True):
            state = after[action]
            if state is None:
                raise ValueError(f"action {self._configuration.actions[action].name} does not apply")
            self.states[number] = state
            realised.append(self._configuration.realised(state.nest, self._problems[number][1]))
        shares = self._estimated(moved.tolist(), realised)
        rewards = (shares - self.shares[moved]).astype(np.float32)
        self.shares[moved] = shares
        for number, nest, share in zip(moved.tolist(), realised, shares, strict=True):
            if share > self.best[number]:
                self.best[number], self.nests[number] = share, nest
        self._left -= 1
        if self._stop is not None:
            self.alive = moved[actions != self._stop]
        return rewards

    def _estimated(self, numbers: Iterable[int], nests: Sequence[LoopNest]) -> NDArray[np.float64]:
        return self._estimate.of_problems([self._problems[number] for number in numbers], nests)
