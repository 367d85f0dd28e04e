"""The baselines do what their names say, on problems with known answers."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from functools import cache

import pytest

from harl_mlir.search.agent import Agent, Trial
from harl_mlir.search.beam import WIDTH
from harl_mlir.search.evolutionary import Evolutionary, EvolutionSettings
from harl_mlir.search.random_search import RandomSearch
from harl_mlir.search.registry import make_agent
from harl_mlir.search.replay import replay
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space
from tests.search.landscapes import Landscape, landscape, matmul_landscape, matmul_task

SEARCHES = ("evolutionary", "greedy", "beam", "tpe", "random")


def valley(at: Mapping[str, Value]) -> float:
    return 1.0 + abs(int(at["x"]) - 9) + 2 * abs(int(at["y"]) - 3)


def plain() -> Landscape:
    """One sketch, one valley: nothing to be caught in."""
    decisions = (Decision("x", tuple(range(12)), 1), Decision("y", tuple(range(12)), 10))
    return landscape(matmul_task(), (Space("plain", 1, decisions), valley))


@cache
def land() -> Landscape:
    return matmul_landscape(0)


def distance(first: Trial, second: Trial) -> int:
    pairs = zip(first.proposal.candidate.values, second.proposal.candidate.values, strict=True)
    return sum(abs(int(a) - int(b)) for (_, a), (_, b) in pairs)


def seconds(trial: Trial) -> float:
    return trial.measurement.seconds or float("inf")


def relative_best(at: Landscape, trials: Iterable[Trial]) -> float:
    return at.best_seconds / min(map(seconds, trials))


@pytest.mark.parametrize("name", SEARCHES)
def test_same_seed_and_measurements_give_the_same_trials(name: str) -> None:
    at = plain()
    first, second, other = (
        replay(make_agent(name, [at.problem], seed), [at.table], 20) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_greedy_goes_on_from_the_best_of_its_climb() -> None:
    at = plain()
    trials = replay(make_agent("greedy", [at.problem], 0), [at.table], 144)
    best = trials[0]
    assert best.proposal.candidate == at.problem.spaces[0].default()
    end = next(i for i, trial in enumerate(trials) if seconds(trial) == at.best_seconds)
    for trial in trials[1 : end + 1]:
        assert distance(trial, best) == 1
        best = min(best, trial, key=seconds)
    # All neighbours of the best are measured before a new climb starts.
    beside = trials[end + 1 : end + 4]
    assert all(distance(trial, best) == 1 for trial in beside)
    assert any(distance(trial, best) > 1 for trial in trials[end + 4 : end + 9])


def test_beam_measures_the_neighbours_of_the_fastest() -> None:
    at = plain()
    trials = replay(make_agent("beam", [at.problem], 0), [at.table], 100)
    assert trials[0].proposal.candidate == at.problem.spaces[0].default()
    first = trials[1:5]
    assert all(distance(trial, trials[0]) == 1 for trial in first)
    kept = sorted(trials[:5], key=seconds)[:WIDTH]
    fresh = [trial for trial in kept if trial is not trials[0]]
    assert all(any(distance(trial, top) == 1 for top in fresh) for trial in trials[5:10])
    assert min(map(seconds, trials)) == at.best_seconds


def test_beam_sorts_by_time_not_by_name() -> None:
    """The fastest way leads through the values that come last."""
    decisions = tuple(Decision(f"d{i}", tuple(range(10)), 0) for i in range(4))
    at = landscape(
        matmul_task(), (Space("far", 1, decisions), lambda v: 40.0 - sum(map(int, v.values())) + 1e-3)
    )
    trials = replay(make_agent("beam", [at.problem], 0), [at.table], 600)
    assert min(map(seconds, trials)) == at.best_seconds


@pytest.mark.parametrize("name", ["greedy", "beam"])
def test_climbers_start_again_where_they_are_caught(name: str) -> None:
    """Only the neighbours of one candidate lead to the best; everything around the default is flat."""
    decisions = (Decision("x", tuple(range(30)), 0), Decision("y", tuple(range(10)), 0))

    def caught(at: Mapping[str, Value]) -> float | None:
        x, y = int(at["x"]), int(at["y"])
        return None if x == 4 else 5.0 if x < 4 else 1.0 + abs(x - 20) + y

    at = landscape(matmul_task(), (Space("two", 1, decisions), caught))
    trials = replay(make_agent(name, [at.problem], 0), [at.table], 200)
    assert min(map(seconds, trials)) == at.best_seconds


@pytest.mark.parametrize("name", ["evolutionary", "tpe"])
def test_learners_beat_random_search(name: str) -> None:
    at, seeds = land(), range(3)

    def quality(agent: str) -> float:
        runs = (replay(make_agent(agent, [at.problem], seed), [at.table], 48) for seed in seeds)
        return statistics.median(relative_best(at, run) for run in runs)

    assert quality(name) > quality("random")


def test_evolution_holds_to_its_settings() -> None:
    at = land()
    few = EvolutionSettings(population=128, generations=1, random_share=0.0, measurements_per_round=4)
    agent: Agent = Evolutionary([at.problem], 0, evolution=few)
    assert len(replay(agent, [at.table], 12, batch=100)) == 12
    assert len(agent.propose(100)) == 4
    everything = RandomSearch([at.problem], 0)
    assert len(everything.propose(100)) == 1


def test_evolution_spends_rounds_where_the_program_gains() -> None:
    heavy, light = matmul_landscape(0, weight=50), matmul_landscape(1, weight=1, size=64)
    trials = replay(
        make_agent("evolutionary", [light.problem, heavy.problem], 0), [light.table, heavy.table], 80
    )
    assert sum(trial.proposal.problem == 1 for trial in trials) > 60


def test_what_was_measured_elsewhere_is_learned_from() -> None:
    at = plain()
    earlier = replay(make_agent("greedy", [at.problem], 0), [at.table], 144)
    near = next(trial for trial in earlier if seconds(trial) == 2 * at.best_seconds)
    agent = make_agent("greedy", [at.problem], 1)
    agent.observe([trial for trial in earlier if trial is earlier[0] or trial is near])
    (proposal,) = agent.propose(8)
    assert distance(Trial(proposal, near.measurement), near) == 1
