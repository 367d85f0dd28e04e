"""Agents that search every task on its own, and a task policy that says whose turn it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from harl_mlir.search.agent import Problem, Proposal, Trial
from harl_mlir.search.settings import Settings
from harl_mlir.search.task_choice import TaskChoice, WeightedTurns
from harl_mlir.search.task_reward import TaskGains
from harl_mlir.space.candidate import Candidate


class TaskSearch(Protocol):
    """A search over the spaces of one task."""

    def plan(self) -> list[Candidate]:
        """The next round: distinct candidates that were neither planned nor observed; empty at the end."""
        ...

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        """A candidate was measured, its own or another; None seconds for a failure."""
        ...


class PerTask:
    """The agent made of a search for every problem; tasks take turns by weight unless `choice` says else.

    A round is what one search plans at once. Searches that learn from every trial plan one candidate.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        searches: Sequence[TaskSearch],
        choice: TaskChoice | None = None,
        gains: TaskGains | None = None,
    ) -> None:
        self._searches = searches
        self._choice = choice or WeightedTurns(problems)
        self._gains = gains or TaskGains(problems, Settings())
        self._left = list(range(len(problems)))
        self._queue: deque[Proposal] = deque()
        self._round: int | None = None

    def propose(self, count: int) -> list[Proposal]:
        """What is left of the round, or the next round: at most `count` proposals."""
        if count < 1:
            return []
        if not self._queue:
            self._plan_round()
        return [self._queue.popleft() for _ in range(min(count, len(self._queue)))]

    def observe(self, trials: Sequence[Trial]) -> None:
        """Hand every measurement to its task's search."""
        for trial in trials:
            problem, seconds = trial.proposal.problem, trial.measurement.seconds
            if seconds:
                self._gains.note_time(problem, seconds)
            self._searches[problem].observe(trial.proposal.candidate, seconds)
            # A measurement from elsewhere may be of a candidate that waits to be proposed.
            if trial.proposal in self._queue:
                self._queue.remove(trial.proposal)

    def _plan_round(self) -> None:
        if self._round is not None:
            self._gains.end_round(self._round)
            self._choice.end_round(self._round)
            self._round = None
        while self._left and not self._queue:
            problem, _ = self._choice.choose(self._left)
            self._queue += (Proposal(problem, candidate) for candidate in self._searches[problem].plan())
            if self._queue:
                self._round = problem
            else:
                self._left.remove(problem)
