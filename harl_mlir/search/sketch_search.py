"""The search within the space of one sketch on one task."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harl_mlir.search.cost_model import CostModel
from harl_mlir.search.failing_values import working_values
from harl_mlir.search.features import Rows, SpaceFeatures
from harl_mlir.search.lattice import Lattice, State
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.observations import Observer
from harl_mlir.search.sampling import diverse, fresh_states
from harl_mlir.search.settings import Settings
from harl_mlir.search.walk import Walker
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

_POOL = 64
_LOOKED_AT, _HOPED_FOR = 256, 4
"""Candidates by whose scores a space is judged, and how many of them are."""
_CONTESTED = 256
"""Candidates of which a round is chosen."""


@dataclass(frozen=True)
class Plan:
    """Candidates to measure next, and how they were found.

    `sampled` of them are the space's first samples, `by_score` were chosen by the cost model's opinions
    among the `visited` states, `explored` at random. `fitted` is the number of rows the cost model
    was fitted on, `updates` how often the policy learned, `dropped` how many of `tracks` were dropped.
    """

    states: list[State]
    sampled: int = 0
    by_score: int = 0
    explored: int = 0
    visited: int = 0
    fitted: int = 0
    updates: int = 0
    tracks: int = 0
    dropped: int = 0


class SketchSearch:
    """What is known of one space, and the proposals made from it.

    Its cost model also learns from what was measured of `siblings`, the searches in the task's other
    spaces, by their loop nests. The policy may be that of other spaces too. With a `prior` (see `CostModel`)
    the cost model speaks before anything was measured, if the space knows its loop nests.
    """

    def __init__(
        self,
        task: Task,
        space: Space,
        settings: Settings,
        seed: int,
        policy: MovePolicy | None,
        prior: xgboost.Booster | None = None,
    ) -> None:
        self.space = space
        self.lattice = Lattice(space)
        self.throughputs: dict[State, float] = {}
        self.is_exhausted = False
        self.siblings: tuple[SketchSearch, ...] = ()
        self._features = SpaceFeatures(task, space)
        self._observer = Observer(task, space)
        self._settings = settings
        self._rng = np.random.default_rng(seed)
        self._model = CostModel(settings, seed, prior if space.nests else None)
        self._policy = policy
        self._seen: dict[State, None] = {}

    @property
    def knows_nests(self) -> bool:
        """Whether the loop nests of the space's candidates are known."""
        return self._features.knows_nests

    @property
    def knows_other_tasks(self) -> bool:
        """Whether the cost model was trained on other tasks."""
        return self._model.knows_other_tasks

    @property
    def best_throughput(self) -> float:
        """Greatest calls per second measured; 0 if none succeeded."""
        return max(self.throughputs.values(), default=0.0)

    @property
    def missing(self) -> int:
        """Measurements missing for a cost model: of this space, or of it and the task's other spaces."""
        if self._model.is_fitted:
            return 0
        known = len(self.throughputs) + sum(len(other.throughputs) for other in self._told_by)
        settings = self._settings
        return max(0, (settings.model_min_task_rows if self.knows_nests else settings.model_min_rows) - known)

    @property
    def _told_by(self) -> list[SketchSearch]:
        """The siblings from whose measurements the cost model learns."""
        return [other for other in self.siblings if self.knows_nests and other.knows_nests]

    def observe(self, candidate: Candidate, seconds: float | None) -> State | None:
        """Take in a measurement, None seconds for a failure; its state, None if not of this space."""
        state = self.lattice.state(candidate)
        if state is not None:
            self._seen[state] = None
            self.throughputs[state] = 1 / seconds if seconds else 0.0
        return state

    def expected(self, best_throughput: float) -> float:
        """What the best of a first round are likely to reach: by a cost model that knows other tasks.

        Without one what was measured of this space, as a few measurements teach little about what was not.
        The model is asked as it is: fitting it for every space would take longer than that tells.
        `best_throughput` is the task's.
        """
        if not self.knows_other_tasks or not best_throughput:
            return self.best_throughput
        drawn = self._scored(self.lattice.draw(self._rng, _LOOKED_AT) or [self.lattice.default])
        best = sorted(drawn.values())[-_HOPED_FOR:]
        return best_throughput * sum(best) / len(best)

    def plan(self, count: int, best_throughput: float) -> Plan:
        """At most `count` new candidates; `best_throughput` is the task's.

        Without any, nothing is left and `is_exhausted` is set.
        """
        self._drop_failing_values()
        if not self.missing:
            plan = self._learned(count, best_throughput)
        else:
            states = self._first_samples(min(count, self.missing))
            plan = Plan(states, sampled=len(states))
        self._seen.update(dict.fromkeys(plan.states))
        self.is_exhausted = not plan.states
        return plan

    def _first_samples(self, count: int) -> list[State]:
        """The default, then random candidates far from it, from each other and from the seen ones."""
        default = self.lattice.default
        first = [default] if default not in self._seen and self.lattice.is_legal(default) else []
        known = [state for state in self._seen if self.lattice.is_legal(state)][:_POOL] + first
        pool = [state for state in self._fresh(max(count, _POOL)) if state not in first]
        if not pool:
            return first
        everything = [*known, *pool]
        points = self._features.positions(self.lattice.rows(everything))
        others = diverse(points, len(known), count - len(first))
        return [*first, *(everything[i] for i in others)]

    def _learned(self, count: int, best_throughput: float) -> Plan:
        """The best visited candidates by the cost model's opinions, and some random ones."""
        pool = self._fresh(self._settings.tracks)
        if not pool:
            return Plan([])
        fitted = self._fit(best_throughput)
        drawn = self._scored([*pool, *self.lattice.draw(self._rng, self._settings.drawn)])
        walk = self._walker().walk(self._starts(drawn))
        explored = min(round(count * self._settings.exploration_share), len(pool))
        chosen = self._top({**drawn, **walk.scores}, count - explored)
        rest = [state for state in pool if state not in chosen][: count - len(chosen)]
        return Plan(
            [*chosen, *rest],
            by_score=len(chosen),
            explored=len(rest),
            visited=len(drawn.keys() | walk.scores.keys()),
            fitted=fitted,
            updates=walk.updates,
            tracks=self._settings.tracks,
            dropped=walk.dropped,
        )

    def _scored(self, states: list[State]) -> dict[State, float]:
        """The cost model's score of each state."""
        scores = self._model.scores(self._features.model_rows(self.lattice.rows(states)))
        return dict(zip(states, scores.tolist(), strict=True))

    def _top(self, scores: Mapping[State, float], count: int) -> list[State]:
        """Unseen states, each the one that another of the cost model's ensembles likes best.

        They are taken from those of the highest scores; a draw decides among equals.
        """
        states = [state for state in scores if state not in self._seen]
        mean = np.array([scores[state] for state in states])
        order = np.lexsort((self._rng.random(len(states)), -mean))[:_CONTESTED].tolist()
        contested = [states[i] for i in order]
        opinions = self._model.opinions(self._features.model_rows(self.lattice.rows(contested)))
        opinions = opinions[self._rng.permutation(len(opinions))]
        chosen: list[int] = []
        for number in range(min(count, len(contested))):
            opinion = opinions[number % len(opinions)]
            opinion[chosen] = -np.inf
            chosen.append(int(opinion.argmax()))
        return [contested[i] for i in chosen]

    def _starts(self, drawn: Mapping[State, float]) -> list[State]:
        """Where the tracks start: the best measured candidates, the default, the best drawn by score."""
        settings = self._settings
        ranked = sorted(self.throughputs, key=lambda state: (-self.throughputs[state], state))
        legal = (state for state in ranked if self.throughputs[state] and self.lattice.is_legal(state))
        best = list(itertools.islice(legal, settings.best_starts))
        from_best = round(settings.tracks * settings.best_track_share) if best else 0
        starts = [best[i % len(best)] for i in range(from_best)]
        if self.lattice.is_legal(self.lattice.default):
            starts.append(self.lattice.default)
        others = sorted(drawn, key=lambda state: -drawn[state])
        return [*starts, *(others[i % len(others)] for i in range(settings.tracks - len(starts)))]

    def _fit(self, best_throughput: float) -> int:
        if not self._settings.use_cost_model or not best_throughput:
            return 0
        others = self._told_by
        rows = [self._features.of_others(other.measured_nests()) for other in others]
        rows.append(self._features.model_rows(self.lattice.rows(self.throughputs)))
        throughputs = [value for other in (*others, self) for value in other.throughputs.values()]
        relative = np.array(throughputs, dtype=np.float32) / np.float32(best_throughput)
        return len(relative) if self._model.fit(np.concatenate(rows), relative) else 0

    def measured_nests(self) -> Rows:
        """The columns of the loop nests of what was measured."""
        return self._features.nest_rows(self.lattice.rows(self.throughputs))

    def _walker(self) -> Walker:
        return Walker(
            self.lattice,
            self._features,
            self._observer,
            self._model,
            self._policy,
            self._settings,
            self._rng,
        )

    def _fresh(self, count: int) -> list[State]:
        return fresh_states(self.lattice, self._rng, self._seen, count)

    def _drop_failing_values(self) -> None:
        if not self.throughputs:
            return
        states = self.lattice.rows(self.throughputs)
        succeeded = np.array(list(self.throughputs.values())) > 0
        self.lattice.allow(
            working_values(
                self.lattice.sizes, states, succeeded, self._settings.drop_after, self._settings.drop_doubt
            )
        )
