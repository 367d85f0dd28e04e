"""The clock: how long one call takes, on a hot cache, measured by repeat loops in machine code."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

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
_SURELY_SECONDS = 0.001
"""From here on one call tells its length; a shorter one is mostly the foreign call."""
_MOST_GROWTH = 32

CAREFUL_MOST_TRIES = 4
"""Samples taken for each one wanted, where others disturb."""
CAREFUL_SECONDS_EACH = 4.0
CAREFUL_LEAST_SAMPLES = 3
DISTURBED = 1.03
"""A sample whose wall time exceeds what it had of its cores by more was disturbed by another process."""


@dataclass(frozen=True)
class Sampling:
    """How carefully to time: so many clean samples, each of at least so many seconds."""

    samples: int
    sample_seconds: float


CAREFUL = Sampling(30, 0.004)


@dataclass(frozen=True)
class Timed:
    """Something to time: `call(n)` calls it n times; `reset` undoes what calls leave, outside the clock."""

    call: Callable[[int], None]
    reset: Callable[[], None]


@dataclass(frozen=True)
class _Sample:
    """Seconds of one sample: as the clock on the wall has it, and what the calls themselves took."""

    wall: float
    own: float


@dataclass
class _Samples:
    """Seconds a call: wall time of the clean samples, CPU time of all.

    With several `threads` a sample's CPU time is its wall time without what a thread waited for a core.
    """

    threads: int = 1
    clean: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Number of samples."""
        return len(self.cpu)

    def take(self, timed: Timed, calls: int) -> _Sample:
        """Take one sample. A disturbed one took its CPU time: what others did meanwhile is no fault of it."""
        timed.reset()
        if self.threads > 1:
            cpu, wall = _shared_call(timed, calls, self.threads)
        else:
            cpu = time.thread_time_ns()
            wall = time.perf_counter_ns()
            timed.call(calls)
            wall = time.perf_counter_ns() - wall
            cpu = time.thread_time_ns() - cpu
        clean = wall <= DISTURBED * cpu
        if clean:
            self.clean.append(wall * 1e-9 / calls)
        self.cpu.append(cpu * 1e-9 / calls)
        return _Sample(wall * 1e-9, (wall if clean else cpu) * 1e-9)

    def used(self, least: int) -> list[float]:
        """The clean samples; if fewer than `least` are clean, the CPU times of all."""
        return self.clean if len(self.clean) >= min(least, self.taken) else self.cpu

    def measurement(self, least: int, build_seconds: float) -> Measurement:
        """Median and best of the samples used."""
        used = self.used(least)
        return Measurement(
            seconds=statistics.median(used), best=min(used), samples=len(used), build_seconds=build_seconds
        )


