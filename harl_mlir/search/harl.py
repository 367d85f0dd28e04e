"""HARL: a hierarchy of learned decisions spends the budget (arXiv 2211.11172).

A round chooses a task by a bandit, a sketch by a second bandit, and changes to the sketch's decisions
by an actor-critic that a cost model guides; the best by the model's score are measured.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harl_mlir.search.agent import Problem, Proposal, Trial
from harl_mlir.search.bandit import SlidingWindowUCB
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.observations import FEATURES, GLOBALS
from harl_mlir.search.pretrained import Pretrained
from harl_mlir.search.settings import Settings
from harl_mlir.search.sketch_search import Plan, SketchSearch
from harl_mlir.search.task_choice import make_task_choice
from harl_mlir.search.task_reward import TaskGains

_log = logging.getLogger(__name__)
_UNKNOWN = "not known yet"


@dataclass
class _Round:
    """The round under way: its task, how many candidates of which sketch, and the best throughput of each.

    `played` is the sketch that the bandit chose; what first samples of others gave is none of its rewards.
    """

    problem: int
    shares: dict[int, int]
    played: int | None
    waiting: set[Proposal] = field(default_factory=set)
    best: dict[int, float] = field(default_factory=dict)


class HARL:
    """The search policy; see `Settings` for its constants and switches.

    `acted` counts how often each mechanism acted: `task`, `sketch` (choices made by the bandits),
    `first_samples`, `by_score`, `explored` (candidates), `model_fits`, `policy_updates`, `tracks_dropped`.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        seed: int,
        settings: Settings | None = None,
        pretrained: Pretrained | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._problems = problems
        seeds = np.random.SeedSequence(seed)
        self._rng = np.random.default_rng(seeds.spawn(1)[0])
        policy = _policy(self._settings, seed, pretrained)
        prior = pretrained.cost_model if pretrained and self._settings.use_cost_model else None
        self._searches = [
            [
                SketchSearch(p.task, space, self._settings, int(s.generate_state(1)[0]), policy, prior)
                for s, space in zip(seeds.spawn(len(p.spaces)), p.spaces, strict=True)
            ]
            for p in problems
        ]
        for searches in self._searches:
            for search in searches:
                search.siblings = tuple(other for other in searches if other is not search)
        window, settings = self._settings.bandit_window, self._settings
        self._sketch_bandits = [
            SlidingWindowUCB(len(p.spaces), window, settings.sketch_exploration) for p in problems
        ]
        self._gains = TaskGains(problems, settings)
        self._task_choice = make_task_choice(settings, problems, self._gains, self._rng)
        self._queue: deque[Proposal] = deque()
        self._round: _Round | None = None
        self._rounds = 0
        self.acted: Counter[str] = Counter()

    def propose(self, count: int) -> list[Proposal]:
        """What is left of the round, or the next round: at most `count` proposals."""
        if count < 1 or not (self._queue or self._start_round()):
            return []
        return [self._queue.popleft() for _ in range(min(count, len(self._queue)))]

    def observe(self, trials: Sequence[Trial]) -> None:
        """Take in measurements; the round ends with the last of its own."""
        for trial in trials:
            self._take_in(trial)
        if self._round and not self._round.waiting:
            self._end_round()

    def _take_in(self, trial: Trial) -> None:
        problem, candidate = trial.proposal.problem, trial.proposal.candidate
        seconds = trial.measurement.seconds
        for sketch, search in enumerate(self._searches[problem]):
            if search.observe(candidate, seconds) is None:
                continue
            if seconds:
                self._gains.note_time(problem, seconds)
            if self._round and trial.proposal in self._round.waiting:
                self._round.waiting.remove(trial.proposal)
                best = self._round.best.get(sketch, 0.0)
                self._round.best[sketch] = max(best, 1 / seconds if seconds else 0.0)
            break
        # A measurement from elsewhere may be of a candidate that waits to be proposed.
        if trial.proposal in self._queue:
            self._queue.remove(trial.proposal)

    def _start_round(self) -> bool:
        """Plan the next round; whether anything is left to try."""
        self._end_round()
        while True:
            left = [i for i, s in enumerate(self._searches) if any(not x.is_exhausted for x in s)]
            if not left:
                return False
            problem, why = self._task_choice.choose(left)
            if self._plan_round(problem, why):
                return True

    def _plan_round(self, problem: int, why_task: str) -> bool:
        """Queue the proposals of a round on one task; whether there are any."""
        shares = self._first_shares(problem)
        left = self._round_size(problem) - sum(shares.values())
        played, why_sketch = self._choose_sketch(problem, [*shares]) if left > 0 else (None, _UNKNOWN)
        if played is not None:
            shares[played] = left
        best_seconds = self._gains.best(problem)
        self._round = _Round(problem, shares, played)
        plans: list[Plan] = []
        for sketch, share in shares.items():
            search = self._searches[problem][sketch]
            plans.append(search.plan(share, 1 / best_seconds if best_seconds else 0.0))
            self._queue += (Proposal(problem, search.lattice.candidate(s)) for s in plans[-1].states)
        self._round.waiting.update(self._queue)
        if not self._queue:
            return False
        self._rounds += 1
        self._tell(why_task, why_sketch, plans)
        return True

    def _choose_sketch(self, problem: int, but: list[int]) -> tuple[int | None, str]:
        """One of the sketches that are not in `but`, by the bandit; None if none is left.

        Of a sketch that was not played yet, the bandit hopes for what the cost model expects of it.
        """
        searches, bandit = self._searches[problem], self._sketch_bandits[problem]
        left = [s for s, search in enumerate(searches) if not (search.is_exhausted or s in but)]
        if not left:
            return None, _UNKNOWN
        if self._settings.uniform_sketch:
            return int(self._rng.choice(left)), "drawn"
        best_seconds = self._gains.best(problem) or 0.0
        best = 1 / best_seconds if best_seconds else 0.0
        unplayed = [sketch for sketch in left if not bandit.plays(sketch)]
        choice = bandit.choose(left, {s: best_seconds * searches[s].expected(best) for s in unplayed})
        return choice.arm, str(choice)

    def _round_size(self, problem: int) -> int:
        """Candidates of the task's next round.

        A cost model that knows other tasks names good ones at once: then the first rounds are small, and each
        has twice as many as the one before.
        """
        if not any(search.knows_other_tasks for search in self._searches[problem]):
            return self._settings.measurements_per_round
        bandit = self._sketch_bandits[problem]
        played = sum(bandit.plays(sketch) for sketch in range(len(self._searches[problem])))
        return min(self._settings.first_round << min(played, 8), self._settings.measurements_per_round)

    def _first_shares(self, problem: int) -> dict[int, int]:
        """Of every sketch of which too little is known for a cost model, how many candidates to sample."""
        searches = self._searches[problem]
        unknown = [s for s, search in enumerate(searches) if search.missing and not search.is_exhausted]
        unknown.sort(key=lambda sketch: len(searches[sketch].throughputs))
        left, shares = self._settings.measurements_per_round, dict[int, int]()
        for place, sketch in enumerate(unknown):
            shares[sketch] = min(searches[sketch].missing, -(-left // (len(unknown) - place)))
            left -= shares[sketch]
        return {sketch: share for sketch, share in shares.items() if share}

    def _end_round(self) -> None:
        """Tell task choice and sketch bandit what was measured in the round under way."""
        ended, self._round = self._round, None
        if ended is None or not ended.best:
            return
        problem = ended.problem
        self._gains.end_round(problem)
        self._task_choice.end_round(problem)
        best_seconds = self._gains.best(problem)
        if ended.played in ended.best:
            reward = ended.best[ended.played] * (best_seconds or 0.0)
            self._sketch_bandits[problem].update(ended.played, reward)

    def _tell(self, why_task: str, why_sketch: str, plans: list[Plan]) -> None:
        """Count what acted in this round, and log a line."""
        assert self._round is not None
        task = self._problems[self._round.problem].task
        spaces = self._problems[self._round.problem].spaces
        total = {
            "first_samples": sum(plan.sampled for plan in plans),
            "by_score": sum(plan.by_score for plan in plans),
            "explored": sum(plan.explored for plan in plans),
            "policy_updates": sum(plan.updates for plan in plans),
            "tracks_dropped": sum(plan.dropped for plan in plans),
            "model_fits": sum(plan.fitted > 0 for plan in plans),
        }
        self.acted.update(total)
        self.acted["task"] += self._settings.task_choice == "bandit"
        self.acted["sketch"] += not (self._settings.uniform_sketch or self._round.played is None)
        _log.info(
            "round %d: task %s (%s), sketch %s (%s); cost model on %d rows, %d policy updates over %d states,"
            " %d of %d tracks dropped; %d first samples, %d by score, %d explored",
            self._rounds,
            task.label(),
            why_task,
            ", ".join(spaces[sketch].sketch for sketch in self._round.shares),
            why_sketch,
            sum(plan.fitted for plan in plans),
            total["policy_updates"],
            sum(plan.visited for plan in plans),
            total["tracks_dropped"],
            sum(plan.tracks for plan in plans),
            total["first_samples"],
            total["by_score"],
            total["explored"],
        )


def _policy(settings: Settings, seed: int, pretrained: Pretrained | None) -> MovePolicy | None:
    """One policy for all spaces of all tasks."""
    if not settings.use_policy:
        return None
    policy = MovePolicy(GLOBALS, FEATURES, settings, seed)
    if pretrained:
        policy.set_weights(pretrained.policy)
    return policy
