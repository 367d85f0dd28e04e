"""The baseline `evolutionary`: Ansor's search (arXiv 2006.06762, section 5), with HARL's cost model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harl_mlir.search.agent import Problem
from harl_mlir.search.cost_model import CostModel
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import States
from harl_mlir.search.per_task import PerTask
from harl_mlir.search.points import Point, Points
from harl_mlir.search.settings import Settings
from harl_mlir.search.task_choice import GradientChoice
from harl_mlir.search.task_reward import TaskGains
from harl_mlir.space.candidate import Candidate

if TYPE_CHECKING:  # importing it takes a while
    import xgboost

_BREEDINGS = 3
"""How often children are bred to replace illegal ones; parents take the places that stay empty."""


@dataclass(frozen=True)
class EvolutionSettings:
    """Ansor's constants; the round is as small as HARL's, so that both learn equally often.

    Attributes:
        population: candidates of a generation; at most `population_part` of the candidates there are, but
            at least `least_population`.
        generations: how often children are bred.
        mutation: share of the children that are mutated; the others are crossed.
        measured_share: most of the first generation that are measured candidates, the best first.
        random_share: share of the measured candidates that are drawn instead (eps-greedy).
        first_draws: measured candidates before the cost model speaks; Ansor draws its first 64.
        measurements_per_round: candidates measured before the cost model is fitted again.
    """

    population: int = 2048
    population_part: float = 1 / 8
    least_population: int = 64
    generations: int = 4
    mutation: float = 0.85
    measured_share: float = 0.2
    random_share: float = 0.05
    first_draws: int = 16
    measurements_per_round: int = 8


class Evolutionary(PerTask):
    """Evolution of candidates of all sketches of a task together; Ansor's gradient chooses the task.

    With a `prior` (see `CostModel`) the cost model speaks as soon as anything was measured; Ansor has none.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        seed: int,
        settings: Settings | None = None,
        evolution: EvolutionSettings | None = None,
        prior: xgboost.Booster | None = None,
    ) -> None:
        settings, evolution = settings or Settings(), evolution or EvolutionSettings()
        gains = TaskGains(problems, settings)
        seeds = np.random.SeedSequence(seed).spawn(len(problems))
        searches = [
            _Evolution(p, settings, evolution, s, prior) for p, s in zip(problems, seeds, strict=True)
        ]
        super().__init__(problems, searches, GradientChoice(gains, len(problems)), gains)


