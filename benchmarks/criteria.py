"""The goals that classes have, and whether a summary's cases reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    """

    geomean: float
    none_behind: bool = False
    bandwidth: float | None = None


GOALS = {
    "rows": Goal(1.25, none_behind=True, bandwidth=0.85),
    "elementwise": Goal(1.25, none_behind=True, bandwidth=0.85),
    "fused": Goal(1.05),
}


def criteria(cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each goal of the classes of these cases: what it is, what is reached, and whether that is enough.

    `cases` are those of a summary that have a ratio.
    """
    found = []
    for name, goal in GOALS.items():
        of_class = [case for case in cases if case["class"] == name]
        if of_class:
            found += _of_class(name, goal, of_class)
    return found


def criterion_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each."""
    return [
        f"{each['class']}: {each['goal']}: {each['reached']}: {'met' if each['met'] else 'NOT MET'}"
        for each in found
    ]


def _of_class(name: str, goal: Goal, cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    ratios = {case["name"]: case["ratio_to_best_peer"] for case in cases}
    mean = float(capped_geomean(list(ratios.values())))
    found = [_criterion(name, f"geomean at least {goal.geomean:g}", f"{mean:.3f}", mean >= goal.geomean)]
    if goal.none_behind:
        behind = {case: ratio for case, ratio in ratios.items() if ratio < MOST_BEHIND}
        reached = f"{len(behind)} of {len(ratios)}{_named(behind)}"
        found.append(_criterion(name, "none behind by more than 5 %", reached, not behind))
    shares = {c["name"]: c["share_of_bandwidth"] for c in cases if c["bound_by_memory"]}
    if goal.bandwidth is not None and shares:
        short = {case: share for case, share in shares.items() if share < goal.bandwidth}
        reached = f"{len(shares) - len(short)} of {len(shares)} do{_named(short)}"
        wanted = f"at least {goal.bandwidth:g} of the bandwidth where bound by it"
        found.append(_criterion(name, wanted, reached, not short))
    return found


def _named(figures: Mapping[str, float]) -> str:
    """The cases that fall short, the worst first."""
    ordered = sorted(figures.items(), key=lambda item: item[1])
    return f" ({', '.join(f'{name} {figure:.2f}' for name, figure in ordered)})" if ordered else ""


def _criterion(name: str, goal: str, reached: str, met: bool) -> dict[str, Any]:
    return {"class": name, "goal": goal, "reached": reached, "met": met}
