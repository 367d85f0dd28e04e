from __future__ import annotations

import logging
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from harl_mlir.search.agent import Agent, Proposal, Trial
from harl_mlir.search.harl import HARL
from harl_mlir.search.random_search import RandomSearch
from harl_mlir.search.replay import replay
from harl_mlir.search.settings import PRESETS, Settings, preset
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.space import Space
from tests.search.landscapes import Landscape, landscape, matmul_landscape, matmul_task


@cache
def land(seed: int) -> Landscape:
    return matmul_landscape(seed, weight=1 + 2 * seed, size=512 >> seed)


def relative_best(at: Landscape, trials: Iterable[Trial]) -> float:
    times = [t.measurement.seconds for t in trials if t.measurement.seconds]
    return at.best_seconds / min(times)


def run(agent: Agent, *lands: Landscape, trials: int = 64) -> list[Trial]:
    return replay(agent, [at.table for at in lands], trials)


def test_beats_random_search_at_64_trials() -> None:
    at = land(0)
    harl = [relative_best(at, run(HARL([at.problem], seed), at)) for seed in range(7)]
    random = [relative_best(at, run(RandomSearch([at.problem], seed), at)) for seed in range(7)]
    assert statistics.median(harl) > 0.9 > 0.85 > statistics.median(random)
    assert sum(h > r for h, r in zip(harl, random, strict=True)) >= 5


def test_every_mechanism_acts_at_least_twice_in_64_trials(caplog: pytest.LogCaptureFixture) -> None:
    lands = land(0), land(1)
    agent = HARL([at.problem for at in lands], 0)
    with caplog.at_level(logging.INFO, logger="harl_mlir.search"):
        trials = run(agent, *lands)
    assert len(trials) == 64
    for mechanism in (
        "task",
        "sketch",
        "first_samples",
        "by_score",
        "explored",
        "model_fits",
        "policy_updates",
        "tracks_dropped",
    ):
        assert agent.acted[mechanism] >= 2, mechanism
    assert {t.proposal.problem for t in trials} == {0, 1}
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 8
    assert lines[0].startswith("round 1: task matmul 512x512x512 f32 (not played yet), sketch flat, tiled,")
    assert "by score, 1 explored" in lines[-1]
    assert sum(", 56 of 64 tracks dropped;" in line for line in lines) >= 2


def test_same_seed_and_measurements_give_the_same_trials() -> None:
    lands = land(0), land(1)
    problems = [at.problem for at in lands]
    first, second = (run(HARL(problems, 7), *lands, trials=40) for _ in range(2))
    assert first == second
    assert first != run(HARL(problems, 8), *lands, trials=40)


@pytest.mark.parametrize(
    "switch",
    [
        {"task_choice": "uniform"},
        {"task_choice": "round-robin"},
        {"task_choice": "gradient"},
        {"uniform_sketch": True},
        {"adaptive_stopping": False},
        {"use_cost_model": False},
        {"use_policy": False},
    ],
)
def test_ablations_are_switches(switch: dict[str, Any]) -> None:
    lands = land(0), land(1)
    agent = HARL([at.problem for at in lands], 0, replace(Settings(), **switch))
    assert len(run(agent, *lands, trials=40)) == 40
    assert (agent.acted["task"] == 0) == ("task_choice" in switch)
    assert (agent.acted["sketch"] == 0) == ("uniform_sketch" in switch)
    assert (agent.acted["model_fits"] == 0) == ("use_cost_model" in switch)
    assert (agent.acted["policy_updates"] == 0) == ("use_policy" in switch)
    assert (agent.acted["tracks_dropped"] == 0) == ("adaptive_stopping" in switch)


def test_presets_suit_their_budgets() -> None:
    assert 64 // preset(64).measurements_per_round >= 8
    assert [preset(trials) for trials in (64, 200, 1000)] == [*PRESETS.values()]
    for settings in PRESETS.values():
        # The fixed length visits about as many states as dropping tracks does.
        left, visited = settings.tracks, 0
        while left >= settings.least_tracks:
            visited += left * settings.stop_every
            left -= int(left * settings.drop_share)
        assert visited == pytest.approx(settings.tracks * settings.episode_length, rel=0.05)


def test_records_of_an_earlier_run_spare_the_first_samples() -> None:
    at = land(0)
    earlier = run(HARL([at.problem], 0), at)
    agent = HARL([at.problem], 1)
    agent.observe(earlier)
    trials = run(agent, at, trials=16)
    assert agent.acted["first_samples"] == 0
    assert agent.acted["by_score"] == 14
    assert not {t.proposal for t in trials} & {t.proposal for t in earlier}
    assert relative_best(at, [*earlier, *trials]) >= relative_best(at, earlier)


def test_a_round_is_handed_out_in_pieces_and_learned_from_in_any_order() -> None:
    at = land(0)
    whole, pieces = HARL([at.problem], 0), HARL([at.problem], 0)
    for _ in range(4):
        proposals = whole.propose(64)
        assert len(proposals) == 8
        assert [p for _ in range(8) for p in pieces.propose(1)] == proposals
        trials = [Trial(p, at.table[p.candidate]) for p in proposals]
        whole.observe(trials)
        for trial in trials:
            pieces.observe([trial])


def test_spends_more_on_the_sketch_and_the_task_that_pay() -> None:
    heavy, light = matmul_landscape(0, weight=50), matmul_landscape(1, weight=1, size=64)
    trials = run(HARL([light.problem, heavy.problem], 0), light, heavy, trials=160)
    on_heavy = [t for t in trials if t.proposal.problem == 1]
    assert len(on_heavy) > 0.6 * len(trials)
    assert sum(t.proposal.candidate.sketch == "flat" for t in on_heavy) < 0.2 * len(on_heavy)


def test_values_that_always_fail_are_no_longer_tried() -> None:
    decisions = (
        Decision("tile", (4, 8, 16, 32, 64, 128), 16),
        Decision("other", (4, 8, 16, 32, 64, 128), 16),
        Decision("form", ("good", "bad"), "good", ordered=False),
    )

    def seconds(at: Mapping[str, Value]) -> float | None:
        return None if at["form"] == "bad" or at["tile"] == 128 else 1 / (1 + int(at["tile"]))

    at = landscape(matmul_task(), (Space("script", 1, decisions), seconds))
    # Random choices alone, so that nothing else keeps away from the failures.
    agent = HARL([at.problem], 0, replace(Settings(), use_cost_model=False, use_policy=False))
    trials = run(agent, at, trials=200)
    assert sum(not t.measurement.ok for t in trials[30:]) == 0
    # Everything else was tried in the end.
    assert len({t.proposal for t in trials if t.measurement.ok}) == 5 * 6


def test_a_task_that_always_fails_does_not_stop_the_others() -> None:
    broken = landscape(
        matmul_task(weight=9), (Space("script", 1, (Decision("x", tuple(range(60)), 0),)), lambda _: None)
    )
    at = land(0)
    trials = run(HARL([broken.problem, at.problem], 0), broken, at)
    assert sum(t.proposal.problem == 1 for t in trials) >= 40


def test_measurements_that_come_late_are_learned_from() -> None:
    at = land(0)
    agent = HARL([at.problem], 0)
    late: list[Proposal] = []
    for _ in range(6):
        proposals = agent.propose(8)
        agent.observe([Trial(p, at.table[p.candidate]) for p in late])
        late = proposals
    assert agent.acted["policy_updates"] > 0
