"""The clock: how long one call takes, on a hot cache, measured by repeat loops in machine code."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from harl_mlir.measure.measurement import Measurement, failed

SCREENING_SECONDS = 0.020
"""What screening one candidate may take, unless two calls take longer."""
SCREENING_SAMPLE_SECONDS = 0.0015
SCREENING_SAMPLES = 9
HOPELESS = 2.0
"""A candidate this many times slower than the best gets `HOPELESS_SAMPLES` only."""
HOPELESS_SAMPLES = 3
SLOW = 20.0
"""A warmed call this many times slower than the best is `too_slow`."""

CAREFUL_SAMPLE_SECONDS = 0.004
CAREFUL_SAMPLES = 30
CAREFUL_MOST_SAMPLES = 45
CAREFUL_SECONDS_EACH = 4.0
CAREFUL_LEAST_SAMPLES = 3
DISTURBED = 1.03
"""A sample whose wall time exceeds its thread's CPU time by more was disturbed by another process."""


@dataclass(frozen=True)
class Timed:
    """Something to time: `call(n)` calls it n times; `reset` undoes what calls leave, outside the clock."""

    call: Callable[[int], None]
    reset: Callable[[], None]


@dataclass
class _Samples:
    """Seconds a call, undisturbed and disturbed samples apart."""

    clean: list[float] = field(default_factory=list)
    disturbed: list[float] = field(default_factory=list)

    def take(self, timed: Timed, calls: int) -> float:
        """Take one sample; returns its wall seconds."""
        timed.reset()
        cpu = time.thread_time_ns()
        wall = time.perf_counter_ns()
        timed.call(calls)
        wall = time.perf_counter_ns() - wall
        cpu = time.thread_time_ns() - cpu
        (self.clean if wall <= DISTURBED * cpu else self.disturbed).append(wall * 1e-9 / calls)
        return wall * 1e-9

    def measurement(self, least: int, build_seconds: float) -> Measurement:
        """Median and best of the clean samples; of all, if fewer than `least` are clean."""
        used = self.clean if len(self.clean) >= least else self.clean + self.disturbed
        return Measurement(
            seconds=statistics.median(used), best=min(used), samples=len(used), build_seconds=build_seconds
        )


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage collection while timing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def screen(timed: Timed, best: float | None, cap: float | None, build_seconds: float = 0.0) -> Measurement:
    """Time one candidate in about 20 ms: the median of a few samples of a millisecond or two.

    `best` and `cap` are seconds of a call; beyond `SLOW * best`, or beyond `cap`, it fails as too_slow.
    """
    with quiet():
        warm = _Samples()
        spent = warm.take(timed, 1)
        if spent < SCREENING_SAMPLE_SECONDS:
            spent += warm.take(timed, 1)
        call = min(warm.clean + warm.disturbed)
        if cap is not None and call > cap:
            return failed("too_slow", f"slower than {cap:g} s", build_seconds)
        if best is not None and call > SLOW * best:
            message = f"{call:.3g} s a call, more than {SLOW:g} times the best ({best:.3g} s)"
            return failed("too_slow", message, build_seconds)
        calls = max(1, round(SCREENING_SAMPLE_SECONDS / max(call, 1e-9)))
        samples = _Samples()
        if calls == 1:
            samples = warm
        wanted = SCREENING_SAMPLES
        while True:
            taken = len(samples.clean) + len(samples.disturbed)
            if best is not None and taken and min(samples.clean + samples.disturbed) > HOPELESS * best:
                wanted = HOPELESS_SAMPLES
            if taken >= wanted or (taken >= 2 and spent >= SCREENING_SECONDS):
                return samples.measurement(HOPELESS_SAMPLES, build_seconds)
            spent += samples.take(timed, calls)


def in_turns(
    contenders: Sequence[Timed], build_seconds: Sequence[float], turn: Callable[[int], None]
) -> list[Measurement]:
    """Time several kernels in turns, each by at least 30 clean samples of at least 4 ms where affordable.

    A contender whose samples take long gets fewer (about 4 s each, at least 3). `turn(i)` is called
    before contender i's samples, outside the clock.
    """
    with quiet():
        calls = []
        for i, timed in enumerate(contenders):
            turn(i)
            calls.append(_calibrate(timed))
        samples = [_Samples() for _ in contenders]
        spent = [0.0] * len(contenders)
        for _ in range(CAREFUL_MOST_SAMPLES):
            done = True
            for i, timed in enumerate(contenders):
                if _enough(samples[i], spent[i]):
                    continue
                done = False
                turn(i)
                # The others have used the caches since.
                timed.reset()
                timed.call(1)
                spent[i] += samples[i].take(timed, calls[i])
            if done:
                break
        return [
            s.measurement(CAREFUL_LEAST_SAMPLES, seconds)
            for s, seconds in zip(samples, build_seconds, strict=True)
        ]


def _enough(samples: _Samples, spent: float) -> bool:
    if len(samples.clean) >= CAREFUL_SAMPLES:
        return True
    taken = len(samples.clean) + len(samples.disturbed)
    return spent > CAREFUL_SECONDS_EACH and taken >= CAREFUL_LEAST_SAMPLES


def _calibrate(timed: Timed) -> int:
    """How many calls take at least `CAREFUL_SAMPLE_SECONDS`."""
    calls = 1
    while True:
        seconds = _Samples().take(timed, calls)
        if seconds >= CAREFUL_SAMPLE_SECONDS:
            return calls
        grow = 1.2 * CAREFUL_SAMPLE_SECONDS / max(seconds, 1e-7)
        calls = max(calls + 1, round(calls * min(grow, 10.0)))
