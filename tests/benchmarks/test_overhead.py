"""What `benchmarks.overhead` says of a run, on numbers made up."""

from __future__ import annotations

import pytest

from benchmarks.overhead import line, within_bounds

FOUND = {
    "wall_seconds": 10.0,
    "first_measurement_seconds": 1.25,
    "planning_seconds": 0.75,
    "measuring_seconds": 5.5,
    "finalists_seconds": 2.0,
    "writing_seconds": 0.25,
    "search_seconds": 1.5,
    "search_cpu_seconds": 1.0,
}


def test_a_line_tells_every_part_and_the_share_of_the_search() -> None:
    words = " ".join(line("matmul", FOUND, all_cpu=8.0).split())
    assert words == "matmul 10.00 1.25 0.75 5.50 2.00 0.25 1.50 15.0% 1.00 8.00 12.5%"


@pytest.mark.parametrize(
    ("changed", "within"),
    [({}, True), ({"search_seconds": 1.6}, False), ({"first_measurement_seconds": 3.1}, False)],
)
def test_a_run_is_within_both_bounds_or_not(changed: dict[str, float], within: bool) -> None:
    assert within_bounds({**FOUND, **changed}) is within
