"""A space as points of an integer lattice, for learners that work on many candidates at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.legality import Legality
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space

State = tuple[int, ...]
"""A candidate as the number of each decision's value, in the order of the decisions."""

States = NDArray[np.int64]
"""One state a row."""


class Lattice:
    """The states of a space, the moves between them and which of them are legal.

    Actions are numbered: 0 stays; `1 + 2*d` and `2 + 2*d` move decision d to the previous and the
    next value, around the end where the decision is unordered. A state is legal if every value is
    allowed (see `allow`) and the space's constraint accepts it.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.sizes = np.array([len(d.values) for d in space.decisions], dtype=np.int64)
        self.actions = 1 + 2 * len(space.decisions)
        self._names = [d.name for d in space.decisions]
        self._values = [d.values for d in space.decisions]
        self._numbers = [{value: i for i, value in enumerate(d.values)} for d in space.decisions]
        self._allowed = [np.ones(len(d.values), dtype=bool) for d in space.decisions]
        self._legality = Legality(space)
        self._targets = self._moves()
        self._moved = np.repeat(np.arange(len(space.decisions)), 2)
        default = self.state(space.default())
        assert default is not None
        self.default = default

    def state(self, candidate: Candidate) -> State | None:
        """The state of a candidate, or None if it has other decisions or values than this space."""
        if (candidate.sketch, candidate.version) != (self.space.sketch, self.space.version):
            return None
        if [name for name, _ in candidate.values] != self._names:
            return None
        numbers = [known.get(v) for known, (_, v) in zip(self._numbers, candidate.values, strict=True)]
        state = tuple(n for n in numbers if n is not None)
        return state if len(state) == len(numbers) else None

    def candidate(self, state: State) -> Candidate:
        """The candidate of a state."""
        return Candidate(
            self.space.sketch,
            self.space.version,
            tuple((n, v[i]) for n, v, i in zip(self._names, self._values, state, strict=True)),
        )

    def rows(self, states: Iterable[State]) -> States:
        """The states as an array, one a row."""
        listed = list(states)
        return np.array(listed, dtype=np.int64).reshape(len(listed), len(self.sizes))

    def allow(self, allowed: list[NDArray[np.bool_]]) -> bool:
        """Set which values of each decision may be used; whether that changed anything."""
        if all(np.array_equal(new, old) for new, old in zip(allowed, self._allowed, strict=True)):
            return False
        self._allowed = allowed
        self._targets = self._moves()
        return True

    def is_legal(self, state: State) -> bool:
        """Whether the state may be proposed."""
        allowed = all(a[i] for a, i in zip(self._allowed, state, strict=True))
        return allowed and self._legality.accepts_one(state)

    def are_legal(self, states: States) -> NDArray[np.bool_]:
        """Whether each state may be proposed."""
        legal = np.ones(len(states), dtype=bool)
        for d, allowed in enumerate(self._allowed):
            legal &= allowed[states[:, d]]
        legal[legal] = self._legality.accepts(states[legal])
        return legal

    def draw(self, rng: np.random.Generator, count: int) -> list[State]:
        """The legal ones among `count` uniform draws from the allowed values."""
        columns = [rng.choice(np.flatnonzero(allowed), size=count) for allowed in self._allowed]
        rows = np.stack(columns, axis=1) if columns else np.zeros((1, 0), dtype=np.int64)
        return [tuple(row) for row in rows[self._legality.accepts(rows)].tolist()]

    def all_legal(self) -> list[State]:
        """Every legal state; only for small spaces."""
        ranges = [np.flatnonzero(allowed).tolist() for allowed in self._allowed]
        states = list(itertools.product(*ranges))
        legal = self._legality.accepts(self.rows(states))
        return [state for state, is_legal in zip(states, legal.tolist(), strict=True) if is_legal]

    def neighbours(self, state: State) -> list[State]:
        """The legal states one move away."""
        moves = np.flatnonzero(self.mask(self.rows([state]))[0])[1:]
        states = np.tile(np.array(state, dtype=np.int64), (len(moves), 1))
        return [tuple(row) for row in self.move(states, moves).tolist()]

    def mask(self, states: States) -> NDArray[np.bool_]:
        """Which actions are legal, a row a state."""
        targets = self._targets[np.arange(self.actions - 1), states[:, self._moved]]
        rows, moves = np.nonzero(targets >= 0)
        moved = states[rows]
        moved[np.arange(len(rows)), self._moved[moves]] = targets[rows, moves]
        mask = np.zeros((len(states), self.actions), dtype=bool)
        mask[:, 0] = True
        mask[rows, moves + 1] = self._legality.accepts(moved)
        return mask

    def move(self, states: States, actions: NDArray[np.int64]) -> States:
        """Where the actions lead, one action a state."""
        moved = states.copy()
        rows = np.flatnonzero(actions)
        if rows.size:
            decisions = (actions[rows] - 1) // 2
            steps = 2 * ((actions[rows] - 1) % 2) - 1
            moved[rows, decisions] = (moved[rows, decisions] + steps) % self.sizes[decisions]
        return moved

    def _moves(self) -> NDArray[np.int64]:
        """Where each action but staying leads from each value of its decision; -1 where it may not go."""
        targets = np.full((self.actions - 1, max(self.sizes.tolist(), default=1)), -1, dtype=np.int64)
        for d, decision in enumerate(self.space.decisions):
            size = len(decision.values)
            # With two values both steps around the end lead to the same one: keep the inner one.
            goes_around = not decision.ordered and size > 2
            for at in range(size):
                for action, to in ((2 * d, at - 1), (2 * d + 1, at + 1)):
                    inside = 0 <= to < size
                    if (inside or goes_around) and self._allowed[d][to % size]:
                        targets[action, at] = to % size
        return targets
