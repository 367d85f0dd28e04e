"""The results file: nothing finished is lost, and what cannot be compared is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.report import write_report
from benchmarks.results import Absent, Loaded, Pass, Results, Slow, Tuned, read_results
from benchmarks.suite import Case, load_suite
from benchmarks.summary import summarise
from harl_mlir.errors import InputError
from harl_mlir.space.candidate import Candidate

SETTINGS = {"seconds": 1.0, "trials": 8, "passes": 2, "seed": 0}
MACHINE = {
    "processor": "Some processor", "features": ["fma"], "system": "Linux", "python": "3",
    "l1_bytes": 1, "l2_bytes": 1, "l3_bytes": 1, "memory_bytes": 1, "cores": 1,
    "versions": {"numpy": "2", "x": None}, "commit": None,
}  # fmt: skip
SUITE = load_suite()[:3]
CANDIDATE = Candidate("contraction", 2, (("rows", 8), ("along", "result")))


def seconds(case: Case, gflops: float) -> list[float]:
    return [case.flops / gflops / 1e9 * factor for factor in (1.0, 1.01, 1.02)]


def fill(results: Results) -> None:
    """Two cases: one ahead, one with a peer that fails in its second pass and one that is slow."""
    first, second, _ = SUITE
    for number in range(2):
        timed = {"default": 90.0, "harl": 110.0, "numpy": 100.0}
        results.add(
            Pass(first.name, number, (2e11, 2e11), 1, False, {n: seconds(first, g) for n, g in timed.items()})
        )
    results.add(Tuned(first.name, "harl", {"key": CANDIDATE}, 8, 1, 2.5))
    results.add(Loaded(first.name, "numpy", 0.5, "2.0"))
    results.add(Absent(first.name, "metaschedule", "unsupported", "It has no such operation."))
    timed = {"harl": 100.0, "numpy": 100.0}
    results.add(
        Pass(second.name, 0, (2e11, 1e11), 4, True, {n: seconds(second, g) for n, g in timed.items()})
    )
    results.add(Absent(second.name, "jax", "failed", "It ended."))
    results.add(Slow(second.name, "torch", 11.0))
    results.add(Slow(second.name, "untuned", slower_than=2.0))


def test_every_cell_is_on_the_disk_at_once_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    results = Results(file, SETTINGS, MACHINE)
    fill(results)
    again = Results(file, SETTINGS, MACHINE)
    assert again.cells == results.cells
    assert again.of(Tuned, SUITE[0].name)["harl"].candidates["key"] == CANDIDATE


def test_what_a_kill_left_of_a_cell_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    results = Results(file, SETTINGS, MACHINE)
    fill(results)
    # Killed while it wrote: the new text was in a file of its own.
    (tmp_path / ".harl-torn.tmp").write_text(file.read_text(encoding="utf-8")[:-80], encoding="utf-8")
    again = Results(file, SETTINGS, MACHINE)
    assert again.cells == results.cells
    again.add(Slow(SUITE[2].name, "torch", 12.0))
    assert len(Results(file, SETTINGS, MACHINE).cells) == len(results.cells) + 1


def test_a_pass_made_again_replaces_the_former(tmp_path: Path) -> None:
    results = Results(tmp_path / "out.json", SETTINGS, MACHINE)
    for contender in ("harl", "numpy"):
        results.add(Pass("case", 0, (1.0, 1.0), 1, False, {contender: [1.0]}))
    assert list(results.passes("case")[0].seconds) == ["numpy"]
    assert read_results(tmp_path / "out.json").cells == results.cells


def test_a_case_that_is_forgotten_leaves_the_others(tmp_path: Path) -> None:
    results = Results(tmp_path / "out.json", SETTINGS, MACHINE)
    fill(results)
    results.forget(SUITE[0].name)
    assert {cell.case for cell in results.cells} == {SUITE[1].name}
    assert read_results(tmp_path / "out.json").cells == results.cells


def test_other_settings_another_machine_and_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    Results(file, SETTINGS, MACHINE).add(Slow("case", "torch", 12.0))
    with pytest.raises(InputError, match="settings"):
        Results(file, {**SETTINGS, "trials": 9}, MACHINE)
    with pytest.raises(InputError, match="machine"):
        Results(file, SETTINGS, {**MACHINE, "processor": "Another"})
    Results(file, SETTINGS, {**MACHINE, "commit": "another"})
    file.write_text('{"cells": 3}', encoding="utf-8")
    with pytest.raises(InputError, match="no results file"):
        Results(file, SETTINGS, MACHINE)
    with pytest.raises(InputError, match="no such file"):
        read_results(tmp_path / "none.json")


def test_the_summary_has_what_was_promised(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    results = Results(file, SETTINGS, MACHINE)
    fill(results)
    results.write(summarise(results, SUITE))
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["peak_gflops"] == 200.0
    assert found["geomean_ratio"] == pytest.approx(1.1**0.5, rel=1e-3)
    assert found["classes"] == {"gemm_square": found["geomean_ratio"]}
    first, second = found["cases"]
    assert (first["name"], first["class"]) == (SUITE[0].name, "gemm_square")
    assert first["contenders"]["harl"]["gflops_best"] == pytest.approx(110.0)
    assert first["contenders"]["harl"]["trials"] == 8
    assert first["contenders"]["metaschedule"]["unsupported"]
    assert (first["best_ours"], first["best_peer"], first["verdict"]) == ("harl", "numpy", "ahead")
    assert first["ratio_to_best_peer"] == pytest.approx(1.1, rel=1e-3)
    assert first["ratios"]["default"] == pytest.approx(0.9, rel=1e-3)
    assert first["trial_0_share"] == pytest.approx(90 / 110, rel=1e-3)
    assert second["disturbed_passes"] == 1
    assert second["verdict"] == "tied"
    assert second["contenders"]["torch"]["samples"] == 1
    assert second["contenders"]["untuned"] == {
        "gflops_median": None, "gflops_best": None, "slower_than_seconds": 2.0
    }  # fmt: skip


def test_the_report_renders_with_and_without_peers(tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    results = Results(file, SETTINGS, MACHINE)
    results.write(summarise(results, SUITE))
    assert "No case has both" in write_report(file, tmp_path).read_text(encoding="utf-8")
    fill(results)
    results.write(summarise(results, SUITE))
    text = write_report(file, tmp_path / "results").read_text(encoding="utf-8")
    assert f"| {SUITE[0].name} | 1.100 |" in text
    assert "| **108.9** | **99.0** |" in text
    assert "jax, 1 cases" in text
    assert "<svg" in (tmp_path / "results" / "out.svg").read_text(encoding="utf-8")
