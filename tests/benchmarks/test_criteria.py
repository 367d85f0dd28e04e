"""Goals of classes: what counts as met."""

from __future__ import annotations

from typing import Any

from benchmarks.criteria import criteria, criterion_lines


def case(name: str, ratio: float, share: float | None = None, category: str = "rows") -> dict[str, Any]:
    return {
        "name": name,
        "class": category,
        "ratio_to_best_peer": ratio,
        "share_of_bandwidth": share,
        "bound_by_memory": share is not None,
    }


def test_classes_with_goals_that_have_cases_are_judged() -> None:
    assert criteria([case("a", 2.0, category="c1d")]) == []
    assert {found["class"] for found in criteria([case("a", 1.3), case("b", 1.3, category="fused")])} == {
        "rows",
        "fused",
    }


def test_soft_cases_buy_nothing_and_laggards_are_named() -> None:
    lines = criterion_lines(criteria([case("fast", 9.0), case("slow", 0.9), case("even", 1.0)]))
    assert lines == [
        "rows: geomean at least 1.25: 1.105: NOT MET",
        "rows: none behind by more than 5 %: 1 of 3 (slow 0.90): NOT MET",
    ]
    assert all(line.endswith(": met") for line in criterion_lines(criteria([case("fast", 1.3)])))


def test_every_case_bound_by_memory_needs_its_share() -> None:
    found = criteria([case("a", 1.3, 0.9), case("b", 1.3, 0.7), case("c", 1.3)])
    assert criterion_lines(found)[-1] == (
        "rows: at least 0.85 of the bandwidth where bound by it: 1 of 2 do (b 0.70): NOT MET"
    )
