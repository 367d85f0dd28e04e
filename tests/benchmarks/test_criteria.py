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
        "speedup": None,
        "best_ours": "harl",
        "contenders": {},
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
        "rows: at least 0.85 of the bandwidth where bound by it: 1 of 2 (b 0.70): NOT MET"
    )


def test_threads_are_compared_with_one_of_ours() -> None:
    cases = [case("a", 1.3, category="threads") | {"speedup": 1.9}, case("b", 1.3, category="threads")]
    assert criterion_lines(criteria(cases))[-1] == "threads: at least 1.85 times one thread: 1 of 1: met"
    cases[1]["speedup"] = 1.2
    assert criterion_lines(criteria(cases))[-1].endswith(": 1 of 2 (b 1.20): NOT MET")


def test_threads_bound_by_memory_gain_as_much_as_copying() -> None:
    free = case("a", 1.3, category="threads") | {"speedup": 1.9}
    limited = case("b", 1.3, 0.9, category="threads") | {"speedup": 1.4, "memory_gain": 1.5}
    # No more is asked for than where memory is no limit.
    generous = case("c", 1.3, 0.9, category="threads") | {"speedup": 1.86, "memory_gain": 2.4}
    lines = criterion_lines(criteria([free, limited, generous]))
    assert lines[-2:] == [
        "threads: at least 1.85 times one thread: 1 of 1: met",
        "threads: at least 0.925 of what copying gains by threads (1.50, 2.40) where bound by memory: "
        "2 of 2: met",
    ]
    limited["speedup"] = 1.3
    assert criterion_lines(criteria([free, limited]))[-1].endswith("1 (b 0.87): NOT MET")
    # Without a probe of it, as in results made before there was one, memory excuses nothing.
    limited["memory_gain"] = None
    assert criterion_lines(criteria([free, limited]))[-1].endswith("1 of 2 (b 1.30): NOT MET")


def test_one_case_beside_one_peer() -> None:
    seconds = {"default": 3.0, "harl": 2.0, "torch": 2.5, "jax": 1.0}
    contenders = {name: {"seconds_median": of} for name, of in seconds.items()}
    of = case("matmul_1024x1024x1024_bf16", 0.5, category="types") | {"contenders": contenders}
    assert criterion_lines(criteria([of])) == [
        "types: matmul_1024x1024x1024_bf16 at least 1 times torch: 1.250: met"
    ]


def test_a_case_without_a_time_of_ours_is_told() -> None:
    none = case("b", 0.0) | {"ratio_to_best_peer": None, "best_ours": None}
    assert criterion_lines(criteria([case("a", 1.3), none]))[-1] == (
        "rows: ours has a time for every case: not for b: NOT MET"
    )
    assert len(criteria([case("a", 1.3)])) == 2
