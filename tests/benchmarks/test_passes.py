"""Passes: who is timed when, what is repeated, what is left out."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.passes import MOST_ATTEMPTS, ContenderError, timed_pass


class Fake:
    def __init__(self, name: str, order: list[str], fails_at: int = -1) -> None:
        self.name = name
        self._order = order
        self._left = fails_at

    def sample(self) -> list[float]:
        if self._left == 0:
            raise ContenderError("It ended.")
        self._left -= 1
        self._order.append(self.name)
        return [float(len(self._order))]


def probes(*values: float) -> Callable[[], float]:
    given = iter(values)
    return lambda: next(given)


def test_each_pass_starts_with_another_contender() -> None:
    starts = []
    for number in range(3):
        order: list[str] = []
        made = timed_pass([Fake(name, order) for name in "abcdef"], number, 3, probes(1.0, 1.0))
        assert sorted(order) == list("abcdef")
        assert list(made.seconds) == order
        starts.append(order[0])
    assert starts == ["a", "c", "e"]


def test_a_disturbed_pass_is_repeated() -> None:
    order: list[str] = []
    made = timed_pass([Fake("a", order)], 0, 1, probes(1.0, 0.9, 1.0, 1.01))
    assert (made.attempts, made.disturbed, made.seconds) == (2, False, {"a": [2.0]})


def test_the_least_disturbed_attempt_is_kept_in_the_end() -> None:
    drifts = [0.5, 0.9, 0.8, 0.6]
    assert len(drifts) == MOST_ATTEMPTS
    made = timed_pass([Fake("a", [])], 0, 1, probes(*(p for d in drifts for p in (1.0, d))))
    assert (made.attempts, made.disturbed, made.seconds) == (MOST_ATTEMPTS, True, {"a": [2.0]})


def test_what_fails_is_left_out_of_the_whole_pass() -> None:
    order: list[str] = []
    made = timed_pass(
        [Fake("a", order, fails_at=1), Fake("b", order)], 0, 1, probes(1.0, 0.9, 1.0, 0.9, 1.0, 1.0)
    )
    assert made.lost == {"a": "It ended."}
    assert list(made.seconds) == ["b"]


def test_memory_is_probed_before_and_after_by_all_threads_and_by_one() -> None:
    made = timed_pass([Fake("a", [])], 0, 1, probes(1.0, 1.0), [probes(5.0, 6.0), probes(3.0, 4.0)])
    assert (made.bandwidths, made.bandwidths_alone) == ((5.0, 6.0), (3.0, 4.0))
    made = timed_pass([Fake("a", [])], 0, 1, probes(1.0, 1.0), [probes(5.0, 6.0)])
    assert (made.bandwidths, made.bandwidths_alone) == ((5.0, 6.0), ())


def test_memory_is_probed_right_before_and_after_ours() -> None:
    order: list[str] = []

    def probe() -> float:
        order.append("probe")
        return float(len(order))

    contenders = [Fake("a", order), Fake("b", order), Fake("c", order)]
    made = timed_pass(contenders, 0, 1, probes(1.0, 1.0), [probe], beside=("b", "c"))
    assert order == ["probe", "a", "probe", "b", "probe", "probe", "c", "probe", "probe"]
    assert made.bandwidths == (1.0, 9.0)
    assert made.bandwidths_beside["c"] == (6.0, 8.0)