class _Evolution:
    """The search on one task. A generation is an array of states a sketch."""

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        evolution: EvolutionSettings,
        seed: np.random.SeedSequence,
        prior: xgboost.Booster | None,
    ) -> None:
        self._settings = evolution
        self._rng = np.random.default_rng(seed)
        model_seed = int(seed.generate_state(1)[0])
        self._points = Points(problem.spaces)
        self._features = [SpaceFeatures(problem.task, space) for space in problem.spaces]
        self._models = [CostModel(settings, model_seed, prior if s.nests else None) for s in problem.spaces]
        self._first_draws = 0 if prior else evolution.first_draws
        candidates = sum(space.size() for space in problem.spaces)
        share = max(evolution.least_population, math.ceil(evolution.population_part * candidates))
        self._population = min(evolution.population, share)

    def observe(self, candidate: Candidate, seconds: float | None) -> None:
        """Remember it for the next fit."""
        self._points.observe(candidate, seconds)

    def plan(self) -> list[Candidate]:
        """Defaults and draws until there is a cost model; then what it likes best, and a few draws."""
        count = self._settings.measurements_per_round
        planned = [self._points.take(point) for point in self._points.new_defaults()[:count]]
        if len(self._points.throughputs) >= self._first_draws and self._fit():
            drawn = int(self._rng.binomial(count, self._settings.random_share))
            evolved = self._evolve(max(0, count - drawn - len(planned)))
            planned += [self._points.take(point) for point in evolved]
        while len(planned) < count and (point := self._points.draw(self._rng)) is not None:
            planned.append(self._points.take(point))
        return planned

    def _fit(self) -> bool:
        """Fit the sketches' models on what was measured; whether any of them speaks."""
        known = self._points.throughputs
        best = max(known.values(), default=0.0)
        if not best:
            return False
        throughputs = [
            {p.state: value for p, value in known.items() if p.sketch == sketch}
            for sketch in range(len(self._models))
        ]
        states = [lattice.rows(t) for lattice, t in zip(self._points.lattices, throughputs, strict=True)]
        for sketch, features in enumerate(self._features):
            # Candidates of other sketches teach by their loop nests, as with HARL; one's own come last.
            nests = [s for s, f in enumerate(self._features) if features.knows_nests and f.knows_nests]
            others = [s for s in nests if s != sketch]
            rows = [features.of_others(self._features[s].nest_rows(states[s])) for s in others]
            rows.append(features.model_rows(states[sketch]))
            labels = [value for s in (*others, sketch) for value in throughputs[s].values()]
            relative = np.array(labels, dtype=np.float32) / np.float32(best)
            self._models[sketch].fit(np.concatenate(rows), relative)
        return any(model.is_fitted for model in self._models)

    def _evolve(self, count: int) -> list[Point]:
        """The `count` new points of the highest scores that any generation held."""
        found: dict[Point, float] = {}
        generation = self._first_generation()
        for number in range(self._settings.generations + 1):
            scores = [self._score(sketch, states) for sketch, states in enumerate(generation)]
            for sketch, states in enumerate(generation):
                points = (Point(sketch, tuple(state)) for state in states.tolist())
                found.update(zip(points, scores[sketch].tolist(), strict=True))
            if number < self._settings.generations:
                generation = self._next_generation(generation, scores)
        new = [point for point in found if self._points.is_new(point)]
        order = np.lexsort((self._rng.random(len(new)), -np.array([found[point] for point in new])))
        return [new[i] for i in order[:count].tolist()]

    def _score(self, sketch: int, states: States) -> NDArray[np.float64]:
        if not len(states):
            return np.zeros(0)
        return self._models[sketch].scores(self._features[sketch].model_rows(states)).astype(np.float64)

    def _first_generation(self) -> list[States]:
        best = self._points.best(int(self._settings.measured_share * self._population))
        draws = -(-(self._population - len(best)) // len(self._points.lattices))
        return [
            lattice.rows([*(p.state for p in best if p.sketch == i), *lattice.draw(self._rng, draws)])
            for i, lattice in enumerate(self._points.lattices)
        ]

    def _next_generation(self, generation: list[States], scores: list[NDArray[np.float64]]) -> list[States]:
        """As many children; a sketch has them by the scores of its candidates, as parents have."""
        totals = np.array([s.sum() for s in scores])
        counts = self._rng.multinomial(self._population, totals / totals.sum())
        return [
            self._children(sketch, states, weights / weights.sum(), int(count)) if len(states) else states
            for sketch, (states, weights, count) in enumerate(zip(generation, scores, counts, strict=True))
        ]

    def _children(self, sketch: int, parents: States, chances: NDArray[np.float64], count: int) -> States:
        lattice = self._points.lattices[sketch]
        children = np.empty((0, parents.shape[1]), dtype=np.int64)
        for _ in range(_BREEDINGS):
            first, second = self._rng.choice(len(parents), size=(2, count - len(children)), p=chances)
            bred = self._bred(parents[first], parents[second], lattice.sizes)
            children = np.concatenate([children, bred[lattice.are_legal(bred)]])
        missing = self._rng.choice(len(parents), size=count - len(children), p=chances)
        return np.concatenate([children, parents[missing]])

    def _bred(self, first: States, second: States, sizes: NDArray[np.int64]) -> States:
        """Each row of `first` with one decision changed, or some decisions taken from `second`."""
        children = first.copy()
        crossed = self._rng.random(len(first)) >= self._settings.mutation
        taken = crossed[:, None] & (self._rng.random(first.shape) < 0.5)
        children[taken] = second[taken]
        movable = np.flatnonzero(sizes > 1)
        if movable.size:
            rows = np.flatnonzero(~crossed)
            decisions = self._rng.choice(movable, size=len(rows))
            # A step of 1 to size-1 around the end never stays.
            steps = 1 + (self._rng.random(len(rows)) * (sizes[decisions] - 1)).astype(np.int64)
            children[rows, decisions] = (children[rows, decisions] + steps) % sizes[decisions]
        return children
