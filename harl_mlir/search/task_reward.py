"""What one more round on a task is worth: Ansor's gradient (arXiv 2006.06762, section 6)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from harl_mlir.search.agent import Problem
from harl_mlir.search.settings import Settings


class TaskGains:
    """Best times of all tasks over the rounds, and the gain to be expected from one more round.

    The gain of task i after t rounds with best time g is, in seconds of the whole program,
    `weight * (alpha * improvement a round over the last rounds + (1-alpha) * max(g/t, g - beta*C/V))`
    with C its FLOPs and V the greatest FLOP/s of a similar task. A task is similar if its anchor has
    the same name and iterator kinds.
    """

    def __init__(self, problems: Sequence[Problem], settings: Settings) -> None:
        self._settings = settings
        self._problems = problems
        self._best: list[float | None] = [None] * len(problems)
        self._rounds: list[list[float]] = [[] for _ in problems]
        self._plays = [0] * len(problems)
        self._kinds: list[Hashable] = [(p.task.anchor_op.name, p.task.anchor_op.iterators) for p in problems]

    def best(self, problem: int) -> float | None:
        """Least measured seconds of a task so far, or None."""
        return self._best[problem]

    def note_time(self, problem: int, seconds: float) -> None:
        """A measured time of a task."""
        best = self._best[problem]
        self._best[problem] = seconds if best is None else min(best, seconds)

    def end_round(self, problem: int) -> None:
        """A round on this task is over."""
        self._plays[problem] += 1
        best = self._best[problem]
        if best is not None:
            self._rounds[problem].append(best)

    def gain(self, problem: int) -> float:
        """Seconds of the whole program that one more round is expected to gain; 0 where unknown."""
        now = self._best[problem] or self._problems[problem].baseline_seconds
        if not now:
            return 0.0
        settings = self._settings
        hoped = now / max(1, self._plays[problem])
        similar = self._similar_throughput(problem)
        task = self._problems[problem].task
        if similar:
            hoped = max(hoped, now - settings.similarity_trust * task.flops / similar)
        recent = self._recent_improvement(problem)
        return task.weight * (settings.recent_weight * recent + (1 - settings.recent_weight) * hoped)

    def reward(self, problem: int) -> float:
        """The task's gain over the greatest gain of all tasks: in [0, 1], as the bandit expects."""
        most = max(self.gain(i) for i in range(len(self._problems)))
        return self.gain(problem) / most if most else 0.0

    def _recent_improvement(self, problem: int) -> float:
        rounds = self._rounds[problem]
        span = min(self._settings.recent_rounds, len(rounds) - 1)
        return (rounds[-1 - span] - rounds[-1]) / span if span > 0 else 0.0

    def _similar_throughput(self, problem: int) -> float:
        """Greatest FLOP/s among the other tasks of its kind; 0 if none was measured."""
        return max(
            (
                self._problems[i].task.flops / best
                for i, best in enumerate(self._best)
                if best and i != problem and self._kinds[i] == self._kinds[problem]
            ),
            default=0.0,
        )
