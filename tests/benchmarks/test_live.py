"""A comparison of live runs, with made-up runs, begun, stopped and gone on with; and its figures."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import live
from benchmarks.live import LivePlan, Planned, planned, run_live
from benchmarks.live_report import markdown
from benchmarks.live_summary import curve, reached, summarise_live
from benchmarks.results import Absent, Loaded, Pass, Results, Searched
from benchmarks.tune_process import TuneError
from tests.benchmarks.cases import MATMUL, case_of
from tests.benchmarks.test_results import MACHINE

CASE = case_of(MATMUL)
SETTINGS = {"trials": 4, "long_trials": 9, "passes": 2}


@pytest.fixture
def plan(tmp_path: Path) -> LivePlan:
    return LivePlan(
        cases=(CASE,),
        agents=("harl", "random"),
        seeds=2,
        trials=4,
        long_trials=9,
        passes=2,
        core=max(os.sched_getaffinity(0)),
        environments={},
        missing={"tvm": "There is no network."},
        store=tmp_path,
    )


class Searches:
    """Stands for the processes. A run finds nothing better than the untuned kernel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stop: str = "", failing: str = "") -> None:
        self.made: list[str] = []
        self._stop = stop
        self._failing = failing
        monkeypatch.setattr(live, "search", self)

    def __call__(self, case: str, name: str, kernel: str, agent: str, seed: int, trials: int) -> Searched:
        if name == self._stop:
            raise KeyboardInterrupt
        if name == self._failing:
            raise TuneError("It ended.")
        self.made.append(name)
        return Searched(case, name, agent, seed, trials, {}, ((1.0, 1e-6),), 2.0)


def test_agents_take_turns_and_the_first_makes_the_long_run(plan: LivePlan) -> None:
    assert planned(replace(plan, seeds=2)) == [
        Planned("harl", 0, 4), Planned("random", 0, 4), Planned("harl", 1, 4), Planned("random", 1, 4),
        Planned("harl", 0, 9),
    ]  # fmt: skip


def test_a_comparison_that_was_stopped_goes_on_where_it_was(
    plan: LivePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.json"
    first = Searches(monkeypatch, stop="harl/1/4")
    with pytest.raises(KeyboardInterrupt):
        run_live(plan, Results(file, SETTINGS, MACHINE), (CASE,))
    assert first.made == ["harl/0/4", "random/0/4"]

    second = Searches(monkeypatch, failing="random/1/4")
    results = Results(file, SETTINGS, MACHINE)
    run_live(plan, results, (CASE,))
    assert second.made == ["harl/1/4", "harl/0/9"]
    timed = {"harl/0/4", "random/0/4", "harl/1/4", "harl/0/9"}
    assert [set(made.seconds) for made in results.passes("small").values()] == [timed, timed]
    absent = results.of(Absent, "small")
    assert {name: cell.kind for name, cell in absent.items()} == {
        "random/1/4": "failed", "metaschedule": "not_installed",
    }  # fmt: skip

    third = Searches(monkeypatch)
    cells = list(results.cells)
    run_live(plan, results, (CASE,))
    assert (third.made, results.cells) == ([], cells)
    run_live(replace(plan, seeds=3), results, (CASE,))
    assert third.made == ["harl/2/4", "random/2/4"]
    assert all({*timed, *third.made} == set(made.seconds) for made in results.passes("small").values())


def test_a_curve_is_relative_to_its_end() -> None:
    made = curve(((3.0, None), (4.0, 8.0), (5.0, 10.0), (6.0, 4.0)))
    assert made == [(4.0, 0.5), (6.0, 1.0)]
    assert [reached(made, share) for share in (0.4, 0.5, 0.6, 1.01)] == [4.0, 4.0, 6.0, None]


def filled(file: Path) -> dict[str, Any]:
    """Seed 0 ends twice as fast as MetaSchedule and as fast as the long run, seed 1 slower than both."""
    results = Results(file, SETTINGS, MACHINE)
    seconds = {"harl/0/4": 1.0, "harl/1/4": 2.5, "harl/0/9": 1.0, "metaschedule": 2.0}
    for number in range(2):
        drift = 1.0 + number  # of the machine, from pass to pass
        timed = {name: [s * drift] * 3 for name, s in seconds.items()}
        results.add(Pass("small", number, (2e11, 2e11), 1, False, timed))
    results.add(Loaded("small", "metaschedule", 300.0, "0.27", 200.0))
    # Measured in another hour, all of them half as fast.
    for name, seed, budget, trials in (
        ("harl/0/4", 0, 4, ((3.0, 8.0), (5.0, 4.0), (7.0, None), (9.0, 2.0))),
        ("harl/1/4", 1, 4, ((3.0, 6.0), (8.0, 5.0))),
        ("harl/0/9", 0, 9, ((4.0, 2.08), (20.0, 2.0))),
    ):
        results.add(Searched("small", name, "harl", seed, budget, {}, trials, 30.0))
    results.write(summarise_live(results, (CASE,)))
    return {**summarise_live(results, (CASE,)), "settings": SETTINGS, "machine": MACHINE}


def test_what_a_run_had_is_scaled_by_what_it_ended_with(tmp_path: Path) -> None:
    (case,) = filled(tmp_path / "out.json")["cases"]
    first, second = case["agents"]["harl"]["runs"]
    assert (first["ratio_to_metaschedule"], first["seconds_to_metaschedule"]) == (2.0, 5.0)
    assert (first["ratio_to_long"], first["seconds_to_near_long"]) == (1.0, 9.0)
    assert [at for at, _ in first["curve"]] == [3.0, 5.0, 9.0]
    assert first["curve"][-1][1] == first["gflops"]
    assert (second["seconds_to_metaschedule"], second["seconds_to_near_long"]) == (None, None)
    assert case["long"]["seconds_to_near_long"] == 4.0
    assert case["metaschedule"]["tuning_seconds"] == 200.0


def test_a_run_that_never_gets_there_takes_for_ever(tmp_path: Path) -> None:
    found = filled(tmp_path / "out.json")
    harl = found["cases"][0]["agents"]["harl"]
    assert (harl["reached_metaschedule"], harl["times_sooner"]) == (1, None)
    text = markdown(found)
    assert "| small | harl | **-** | - | 1 of 2 |" in text
    assert "3.0: 0, 5.0: 0, 9.0: 0" in text


def test_the_headline_is_their_seconds_over_ours(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    filled(file)
    results = Results(file, SETTINGS, MACHINE)
    results.add(replace_seed(results.of(Searched, "small")["harl/1/4"]))
    summary = summarise_live(results, (CASE,))
    assert summary["cases"][0]["agents"]["harl"]["times_sooner"] == 40.0
    assert summary["means"]["harl"]["times_sooner"] == pytest.approx(40.0)
    assert summary["means"]["harl"]["cases"] == 1


def replace_seed(cell: Searched) -> Searched:
    """A run of another agent, so that seed 0 is alone."""
    return Searched(cell.case, cell.contender, "random", 1, 4, {}, cell.trials, cell.seconds)
