"""The comparison with the loop-walking agent: small runs, stopped and gone on with, and its figures."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.kernels import kernel_text
from benchmarks.looptune import run as looptune_run
from benchmarks.looptune.command import chosen_stages
from benchmarks.looptune.report import write_looptune_report
from benchmarks.looptune.run import LoopTunePlan, Probe, run_looptune, timed_as
from benchmarks.looptune.stages import HELD_OUT, OUTSIDE, SEARCHES, Stage, stages
from benchmarks.looptune.summary import summarise_looptune
from benchmarks.results import Absent, Decided, Loaded, Pass, Results, Searched
from benchmarks.tune_process import TuneError
from harl_mlir.errors import UsageError
from harl_mlir.looptune.problems import held_out_matmuls, other_problems
from harl_mlir.looptune.searches import Evaluator
from harl_mlir.measure.clock import Sampling
from harl_mlir.measure.pool import Pool
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import LoopNest, plain_nest
from harl_mlir.space.nest.rules import NestRules
from harl_mlir.space.nest.space import legal_moves
from harl_mlir.tasks.task import Task
from harl_mlir.training.held_out import load_held_out
from tests.benchmarks.cases import MATMUL, case_of
from tests.benchmarks.test_results import MACHINE

CASE = case_of(MATMUL, m=24, n=32, k=16)
SETTINGS = {"seconds": 0.0, "trials": 4, "passes": 2, "seed": 0}
ESTIMATES = 20
KEY = f"{HELD_OUT}/small"


class Taught:
    """Stands for weights: *paper* changes nothing, *product* makes a move; loops are good."""

    def __init__(self) -> None:
        self.estimated = 0

    def walk(self, configuration: str, task: Task, rules: NestRules) -> tuple[LoopNest, int]:
        nest = plain_nest(rules.op.dims)
        if configuration == "paper":
            return generated(nest, rules), 1
        return legal_moves(nest, rules)[0], ESTIMATES

    def estimator(self, task: Task, rules: NestRules) -> Evaluator:
        def estimate(nests: Sequence[LoopNest]) -> list[float]:
            self.estimated += len(nests)
            return [float(len(nest.loops)) for nest in nests]

        return estimate


def small(number: int) -> Stage:
    return replace(stages()[number], cases=(CASE,), sampling=Sampling(2, 1e-4))


@pytest.fixture
def plan(tmp_path: Path) -> LoopTunePlan:
    return LoopTunePlan(
        stages=(small(0),),
        contenders=("scalar", "untuned", "product", "paper", "greedy", "numpy"),
        learned=Taught(),
        seconds=0.0,
        trials=4,
        passes=2,
        seed=0,
        core=max(os.sched_getaffinity(0)),
        environments={"torch": Path(sys.prefix)},
        missing={"tvm": "There is no network."},
        store=tmp_path,
    )


def test_the_stages_are_those_of_the_methods() -> None:
    held_out, searches, outside = stages()
    assert [len(stage.cases) for stage in stages()] == [220, 25, 20]
    assert {case.name for case in searches.cases} < {case.name for case in held_out.cases}
    assert not {problem.name for problem in other_problems()} & {case.name for case in outside.cases}
    with Pool() as pool:
        keys = {case.name: pool.analyse(kernel_text(case), "x").tasks[0].key for case in outside.cases}
        assert set(keys.values()) <= set(load_held_out().workloads)
        problem = held_out_matmuls()[0]
        named, ours = (
            pool.analyse(t, "x").tasks[0] for t in (problem.function(), kernel_text(held_out.cases[0]))
        )
    assert (named.key, ours.flops) == (ours.key, problem.flops)


def test_those_who_chose_the_same_are_timed_once() -> None:
    one, other = (Candidate("loop_nest", 1, (("nest", text),)) for text in ("0/1", "1/1"))
    found = timed_as({"c": one, "b": other, "a": one, "none": None}, ("none", "a", "b", "c", "absent"))
    assert found == {"none": "none", "a": "a", "b": "b", "c": "a"}


def test_a_run_that_was_stopped_goes_on_where_it_was(plan: LoopTunePlan, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    run_looptune(
        replace(plan, contenders=("scalar", "untuned", "numpy"), passes=1), Results(file, SETTINGS, MACHINE)
    )
    stopped = Results(file, SETTINGS, MACHINE)
    untuned = stopped.of(Decided, KEY)["untuned"]
    assert set(stopped.passes(KEY)[0].seconds) == {"scalar", "untuned", "numpy"}

    run_looptune(plan, stopped)
    results = Results(file, SETTINGS, MACHINE)
    assert results.of(Decided, KEY)["untuned"] == untuned
    # *paper* chose the untuned nest, *greedy* what the landscape of loops leads to.
    assert results.of(Decided, KEY)["paper"].candidate == untuned.candidate
    for made in results.passes(KEY).values():
        assert set(made.seconds) == {"scalar", "untuned", "product", "greedy", "numpy"}
    assert plan.learned.estimated == results.of(Decided, KEY)["greedy"].evaluations == ESTIMATES

    cells = list(results.cells)
    run_looptune(replace(plan, contenders=("scalar",)), results)
    assert results.cells == cells


def test_without_weights_the_others_are_compared(plan: LoopTunePlan, tmp_path: Path) -> None:
    results = Results(tmp_path / "out.json", SETTINGS, MACHINE)
    plan = replace(plan, learned=None, environments={})
    run_looptune(plan, results)
    assert set(results.passes(KEY)[1].seconds) == {"scalar", "untuned"}
    absent = results.of(Absent, KEY)
    assert {(name, cell.kind) for name, cell in absent.items()} == {
        (name, "not_installed") for name in ("product", "paper", "greedy", "numpy")
    }
    cells = list(results.cells)
    run_looptune(plan, results)
    assert results.cells == cells


def test_searches_that_measure_and_processes_take_turns_in_the_passes(
    plan: LoopTunePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def search(case: str, name: str, kernel: str, agent: str, seed: int, trials: int) -> Searched:
        asked.append(case)
        if case.startswith(OUTSIDE):
            raise TuneError("It ended.")
        return Searched(case, name, agent, seed, trials, {}, ((1.0, 1e-6),), 2.0)

    monkeypatch.setattr(looptune_run, "search", search)
    results = Results(tmp_path / "out.json", SETTINGS, MACHINE)
    every = ("product", "default", "greedy", "harl", "metaschedule")
    run_looptune(replace(plan, stages=(small(1), small(2)), contenders=every), results)
    assert asked == [f"{SEARCHES}/small", f"{OUTSIDE}/small"]
    # A search without any time has measured where it starts; HARL's run found nothing better than the kernel.
    greedy = results.of(Decided, asked[0])["greedy"]
    assert (greedy.evaluations, len(greedy.curve)) == (1, 1)
    assert set(results.passes(asked[0])[0].seconds) == {"product", "default", "greedy", "harl"}
    assert results.of(Absent, asked[0])["metaschedule"].reason == "There is no network."
    assert results.of(Absent, asked[1])["harl"].kind == "failed"
    assert set(results.passes(asked[1])[0].seconds) == {"product", "default"}


class Peaks:
    """Stands for a pool."""

    def __init__(self) -> None:
        self.probed = 0

    def peak(self) -> float:
        self.probed += 1
        return float(self.probed)


def test_a_pass_has_the_last_probe_of_the_one_before_it_for_its_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(looptune_run.time, "monotonic", lambda: now[0])
    probe = Probe(Peaks())
    seen = []
    for at in (10.0, 11.0, 11.0, 11.01, 12.0, 15.0, 15.0):
        now[0] = at
        seen.append(probe())
    # Of two passes one after the other, of one disturbed at once, and of one after a while.
    assert seen == [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 5.0]


def candidate(text: str) -> Candidate:
    return Candidate("loop_nest", 1, (("nest", text),))


def filled(file: Path) -> Results:
    """Product is 10x the untuned nest and 1.25x NumPy; beam chose what it chose."""
    results = Results(file, {**SETTINGS, "seconds": 60.0}, MACHINE)
    for contender, text, seconds in (
        ("untuned", "0/1", 0.0), ("product", "1/1", 0.5), ("beam", "1/1", 0.25), ("random", "2/1", 0.25),
    ):  # fmt: skip
        results.add(Decided(KEY, contender, candidate(text), seconds, 7))
    results.add(Loaded(KEY, "numpy", 0.1, "2"))
    seconds = {"untuned": 1e-3, "product": 1e-4, "random": 2e-4, "numpy": 1.25e-4}
    for number in range(2):
        drift = 1.0 + number
        timed = {name: [s * drift] * 3 for name, s in seconds.items()}
        results.add(Pass(KEY, number, (2e11, 2e11), 1, number == 1, timed))
    key = f"{OUTSIDE}/small"
    results.add(Decided(key, "product", candidate("1/1"), 0.5, 7))
    results.add(Searched(key, "harl", "harl", 0, 4, {"x": candidate("3/1")}, ((1.0, 1e-4),), 20.0))
    results.add(Absent(key, "default", "failed", "It ended."))
    results.add(Pass(key, 0, (2e11, 2e11), 1, False, {"product": [2e-4], "harl": [1e-4]}))
    return results


def test_figures(tmp_path: Path) -> None:
    found = summarise_looptune(filled(tmp_path / "out.json"), (small(0), small(1), small(2)))
    means = found["stages"][HELD_OUT]["means"]
    assert list(means) == ["untuned", "product", "beam", "random", "numpy"]
    for name in ("product", "beam"):
        assert (means[name]["over_untuned"], means[name]["over_numpy"], means[name]["wins"]) == (
            10.0,
            1.25,
            1,
        )
    assert (means["product"]["mean_seconds"], means["product"]["mean_evaluations"]) == (0.5, 7)
    assert (means["random"]["wins"], means["random"]["over_product"], means["random"]["at_least_numpy"]) == (
        0,
        0.5,
        0,
    )
    assert means["numpy"]["mean_seconds"] is None
    (problem,) = found["stages"][HELD_OUT]["problems"]
    assert (problem["fastest"], problem["disturbed_passes"]) == (["product", "beam"], 1)
    assert SEARCHES not in found["stages"]
    (outside,) = found["stages"][OUTSIDE]["problems"]
    assert (outside["contenders"]["harl"]["over_product"], outside["absent"]) == (
        2.0,
        {"default": "It ended."},
    )
    assert outside["contenders"]["product"]["over_untuned"] is None


def test_the_report_has_a_row_for_everyone_and_says_whose_figures_are_stored(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    results = filled(file)
    results.write(summarise_looptune(results, (small(0), small(1), small(2))))
    text = write_looptune_report(file, tmp_path / "to").read_text(encoding="utf-8")
    assert "| product | 10.00 | 1.250 | 1 |" in text
    assert "| stored by LoopTune | geomean over untuned | s |" in text
    assert "at least 0.8x on 0 of the 1 that both have" in text
    assert "| small | 0.500 |" in text
    plot = (tmp_path / "to" / "out.svg").read_text(encoding="utf-8")
    assert "product" in plot
    assert "random" in plot


def test_a_report_can_be_had_of_nothing(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    results = Results(file, SETTINGS, MACHINE)
    results.write(summarise_looptune(results, stages()))
    assert "never trained on" not in write_looptune_report(file, tmp_path).read_text(encoding="utf-8")


def test_problems_and_stages_are_chosen_by_name() -> None:
    every = stages()
    chosen = chosen_stages(every, [], ["matmul_64x96x96"])
    assert [len(stage.cases) for stage in chosen] == [1, 1, 0]
    assert [stage.name for stage in chosen_stages(every, [OUTSIDE], [])] == [OUTSIDE]
    assert chosen_stages(every, ["report"], []) == []
    with pytest.raises(UsageError, match="nowhere"):
        chosen_stages(every, [], ["nowhere*"])
