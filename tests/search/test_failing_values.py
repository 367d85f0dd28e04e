from __future__ import annotations

import numpy as np

from harl_mlir.search.failing_values import working_values


def trials(*rows: tuple[tuple[int, ...], bool]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([state for state, _ in rows]), np.array([ok for _, ok in rows])


SIZES = np.array([3, 2])


def working(states: np.ndarray, ok: np.ndarray) -> list[list[bool]]:
    return [row.tolist() for row in working_values(SIZES, states, ok, least=3, doubt=0.02)]


def test_drops_a_value_whose_trials_all_failed() -> None:
    good = [((0, 0), True), ((0, 1), True), ((1, 0), True), ((1, 1), True)] * 2
    bad = [((2, 0), False), ((2, 1), False), ((2, 0), False)]
    assert working(*trials(*good, *bad)) == [[True, True, False], [True, True]]
    assert working(*trials(*good, *bad[:2])) == [[True] * 3, [True] * 2]
    assert working(*trials(*good, *bad, ((2, 1), True))) == [[True] * 3, [True] * 2]


def test_a_failure_with_a_reason_accuses_no_other_value() -> None:
    # Value 2 of the first decision fails; value 1 of the second was only tried together with it.
    rows = [((i % 2, 0), True) for i in range(10)] + [((2, i % 2), False) for i in range(8)]
    assert working(*trials(*rows)) == [[True, True, False], [True, True]]


def test_nothing_is_dropped_where_everything_fails_or_failures_are_common() -> None:
    everything = [((i % 3, i % 2), False) for i in range(20)]
    assert working(*trials(*everything)) == [[True] * 3, [True] * 2]
    common = [((0, i % 2), i < 3) for i in range(8)] + [((2, 0), False)] * 3
    assert working(*trials(*common)) == [[True] * 3, [True] * 2]
