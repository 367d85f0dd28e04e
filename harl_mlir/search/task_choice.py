"""Whose turn it is: the policies that choose the task of the next round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from harl_mlir.search.agent import Problem
from harl_mlir.search.bandit import SlidingWindowUCB
from harl_mlir.search.settings import Settings
from harl_mlir.search.task_reward import TaskGains


class TaskChoice(Protocol):
    """Chooses among tasks by their numbers."""

    def choose(self, left: Sequence[int]) -> tuple[int, str]:
        """One of the tasks that are `left` (at least one), and why."""
        ...

    def end_round(self, problem: int) -> None:
        """A round on this task is over, and the gains know what it brought."""
        ...


class BanditChoice:
    """SW-UCB over the tasks; a round's reward is the task's gain over the greatest of all."""

    def __init__(self, gains: TaskGains, tasks: int, settings: Settings) -> None:
        self._gains = gains
        self._bandit = SlidingWindowUCB(tasks, settings.bandit_window, settings.task_exploration)

    def choose(self, left: Sequence[int]) -> tuple[int, str]:
        """The task of the greatest upper confidence bound."""
        choice = self._bandit.choose(left)
        return choice.arm, str(choice)

    def end_round(self, problem: int) -> None:
        """Reward the task."""
        self._bandit.update(problem, self._gains.reward(problem))


class UniformChoice:
    """Draws a task."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def choose(self, left: Sequence[int]) -> tuple[int, str]:
        """Any of them."""
        return int(self._rng.choice(left)), "drawn"

    def end_round(self, problem: int) -> None:
        """Nothing is learned."""


class RoundRobin:
    """The task that had the fewest rounds."""

    def __init__(self, tasks: int) -> None:
        self._rounds = [0] * tasks

    def choose(self, left: Sequence[int]) -> tuple[int, str]:
        """The first of those with the fewest rounds."""
        return min(left, key=lambda task: (self._rounds[task], task)), "in turn"

    def end_round(self, problem: int) -> None:
        """Count the round."""
        self._rounds[problem] += 1


class GradientChoice:
    """Ansor's task scheduler: every task once, then always the one with the greatest gain."""

    def __init__(self, gains: TaskGains, tasks: int) -> None:
        self._gains = gains
        self._rounds = [0] * tasks

    def choose(self, left: Sequence[int]) -> tuple[int, str]:
        """A task that had no round yet, else the one from which one more is expected to gain most."""
        new = [task for task in left if not self._rounds[task]]
        if new:
            return new[0], "not tried yet"
        task = max(left, key=self._gains.gain)
        return task, f"gain {self._gains.gain(task):.3g} s"

    def end_round(self, problem: int) -> None:
        """Count the round."""
        self._rounds[problem] += 1


class WeightedTurns:
    """The task furthest behind its share of the rounds, which is its weight."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._weights = [max(1, problem.task.weight) for problem in problems]
        self._rounds = [0] * len(problems)

    def choose(self, left: Sequence[int]) -> tuple[int, str]:
        """The first of those furthest behind."""
        task = min(left, key=lambda i: ((self._rounds[i] + 1) / self._weights[i], i))
        return task, "by weight"

    def end_round(self, problem: int) -> None:
        """Count the round."""
        self._rounds[problem] += 1


def make_task_choice(
    settings: Settings, problems: Sequence[Problem], gains: TaskGains, rng: np.random.Generator
) -> TaskChoice:
    """The policy that `settings.task_choice` names."""
    match settings.task_choice:
        case "bandit":
            return BanditChoice(gains, len(problems), settings)
        case "uniform":
            return UniformChoice(rng)
        case "round-robin":
            return RoundRobin(len(problems))
        case "gradient":
            return GradientChoice(gains, len(problems))
