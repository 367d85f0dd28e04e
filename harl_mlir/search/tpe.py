"""The baseline `tpe`: Optuna's tree-structured Parzen estimator."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import optuna

from harl_mlir.search.agent import Problem
from harl_mlir.search.per_task import PerTask
from harl_mlir.search.points import Point, Points
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision

optuna.logging.set_verbosity(optuna.logging.ERROR)

_FIRST_DRAWS = 8
"""Uniform draws before the estimator speaks; Optuna's 10 are meant for longer searches."""
_ASKS = 6
"""How often it is asked for a candidate that is legal and new, before one is drawn instead."""
_FAILED = -1e9
"""The value of a failure: below every logarithm of a throughput."""
_SKETCH = "sketch"


class TPE(PerTask):
    """A study a task over the sketch and that sketch's decisions; it learns from every trial.

    An ordered decision is the number of its value, another one a category. The objective is the logarithm
    of the throughput. What is illegal or was seen is told as failed, which the estimator leaves out.
    """

    def __init__(self, problems: Sequence[Problem], seed: int) -> None:
        seeds = np.random.SeedSequence(seed).spawn(len(problems))
        super().__init__(problems, [_Study(p, s) for p, s in zip(problems, seeds, strict=True)])


class _Study:
    def __init__(self, problem: Problem, seed: np.random.SeedSequence) -> None:
        self._points = Points(problem.spaces)
        self._decisions = [space.decisions for space in problem.spaces]
        self._rng = np.random.default_rng(seed)
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=_FIRST_DRAWS, seed=int(seed.generate_state(1)[0])
        )
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._asked: dict[Point, optuna.Trial] = {}

    def plan(self) -> list[Candidate]:
        """One candidate: a default first, then what the estimator suggests, else a draw."""
        if not self._decisions:
            return []
        point = next(iter(self._points.new_defaults()), None) or self._suggested()
        point = point or self._points.draw(self._rng)
        return [] if point is None else [self._points.take(point)]

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        """Tell the study; only the order of the values counts there, and a failure comes last."""
        point = self._points.observe(candidate, seconds)
        if point is None:
            return
        value = -math.log(seconds) if seconds else _FAILED
        trial = self._asked.pop(point, None)
        if trial is not None:
            self._study.tell(trial, value)
            return
        parameters, distributions = self._parameters(point)
        self._study.add_trial(
            optuna.trial.create_trial(value=value, params=parameters, distributions=distributions)
        )

    def _suggested(self) -> Point | None:
        for _ in range(_ASKS):
            trial = self._study.ask()
            sketch = trial.suggest_categorical(_SKETCH, range(len(self._decisions)))
            state = tuple(_suggest(trial, sketch, decision) for decision in self._decisions[sketch])
            point = Point(sketch, state)
            if self._points.is_new(point):
                self._asked[point] = trial
                return point
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return None

    def _parameters(
        self, point: Point
    ) -> tuple[dict[str, int], dict[str, optuna.distributions.BaseDistribution]]:
        """A point that was not asked for, as the study would have suggested it."""
        decisions = self._decisions[point.sketch]
        names = [_name(point.sketch, decision) for decision in decisions]
        parameters = {_SKETCH: point.sketch, **dict(zip(names, point.state, strict=True))}
        distributions: dict[str, optuna.distributions.BaseDistribution] = {
            _SKETCH: optuna.distributions.CategoricalDistribution(range(len(self._decisions)))
        }
        for name, decision in zip(names, decisions, strict=True):
            numbers = range(len(decision.values))
            distributions[name] = (
                optuna.distributions.IntDistribution(0, len(numbers) - 1)
                if decision.ordered
                else optuna.distributions.CategoricalDistribution(numbers)
            )
        return parameters, distributions


def _suggest(trial: optuna.Trial, sketch: int, decision: Decision) -> int:
    name, count = _name(sketch, decision), len(decision.values)
    if decision.ordered:
        return trial.suggest_int(name, 0, count - 1)
    return int(trial.suggest_categorical(name, range(count)))


def _name(sketch: int, decision: Decision) -> str:
    return f"{sketch}.{decision.name}"
