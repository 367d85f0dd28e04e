"""A whole run of one small case with NumPy beside ours, begun, stopped and gone on with."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import theirs
from benchmarks.inputs import Array, Reference, reference
from benchmarks.results import Absent, Results, Tuned
from benchmarks.run import Plan, run
from benchmarks.suite import Case
from benchmarks.summary import summarise
from harl_mlir.space.candidate import Candidate
from tests.benchmarks.cases import MATMUL, case_of

CASE = case_of(MATMUL, m=24, n=32, k=16)
SETTINGS = {"seconds": 5.0, "trials": 1, "passes": 2, "seed": 0}
MACHINE = {"processor": "this"}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    cores = sorted(os.sched_getaffinity(0))
    return Plan(
        cases=(CASE,),
        contenders=("default", "numpy", "jax"),
        seconds=5.0,
        trials=1,
        passes=2,
        seed=0,
        core=cores[-1],
        build_core=cores[0] if len(cores) > 1 else None,
        environments={"torch": Path(sys.prefix)},
        missing={"jax": "There is no network."},
        store=tmp_path,
    )


def kinds(results: Results) -> list[str]:
    return sorted(type(cell).__name__ for cell in results.cells)


def test_a_run_that_was_stopped_goes_on_where_it_was(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    run(replace(plan, passes=1), Results(file, SETTINGS, MACHINE), (CASE,))
    stopped = Results(file, SETTINGS, MACHINE)
    assert kinds(stopped) == ["Absent", "Loaded", "Pass", "Tuned"]
    assert stopped.of(Absent, "small")["jax"].reason == "There is no network."
    tuned = stopped.of(Tuned, "small")["default"]

    run(plan, stopped, (CASE,))
    results = Results(file, SETTINGS, MACHINE)
    assert sorted(results.passes("small")) == [0, 1]
    assert all(set(made.seconds) == {"default", "numpy"} for made in results.passes("small").values())
    assert [cell for cell in results.cells if isinstance(cell, Tuned)] == [tuned]
    (found,) = summarise(results, (CASE,))["cases"]
    assert (found["best_ours"], found["best_peer"]) == ("default", "numpy")

    cells = list(results.cells)
    run(plan, results, (CASE,))
    assert results.cells == cells


def test_candidates_that_no_space_holds_are_tuned_again(plan: Plan, tmp_path: Path) -> None:
    results = Results(tmp_path / "out.json", SETTINGS, MACHINE)
    old = Tuned("small", "default", {"0123456789abcdef": Candidate("contraction", 0, ())}, 1, 0, 1.0)
    results.add(old)
    run(replace(plan, contenders=("default",), passes=1), results, (CASE,))
    assert kinds(results) == ["Pass", "Tuned"]
    assert results.of(Tuned, "small")["default"] != old


def test_a_peer_whose_result_is_wrong_is_not_timed(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(case: Case, given: Sequence[Array]) -> Reference:
        right = reference(case, given)
        return replace(right, value=right.value + 1)

    monkeypatch.setattr(theirs, "reference", another)
    results = Results(tmp_path / "out.json", SETTINGS, MACHINE)
    run(replace(plan, contenders=("numpy",)), results, (CASE,))
    assert kinds(results) == ["Absent"]
    assert "768 of 768 checked elements are wrong" in results.of(Absent, "small")["numpy"].reason
