"""The figures of the comparison for people: Markdown and a plot beside the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.looptune.plot import write_looptune_plot
from benchmarks.looptune.stages import HELD_OUT, OUTSIDE, SEARCHES
from benchmarks.report import machine_line, number, percent, table, wrapped

_STORED = (
    ("policy (10 actions)", "2.97", "0.38"),
    ("random search", "1.80", "60"),
    ("beam search", "1.53 to 1.76", "60"),
    ("greedy search", "1.03 to 1.35", "60"),
)
_ENOUGH = 0.8
"""Of HARL's kernel, outside the range of training."""


def write_looptune_report(file: Path, folder: Path) -> Path:
    """Write `FILE.md` and `FILE.svg` of a results file into `folder`; the path of the former."""
    found = json.loads(file.read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    report, plot = folder / f"{file.stem}.md", folder / f"{file.stem}.svg"
    write_looptune_plot(found, plot)
    report.write_text(markdown(found, plot.name), encoding="utf-8")
    return report


def markdown(found: Mapping[str, Any], plot: str) -> str:
    """The whole report."""
    parts = ["# The loop-walking agent beside others", machine_line(found), _method(found["settings"])]
    of_stages = {HELD_OUT: _held_out, SEARCHES: _searches, OUTSIDE: _outside}
    for name, write in of_stages.items():
        if name in found["stages"]:
            parts += write(found["stages"][name], found["settings"], plot)
    return "\n\n".join(parts) + "\n"


def _method(settings: Mapping[str, Any]) -> str:
    return wrapped(
        f"Everything ran on one core; every kernel was checked. {settings['passes']} passes a problem, the"
        " contenders in turns between two probes of the peak, a pass repeated if they differ by more than"
        " 3 %; a ratio is the median of the passes' ratios. Contenders that chose the same schedule are timed"
        " once. `untuned` is the nest in its original order, its innermost loop vectorised and the"
        " accumulators hoisted; `scalar` the kernel as it came; `default` the first candidate of the tuner's"
        " ordinary space. Seconds of a decision count from the analysed task to the schedule. A win is a"
        " problem on which no other contender of the table is faster."
    )


def _held_out(stage: Mapping[str, Any], settings: Mapping[str, Any], plot: str) -> Iterator[str]:
    means = stage["means"]
    yield f"## {len(stage['problems'])} matmuls never trained on"
    yield wrapped(
        "Nothing is measured to decide: `product` and `paper` walk by their policies, eight walks side by"
        " side, and take the best nest seen by the estimate; `product` looks at nests that were best in its"
        " training, too, and goes on from the best three to better neighbours, if there are any. `greedy`,"
        " `beam` (width 4) and `random` search by the same estimate, from the nest as it came, and look at as"
        " many nests as `product` did."
    )
    yield _table(means, "over_numpy", "NumPy")
    yield f"![Speed-ups over the untuned nest]({plot})"
    yield wrapped(
        "For comparison, what LoopTune's repository stores for 25 other matmuls of the same range, over its"
        " own untuned nest, made by LoopNest on another machine; its search by beam took the order of the"
        " actions' names for that of the values, and reported the last state."
    )
    yield table(("stored by LoopTune", "geomean over untuned", "s"), _STORED)


def _searches(stage: Mapping[str, Any], settings: Mapping[str, Any], plot: str) -> Iterator[str]:
    yield f"## {len(stage['problems'])} of them, against searches that measure"
    yield wrapped(
        f"`greedy`, `beam` (width 4) and `random` measure nests for {settings['seconds']:g} s at most, in the"
        f" moves of `product` at any loop; `harl` is `harl-mlir tune` of {settings['trials']} trials as a"
        " process, its start counted; MetaSchedule has 64 trials, its import not counted."
    )
    yield _table(stage["means"], "over_product", "`product`")


def _outside(stage: Mapping[str, Any], settings: Mapping[str, Any], plot: str) -> Iterator[str]:
    problems = stage["problems"]
    ratios = [_over_harl(problem) for problem in problems]
    known = [ratio for ratio in ratios if ratio is not None]
    enough = sum(ratio >= _ENOUGH for ratio in known)
    yield f"## {len(problems)} shapes outside the range of training"
    yield wrapped(
        f"`product` against `harl-mlir tune` of {settings['trials']} trials: at least {_ENOUGH:g}x on"
        f" {enough} of the {len(known)} that both have."
    )
    yield _table(stage["means"], "over_product", "`product`")
    head = ("problem", "product over HARL", "product", "default", "HARL", "s product", "s HARL")
    yield table(head, [_shape(p, r) for p, r in zip(problems, ratios, strict=True)])


def _table(means: Mapping[str, Any], ratio: str, other: str) -> str:
    known = ratio.removeprefix("over_")
    head = (
        "contender", "geomean over untuned", f"over {other}", f"at least {other}", "of peak", "wins",
        "mean s", "most s", "looked at", "problems",
    )  # fmt: skip
    rows = [
        (
            name,
            number(mean["over_untuned"], 2),
            number(mean[ratio], 3),
            f"{mean[f'at_least_{known}']}" if mean[ratio] is not None else "-",
            percent(mean["share_of_peak"]),
            str(mean["wins"]),
            number(mean["mean_seconds"], 3),
            number(mean["most_seconds"], 3),
            number(mean["mean_evaluations"], 0),
            str(mean["problems"]),
        )
        for name, mean in means.items()
    ]
    return table(head, rows)


def _over_harl(problem: Mapping[str, Any]) -> float | None:
    ratio = problem["contenders"].get("harl", {}).get("over_product")
    return 1 / ratio if ratio else None


def _shape(problem: Mapping[str, Any], ratio: float | None) -> Sequence[str]:
    contenders = problem["contenders"]
    rates = [number(contenders.get(name, {}).get("gflops")) for name in ("product", "default", "harl")]
    seconds = [number(contenders.get(name, {}).get("seconds"), 2) for name in ("product", "harl")]
    mark = " (disturbed)" if problem["disturbed_passes"] else ""
    return (problem["name"] + mark, number(ratio, 3), *rates, *seconds)
