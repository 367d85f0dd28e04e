"""Where the time of a run goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Part = Literal["planning", "search", "verifying", "measuring", "finalists", "writing"]


@dataclass(frozen=True)
class Spent:
    """Seconds of wall time that a run spent, and on what.

    Attributes:
        decide: from the reading of the kernel's file until the schedule library was written; None if it was
            not.
        first_measurement: from process start until the first candidate was measured; None if none was.
        planning: reading the input, starting the measuring process, finding tasks and spaces.
        search: the search policy, from loading its libraries to its last proposal.
        search_cpu: processor time of the same; a busy machine makes `search` longer, not this.
        verifying: building, and perhaps checking, schedules that are not timed.
        measuring: untuned kernels and trials, written to the database.
        finalists: timing the finalists.
        writing: making and writing the outputs.
    """

    decide: float | None = None
    first_measurement: float | None = None
    planning: float = 0.0
    search: float = 0.0
    search_cpu: float = 0.0
    verifying: float = 0.0
    measuring: float = 0.0
    finalists: float = 0.0
    writing: float = 0.0


class Stopwatch:
    """Adds up the seconds of each part of a run that began `elapsed` seconds ago."""

    def __init__(self, elapsed: float = 0.0) -> None:
        self._started = time.monotonic() - elapsed
        self._wall: defaultdict[Part, float] = defaultdict(float)
        self._cpu: defaultdict[Part, float] = defaultdict(float)
        self._first_measurement: float | None = None
        self._read: float | None = None
        self._decide: float | None = None

    @contextmanager
    def part(self, part: Part) -> Iterator[None]:
        """Count what is done inside, interrupted or not, as this part."""
        wall, cpu = time.monotonic(), time.thread_time()
        try:
            yield
        finally:
            self._wall[part] += time.monotonic() - wall
            self._cpu[part] += time.thread_time() - cpu

    def note_reading(self) -> None:
        """The kernel's file is about to be read."""
        self._read = time.monotonic()

    def note_decided(self) -> None:
        """The schedule library was written."""
        if self._read is not None:
            self._decide = time.monotonic() - self._read

    def note_measured(self) -> None:
        """A candidate was measured."""
        if self._first_measurement is None:
            self._first_measurement = time.monotonic() - self._started

    def spent(self) -> Spent:
        """What was counted so far."""
        wall = self._wall
        return Spent(
            decide=self._decide,
            first_measurement=self._first_measurement,
            planning=wall["planning"],
            search=wall["search"],
            search_cpu=self._cpu["search"],
            verifying=wall["verifying"],
            measuring=wall["measuring"],
            finalists=wall["finalists"],
            writing=wall["writing"],
        )
