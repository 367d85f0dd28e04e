"""What the clock makes of calls whose length is known: nothing here depends on how fast the machine is."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from harl_mlir.measure import clock
from harl_mlir.measure.clock import Sampling, Timed, in_turns, screen


class Time:
    """A clock that moves only when a kernel is called or another process takes the core."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = self.cpu = 0
        monkeypatch.setattr(clock.time, "perf_counter_ns", lambda: self.wall)
        monkeypatch.setattr(clock.time, "thread_time_ns", lambda: self.cpu)

    def kernel(
        self, call_ns: int, disturbed: Callable[[int], bool] = lambda i: False, overhead_ns: int = 0
    ) -> tuple[Timed, list[int]]:
        """A kernel of that length; every call of it that `disturbed` names takes twice the wall time."""
        asked: list[int] = []

        def call(count: int) -> None:
            assert not gc.isenabled()
            self.cpu += overhead_ns + count * call_ns
            self.wall += (overhead_ns + count * call_ns) * (2 if disturbed(len(asked)) else 1)
            asked.append(count)

        return Timed(call, lambda: None), asked


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


@pytest.mark.parametrize("call_ns", [50, 1000, 200_000, 1_000_000, 5_000_000])
def test_screening_stays_within_its_budget(fake: Time, call_ns: int) -> None:
    timed, asked = fake.kernel(call_ns)
    measurement = screen(timed, None, None, 0.5)
    assert measurement.seconds == pytest.approx(call_ns * 1e-9)
    assert measurement.best == pytest.approx(call_ns * 1e-9)
    assert measurement.build_seconds == 0.5
    assert sum(asked) * call_ns <= 25_000_000
    assert measurement.samples >= 2
    assert gc.isenabled()


def test_screening_calls_slow_kernels_twice(fake: Time) -> None:
    timed, asked = fake.kernel(3_000_000_000)
    assert screen(timed, None, None).samples == 2
    assert asked == [1, 1]


@pytest.mark.parametrize("interrupted", [0, 1, 2])
def test_time_that_other_processes_took_makes_no_kernel_too_slow(fake: Time, interrupted: int) -> None:
    timed, asked = fake.kernel(600_000)

    def call(count: int) -> None:
        if len(asked) == interrupted:
            fake.wall += 50_000_000
        timed.call(count)

    measurement = screen(Timed(call, lambda: None), best=500e-6, cap=10e-3)
    assert measurement.ok
    assert measurement.seconds == pytest.approx(600e-6)


@pytest.mark.parametrize("waited_ns", [0, 500_000])
def test_with_threads_a_sample_is_disturbed_by_what_they_waited_for_a_core(
    fake: Time, monkeypatch: pytest.MonkeyPatch, waited_ns: int
) -> None:
    waited = {"main": 0, "other": 0}
    monkeypatch.setattr(clock, "_waited_ns", lambda: dict(waited))
    monkeypatch.setattr(clock.time, "process_time_ns", lambda: 2 * fake.cpu)
    asked: list[int] = []

    def call(count: int) -> None:
        # Both threads work half of the time, so that the caller's CPU time is no measure of the call's.
        fake.wall += count * 600_000 + (waited_ns if len(asked) % 2 else 0)
        fake.cpu += count * 300_000
        waited["other"] += waited_ns if len(asked) % 2 else 0
        asked.append(count)

    measurement = screen(Timed(call, lambda: None), None, None, threads=2)
    assert measurement.seconds == pytest.approx(600e-6)
    assert measurement.best == pytest.approx(600e-6)


def test_screening_gives_up_what_is_slow(fake: Time) -> None:
    timed, asked = fake.kernel(2_100_000)
    failure = screen(timed, 1e-4, None).failure
    assert failure is not None
    assert (failure.kind, failure.message) == (
        "too_slow",
        "0.0021 s a call, more than 20 times the best (0.0001 s)",
    )
    assert asked == [1]
    assert screen(fake.kernel(2_000_000)[0], 1e-4, None).ok
    failure = screen(fake.kernel(2_000_000)[0], None, 1e-3).failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("too_slow", "slower than 0.001 s")


def test_screening_spends_little_on_what_is_hopeless(fake: Time) -> None:
    assert screen(fake.kernel(3_000)[0], 1e-6, None).samples == clock.HOPELESS_SAMPLES
    assert screen(fake.kernel(1_500)[0], 1e-6, None).samples == clock.SCREENING_SAMPLES


def test_disturbed_samples_are_dropped(fake: Time) -> None:
    timed, _ = fake.kernel(1_000_000, lambda i: i % 3 == 0)
    (measurement,) = in_turns([timed], [0.0], lambda i: None)
    assert measurement.seconds == measurement.best == pytest.approx(1e-3)
    timed, _ = fake.kernel(1_000_000, lambda i: True)
    (measurement,) = in_turns([timed], [0.0], lambda i: None)
    assert measurement.seconds == pytest.approx(1e-3)
    assert measurement.samples == clock.CAREFUL_MOST_TRIES * clock.CAREFUL.samples


def test_short_calls_are_not_taken_for_slow_because_of_the_foreign_call(fake: Time) -> None:
    timed, asked = fake.kernel(50, overhead_ns=2_000)
    measurement = screen(timed, 50e-9, None)
    assert measurement.seconds == pytest.approx(50e-9, rel=0.01)
    assert sum(asked) * 50 <= 25_000_000


def test_careful_timing_takes_turns(fake: Time) -> None:
    kernels = [fake.kernel(ns) for ns in (100, 1_000_000, 9_000_000, 2_000_000_000)]
    turns: list[int] = []
    answers = in_turns([timed for timed, _ in kernels], [0.1, 0.2, 0.3, 0.4], turns.append)
    assert turns[:12] == [0, 1, 2, 3] * 3
    assert [a.seconds for a in answers] == [pytest.approx(ns) for ns in (1e-7, 1e-3, 9e-3, 2.0)]
    assert [a.build_seconds for a in answers] == [0.1, 0.2, 0.3, 0.4]
    # Each sample of at least 4 ms, at least 30 of them but for what takes seconds.
    assert [a.samples for a in answers] == [30, 30, 30, 3]
    for (_, asked), call_ns in zip(kernels, (100, 1_000_000, 9_000_000, 2_000_000_000), strict=True):
        assert max(asked) * call_ns >= 4_000_000


def test_less_careful_timing_takes_fewer_and_shorter_samples(fake: Time) -> None:
    timed, asked = fake.kernel(1_000_000)
    (measurement,) = in_turns([timed], [0.0], lambda i: None, Sampling(8, 0.002))
    assert (measurement.samples, max(asked)) == (8, 3)


def test_accumulating_arguments_are_put_back_before_every_sample(fake: Time) -> None:
    events: list[str] = []
    timed, _ = fake.kernel(1_000_000)
    spied = Timed(lambda n: (events.append("call"), timed.call(n))[1], lambda: events.append("reset"))
    screen(spied, None, None)
    assert events.count("reset") == events.count("call")
    assert events[::2] == ["reset"] * (len(events) // 2)
