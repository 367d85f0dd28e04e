"""The goals that classes have, and whether a summary's cases reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.ours import AGENTS
from benchmarks.ratios import capped_geomean

MOST_BEHIND = 0.95
"""A case with a smaller ratio to its best peer is behind."""


@dataclass(frozen=True)
class Goal:
    """What a class is to reach.

    Attributes:
        geomean: of the ratios to the best peer, each capped.
        none_behind: whether no case may be behind its best peer by more than 5 %.
        bandwidth: the least share of the measured bandwidth that each case bound by memory is to have.
        speedup: the least of two threads over one thread of ours, of each case. One bound by memory needs as
            much of what two threads gained over one where they do nothing but copy, if that is less than two.
        beside: the least ratio of one case to one peer.
    """

    geomean: float | None = None
    none_behind: bool = False
    bandwidth: float | None = None
    speedup: float | None = None
    beside: tuple[str, str, float] | None = None


GOALS = {
    "rows": Goal(1.25, none_behind=True, bandwidth=0.85),
    "elementwise": Goal(1.25, none_behind=True, bandwidth=0.85),
    "memory": Goal(bandwidth=0.85),
    "fused": Goal(1.05),
    "threads": Goal(1.0, none_behind=True, speedup=1.85),
    "types": Goal(beside=("matmul_1024x1024x1024_bf16", "torch", 1.0)),
}


def criteria(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each goal of the classes of these cases: what it is, what is reached, and whether that is enough.

    `cases` are those of a summary. One that ours has no time for keeps its class from a goal.
    """
    found = []
    for name, goal in GOALS.items():
        of_class = [case for case in cases if case["class"] == name]
        timed = [case for case in of_class if case["best_ours"] is not None]
        if timed:
            found += _of_class(name, goal, timed)
        lacking = [case["name"] for case in of_class if case["best_ours"] is None]
        if lacking:
            wanted = "ours has a time for every case"
            found.append(_criterion(name, wanted, f"not for {', '.join(lacking)}", met=False))
    return found


def criterion_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each."""
    return [
        f"{each['class']}: {each['goal']}: {each['reached']}: {'met' if each['met'] else 'NOT MET'}"
        for each in found
    ]


def _of_class(name: str, goal: Goal, cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    ratios = {c["name"]: c["ratio_to_best_peer"] for c in cases if c["ratio_to_best_peer"] is not None}
    found = []
    if goal.geomean is not None and ratios:
        mean = float(capped_geomean(list(ratios.values())))
        found.append(
            _criterion(name, f"geomean at least {goal.geomean:g}", f"{mean:.3f}", mean >= goal.geomean)
        )
    if goal.none_behind and ratios:
        behind = {case: ratio for case, ratio in ratios.items() if ratio < MOST_BEHIND}
        reached = f"{len(behind)} of {len(ratios)}{_named(behind)}"
        found.append(_criterion(name, "none behind by more than 5 %", reached, not behind))
    shares = {
        c["name"]: c["share_of_bandwidth"]
        for c in cases
        if c["bound_by_memory"] and c["share_of_bandwidth"] is not None
    }
    if goal.bandwidth is not None and shares:
        wanted = f"at least {goal.bandwidth:g} of the bandwidth where bound by it"
        found.append(_least(name, wanted, shares, goal.bandwidth))
    if goal.speedup is not None:
        found += _speedups(name, goal.speedup, cases)
    if goal.beside is not None:
        found += _beside(name, *goal.beside, cases)
    return found


def _speedups(name: str, least: float, cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Threads over one thread: of cases bound by memory beside what copying gains, of others beside two."""
    timed = [case for case in cases if case["speedup"] is not None]
    limited = {c["name"]: c["memory_gain"] for c in timed if c["bound_by_memory"] and c.get("memory_gain")}
    found = []
    free = {case["name"]: case["speedup"] for case in timed if case["name"] not in limited}
    if free:
        found.append(_least(name, f"at least {least:g} times one thread", free, least))
    if limited:
        share = least / 2
        shares = {c["name"]: c["speedup"] / min(2, limited[c["name"]]) for c in timed if c["name"] in limited}
        gains = ", ".join(f"{gain:.2f}" for gain in limited.values())
        wanted = f"at least {share:g} of what copying gains by threads ({gains}) where bound by memory"
        found.append(_least(name, wanted, shares, share))
    return found


def _least(name: str, wanted: str, figures: Mapping[str, float], least: float) -> dict[str, Any]:
    short = {case: figure for case, figure in figures.items() if figure < least}
    return _criterion(
        name, wanted, f"{len(figures) - len(short)} of {len(figures)}{_named(short)}", not short
    )


def _beside(
    name: str, case: str, peer: str, least: float, cases: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The ratio to one peer, of medians over all passes."""
    found = []
    for of in (of["contenders"] for of in cases if of["name"] == case and peer in of["contenders"]):
        ours = [of[name]["seconds_median"] for name in AGENTS if "seconds_median" in of.get(name, {})]
        if ours and "seconds_median" in of[peer]:
            ratio = of[peer]["seconds_median"] / min(ours)
            wanted = f"{case} at least {least:g} times {peer}"
            found.append(_criterion(name, wanted, f"{ratio:.3f}", ratio >= least))
    return found


def _named(figures: Mapping[str, float]) -> str:
    """The cases that fall short, the worst first."""
    ordered = sorted(figures.items(), key=lambda item: item[1])
    return f" ({', '.join(f'{name} {figure:.2f}' for name, figure in ordered)})" if ordered else ""


def _criterion(name: str, goal: str, reached: str, met: bool) -> dict[str, Any]:
    return {"class": name, "goal": goal, "reached": reached, "met": met}
