"""The search policy behind a walk: what the walk found best is measured, a handful of nests, and no more."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from harl_mlir.search.agent import Problem, Proposal, Trial
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.space import SKETCH
from harl_mlir.space.space import Space

HANDFUL = 8
"""Nests of a task that are measured, the walk's own choice among them."""


class LoopTune:
    """Proposes the listed nests of each space of nests in their order, and the default of any other space.

    The tasks take turns, and what each would try first comes first.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._waiting = list(_in_turns(problems))

    def propose(self, count: int) -> list[Proposal]:
        """The next at most `count` candidates; empty when nothing is left to try."""
        proposals, self._waiting = self._waiting[: max(0, count)], self._waiting[max(0, count) :]
        return proposals

    def observe(self, trials: Sequence[Trial]) -> None:
        """Do not propose what was measured elsewhere."""
        known = {trial.proposal for trial in trials}
        self._waiting = [proposal for proposal in self._waiting if proposal not in known]


def _in_turns(problems: Sequence[Problem]) -> Iterable[Proposal]:
    queues = [
        [Proposal(number, candidate) for candidate in _of_space(space)]
        for number, problem in enumerate(problems)
        for space in problem.spaces
    ]
    for rank in itertools.zip_longest(*queues):
        yield from (proposal for proposal in rank if proposal is not None)


def _of_space(space: Space) -> list[Candidate]:
    first = space.default()
    if space.sketch != SKETCH:
        return [first]
    nests = space.decisions[0]
    listed = [space.candidate({**first.assignment, nests.name: value}) for value in nests.values]
    return [first, *(candidate for candidate in listed if candidate != first)][:HANDFUL]