def _shared_call(timed: Timed, calls: int, threads: int) -> tuple[int, int]:
    """Nanoseconds that calls on several threads took: had none waited for a core, and as it was.

    A thread with nothing to do sleeps, so that CPU time tells nothing of the time a call takes but that it
    is no less than its part of it; what the threads waited to run, Linux counts.
    """
    waited, cpu = _waited_ns(), time.process_time_ns()
    wall = time.perf_counter_ns()
    timed.call(calls)
    wall = time.perf_counter_ns() - wall
    cpu, after = time.process_time_ns() - cpu, _waited_ns()
    longest = max((delay - waited.get(thread, 0) for thread, delay in after.items()), default=0)
    return max(wall - longest, min(wall, cpu // threads)), wall


def _waited_ns() -> dict[str, int]:
    """Nanoseconds for which each of our threads was ready to run and had no core; empty if unknown."""
    waited: dict[str, int] = {}
    with suppress(OSError, IndexError, ValueError):
        for thread in Path("/proc/self/task").iterdir():
            waited[thread.name] = int((thread / "schedstat").read_text(encoding="ascii").split()[1])
    return waited


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


def screen(
    timed: Timed, best: float | None, cap: float | None, build_seconds: float = 0.0, threads: int = 1
) -> Measurement:
    """Time one candidate in about 20 ms: the median of a few samples of a millisecond or two.

    `best` and `cap` are seconds of a call; beyond `SLOW * best`, or beyond `cap`, it fails as too_slow.
    """

    def verdict(call: float) -> Measurement | None:
        if cap is not None and call > cap:
            return failed("too_slow", f"slower than {cap:g} s", build_seconds)
        if best is not None and call > SLOW * best:
            message = f"{call:.3g} s a call, more than {SLOW:g} times the best ({best:.3g} s)"
            return failed("too_slow", message, build_seconds)
        return None

    with quiet():
        samples = _Samples(threads)
        first = samples.take(timed, 1)
        spent = first.wall
        if first.own > _SURELY_SECONDS and (slow := verdict(first.own)):
            return slow
        if spent < SCREENING_SECONDS:
            # That call warmed the caches; it counts only where calls are too slow to take many.
            samples = _Samples(threads)
        calls, seconds = _calibrate(timed, samples, SCREENING_SAMPLE_SECONDS)
        spent += seconds
        if slow := verdict(seconds / calls):
            return slow
        hopeless = best is not None and seconds / calls > HOPELESS * best
        wanted = HOPELESS_SAMPLES if hopeless else SCREENING_SAMPLES
        while samples.taken < wanted and (samples.taken < 2 or spent < SCREENING_SECONDS):
            spent += samples.take(timed, calls).wall
        return samples.measurement(HOPELESS_SAMPLES, build_seconds)


def _calibrate(timed: Timed, samples: _Samples, target: float) -> tuple[int, float]:
    """How many calls take about `target` seconds, and what they took; the last sample stays in `samples`."""
    calls = 1
    while True:
        trial = _Samples(samples.threads)
        seconds = trial.take(timed, calls).own
        if seconds >= target / 2:
            samples.clean += trial.clean
            samples.cpu += trial.cpu
            return calls, seconds
        grown = calls * target / max(seconds, 1e-9)
        calls = max(calls + 1, round(min(grown, _MOST_GROWTH * calls)))


def in_turns(
    contenders: Sequence[Timed],
    build_seconds: Sequence[float],
    turn: Callable[[int], None],
    sampling: Sampling = CAREFUL,
    threads: int = 1,
) -> list[Measurement]:
    """Time several kernels in turns, each by as many clean samples as are wanted where affordable.

    A contender whose samples take long gets fewer (about 4 s each, at least 3). `turn(i)` is called
    before contender i's samples, outside the clock.
    """
    with quiet():
        calls = []
        for i, timed in enumerate(contenders):
            turn(i)
            timed.call(1)
            count, seconds = _calibrate(timed, _Samples(threads), sampling.sample_seconds)
            # A fifth more than needed, so that a sample a little faster is long enough too.
            calls.append(max(1, math.ceil(1.2 * count * sampling.sample_seconds / seconds)))
        samples = [_Samples(threads) for _ in contenders]
        spent = [0.0] * len(contenders)
        for _ in range(CAREFUL_MOST_TRIES * sampling.samples):
            done = True
            for i, timed in enumerate(contenders):
                if _enough(samples[i], spent[i], sampling.samples):
                    continue
                done = False
                turn(i)
                if calls[i] > 1:
                    # The others have used the caches since.
                    timed.reset()
                    timed.call(1)
                spent[i] += samples[i].take(timed, calls[i]).wall
            if done:
                break
        return [
            replace(s.measurement(CAREFUL_LEAST_SAMPLES, seconds), times=tuple(s.used(CAREFUL_LEAST_SAMPLES)))
            for s, seconds in zip(samples, build_seconds, strict=True)
        ]


def _enough(samples: _Samples, spent: float, wanted: int) -> bool:
    if len(samples.clean) >= wanted:
        return True
    return spent > CAREFUL_SECONDS_EACH and samples.taken >= CAREFUL_LEAST_SAMPLES
