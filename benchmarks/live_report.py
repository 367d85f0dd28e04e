"""The figures of `live` for people: Markdown beside the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.live_summary import METASCHEDULE, NEAR
from benchmarks.report import machine_line, number, percent, table, wrapped

_HEAD = (
    "case", "agent", "times sooner", "s to MetaSchedule", "reached", "GFLOP/s", "of MetaSchedule",
    "of long run", "s to near long run", "reached", "s to first", "s in all",
)  # fmt: skip


def write_live_report(file: Path) -> Path:
    """Write `FILE.md` beside a results file; its path."""
    report = file.with_suffix(".md")
    report.write_text(markdown(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")
    return report


def markdown(found: Mapping[str, Any]) -> str:
    """The whole report."""
    return "\n\n".join(
        (
            "# How soon tuning gets there",
            machine_line(found),
            _method(found["settings"]),
            *_means(found["means"]),
            table(_HEAD, [row for case in found["cases"] for row in _agents(case)]),
            "## What is compared with",
            table(
                ("case", "MetaSchedule", "tuned in s", "long run", "agent", "s to near its end", "s in all"),
                [_goals(case) for case in found["cases"]],
            ),
            "## Runs",
            table(
                ("case", "agent", "seed", "GFLOP/s", "trials", "failed", "s in all", "s: GFLOP/s"),
                [row for case in found["cases"] for row in _runs(case)],
            ),
            "",
        )
    )


def _method(settings: Mapping[str, Any]) -> str:
    return wrapped(
        f"Each run is `harl-mlir tune` of {settings['trials']} trials as a process on one core, from an empty"
        " database; its seconds count from the process's start. MetaSchedule has 64 trials and one run; its"
        " seconds are those of tuning, without its import. The kernels at the end of all runs were timed in"
        f" turns, in {settings['passes']} passes; the speed of a run at any moment is that of its kernel at"
        " the end times what its own measurements say of the two. `s to MetaSchedule`: until a run had"
        " measured a kernel as fast as MetaSchedule's; `times sooner`: MetaSchedule's seconds over these. The"
        f" long run has {settings['long_trials']} trials, near it is within {100 * (NEAR - 1):.0f} % of its"
        " time. Medians over the seeds; a run that did not get there counts as one that never ends."
    )


def _means(means: Mapping[str, Any]) -> Iterator[str]:
    for agent, mean in means.items():
        yield wrapped(
            f"**{agent}**, geometric mean of {mean['cases']} cases: {percent(mean['ratio_to_long'])} of the"
            f" long run, {percent(mean['ratio_to_metaschedule'])} of MetaSchedule,"
            f" {number(mean['times_sooner'])} times sooner."
        )


def _agents(case: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    name = case["name"] + (" (disturbed)" if case["disturbed_passes"] else "")
    for agent, found in case["agents"].items():
        runs = len(found["runs"])
        rates = sorted(run["gflops"] for run in found["runs"])
        yield (
            name,
            agent,
            f"**{number(found['times_sooner'])}**",
            number(found["seconds_to_metaschedule"]),
            f"{found['reached_metaschedule']} of {runs}",
            f"{number(found['gflops'])} ({number(rates[0])} to {number(rates[-1])})",
            percent(found["ratio_to_metaschedule"]),
            percent(found["ratio_to_long"]),
            number(found["seconds_to_near_long"]),
            f"{found['reached_near_long']} of {runs}",
            number(found["first_seconds"]),
            number(found["wall_seconds"]),
        )


def _goals(case: Mapping[str, Any]) -> Sequence[str]:
    theirs, long = case[METASCHEDULE] or {}, case["long"] or {}
    return (
        case["name"],
        number(theirs.get("gflops")),
        number(theirs.get("tuning_seconds")),
        number(long.get("gflops")),
        long.get("agent", "-"),
        number(long.get("seconds_to_near_long")),
        number(long.get("wall_seconds")),
    )


def _runs(case: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    for found in case["agents"].values():
        for run in found["runs"]:
            yield (
                case["name"],
                run["agent"],
                str(run["seed"]),
                number(run["gflops"]),
                str(run["trials"]),
                str(run["failures"]),
                number(run["wall_seconds"]),
                ", ".join(f"{at:.1f}: {rate:.0f}" for at, rate in run["curve"]),
            )
