"""No search: the default candidate of every space, once."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.search.agent import Problem, Proposal, Trial


class DefaultOnly:
    """Proposes each space's default, task by task, then nothing."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._queue = [
            Proposal(number, space.default())
            for number, problem in enumerate(problems)
            for space in problem.spaces
        ]

    def propose(self, count: int) -> list[Proposal]:
        """The next at most `count` defaults."""
        proposals, self._queue = self._queue[: max(0, count)], self._queue[max(0, count) :]
        return proposals

    def observe(self, trials: Sequence[Trial]) -> None:
        """Do not propose what was measured elsewhere."""
        known = {trial.proposal for trial in trials}
        self._queue = [proposal for proposal in self._queue if proposal not in known]
