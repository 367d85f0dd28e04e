"""The baseline: uniform legal candidates without repetition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harl_mlir.search.agent import Problem, Proposal, Trial
from harl_mlir.search.lattice import Lattice, State
from harl_mlir.search.sampling import fresh_states


class RandomSearch:
    """Tasks in turns by their weights; a uniform sketch; a uniform candidate of it."""

    def __init__(self, problems: Sequence[Problem], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._weights = [max(1, p.task.weight) for p in problems]
        self._turns = [0] * len(problems)
        self._lattices = [[Lattice(space) for space in p.spaces] for p in problems]
        self._seen: list[list[dict[State, None]]] = [[{} for _ in p.spaces] for p in problems]
        self._left = [list(range(len(p.spaces))) for p in problems]

    def propose(self, count: int) -> list[Proposal]:
        """The next at most `count` candidates."""
        proposals: list[Proposal] = []
        while len(proposals) < count:
            open_problems = [i for i, left in enumerate(self._left) if left]
            if not open_problems:
                break
            # The task that is furthest behind its share is next.
            problem = min(open_problems, key=lambda i: ((self._turns[i] + 1) / self._weights[i], i))
            sketch = int(self._rng.choice(self._left[problem]))
            lattice, seen = self._lattices[problem][sketch], self._seen[problem][sketch]
            fresh = fresh_states(lattice, self._rng, seen, 1)
            if not fresh:
                self._left[problem].remove(sketch)
                continue
            seen[fresh[0]] = None
            self._turns[problem] += 1
            proposals.append(Proposal(problem, lattice.candidate(fresh[0])))
        return proposals

    def observe(self, trials: Sequence[Trial]) -> None:
        """Remember what need not be proposed again."""
        for trial in trials:
            problem = trial.proposal.problem
            for lattice, seen in zip(self._lattices[problem], self._seen[problem], strict=True):
                state = lattice.state(trial.proposal.candidate)
                if state is not None:
                    seen[state] = None
