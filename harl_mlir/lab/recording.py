"""Records a space: measures every legal candidate of declared value lists, in a run that can be resumed.

Candidates are screened in a random order, so that a drift of the machine falls on all alike. The fastest
are then timed again in turns, each group together with the fastest of all, whose time makes groups
comparable: which candidate is best must not be decided by a lucky sample.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np

from harl_mlir.errors import InputError, Place
from harl_mlir.lab.recorded import (
    FORMAT,
    ILLEGAL,
    Header,
    RecordedSketch,
    RecordedTask,
    Recording,
    SketchHeader,
    TaskHeader,
)
from harl_mlir.lab.value_lists import legal_values
from harl_mlir.measure.bench import Bench
from harl_mlir.measure.measurement import FAILURE_KINDS, Measurement
from harl_mlir.processor import Processor
from harl_mlir.records.record import Environment
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.search import UNTUNED_CAP_SECONDS

_NEAR_BEST = 1.12
"""Candidates up to this many times slower than the best are timed again."""
_LEAST_AGAIN, _MOST_AGAIN = 36, 240
_GROUP = 12


@dataclass(frozen=True)
class Entry:
    """A line of the journal: what candidate `index` of sketch `sketch` of task `task` gave.

    `sketch` -1 is the untuned kernel. `outcome` is as in the file; `again` marks a time taken in turns.
    """

    task: int
    sketch: int
    index: int
    outcome: int
    seconds: float | None
    cost: float
    again: bool = False


@dataclass
class Journal:
    """What was measured so far, on disk line by line, so that a recording can be resumed.

    Raises:
        InputError: the file belongs to a recording of other tasks or lists.
    """

    path: Path
    identity: str
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            self.path.write_text(json.dumps({"journal": self.identity}) + "\n", encoding="utf-8")
            return
        if lines[:1] != [json.dumps({"journal": self.identity})]:
            raise InputError(
                "this journal is of another recording; remove it or name another file with -o",
                Place(str(self.path)),
            )
        whole: list[str] = lines[:1]
        for line in lines[1:]:
            try:
                self.entries.append(msgspec.json.decode(line, type=Entry))
                whole.append(line)
            except msgspec.MsgspecError:
                break  # the process was killed while it wrote this line
        self.path.write_text("\n".join(whole) + "\n", encoding="utf-8")

    def add(self, entry: Entry) -> None:
        """Append a line."""
        self.entries.append(entry)
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")


@dataclass(frozen=True)
class Declared:
    """A task and its declared sub-spaces."""

    task: Task
    spaces: tuple[Space, ...]


def identity(name: str, tasks: Sequence[Declared], environment: Environment) -> str:
    """A digest of everything that a recording is of."""
    told = [(d.task.key, [(s.sketch, s.version, s.decisions) for s in d.spaces]) for d in tasks]
    return sha256(msgspec.json.encode((name, told, environment))).hexdigest()[:16]


def record(
    name: str,
    tasks: Sequence[Declared],
    environment: Environment,
    bench: Bench,
    journal: Journal,
    tell: Callable[[str], None],
    processor: Processor | None = None,
) -> Recording:
    """Measure what the journal does not hold yet, and put everything together.

    `processor` is whose caches the loop nests of its candidates are told for. May be left by
    KeyboardInterrupt at any point; `tell` hears a line about every hundred candidates.

    Raises:
        InputError: no candidate of a task runs.
    """
    recorded: list[RecordedTask] = []
    for number, declared in enumerate(tasks):
        measuring = _TaskRecording(number, declared, bench, journal, tell)
        measuring.screen()
        measuring.time_again()
        recorded.append(measuring.recorded())
    header = Header(FORMAT, name, environment, tuple(task.header for task in recorded), processor=processor)
    return Recording(header, tuple(recorded))


class _TaskRecording:
    def __init__(
        self, number: int, declared: Declared, bench: Bench, journal: Journal, tell: Callable[[str], None]
    ) -> None:
        self._number = number
        self._task = declared.task
        self._spaces = declared.spaces
        self._bench = bench
        self._journal = journal
        self._tell = tell
        self._headers = tuple(SketchHeader(s.sketch, s.version, s.decisions) for s in declared.spaces)
        self._points = [
            (sketch, self._index(sketch, values), self._candidate(space, values))
            for sketch, space in enumerate(declared.spaces)
            for values in legal_values(space)
        ]

    @property
    def _entries(self) -> list[Entry]:
        return [entry for entry in self._journal.entries if entry.task == self._number]

    def screen(self) -> None:
        """Measure the untuned kernel and every candidate that the journal does not hold."""
        known = {(e.sketch, e.index): e for e in self._entries if not e.again}
        times = [e.seconds for e in known.values() if e.seconds is not None and e.sketch >= 0]
        best = min(times, default=None)
        if (-1, 0) not in known:
            untuned = self._bench.measure(self._task, None, cap=UNTUNED_CAP_SECONDS)
            self._journal.add(self._entry(-1, 0, untuned, 0.0))
        defaults = {space.default() for space in self._spaces}
        order = random.Random(0).sample(self._points, len(self._points))
        order.sort(key=lambda point: point[2] not in defaults)
        for done, (sketch, index, candidate) in enumerate(order, 1):
            if (sketch, index) in known:
                continue
            started = time.monotonic()
            measurement = self._bench.measure(self._task, candidate, best=best)
            self._journal.add(self._entry(sketch, index, measurement, time.monotonic() - started))
            if measurement.seconds is not None:
                best = min(best or measurement.seconds, measurement.seconds)
            if done % 100 == 0 or done == len(order):
                self._tell(f"{self._task.label()}: {done} of {len(order)} candidates")

    def time_again(self) -> None:
        """Time the fastest in turns."""
        screened = [e for e in self._entries if e.sketch >= 0 and e.seconds is not None and not e.again]
        if not screened:
            raise InputError(f"no candidate of {self._task.label()} runs; declare other values")
        screened.sort(key=lambda e: e.seconds or 0.0)
        limit = _NEAR_BEST * (screened[0].seconds or 0.0)
        within = sum((entry.seconds or 0.0) <= limit for entry in screened)
        near = screened[: min(max(within, _LEAST_AGAIN), _MOST_AGAIN)]
        again = {(e.sketch, e.index): e.seconds for e in self._entries if e.again}
        anchor, rest = near[0], [e for e in near[1:] if (e.sketch, e.index) not in again]
        candidates = {(sketch, index): candidate for sketch, index, candidate in self._points}
        for start in range(0, len(rest), _GROUP):
            group = [anchor, *rest[start : start + _GROUP]]
            timed = self._bench.retime(self._task, [candidates[e.sketch, e.index] for e in group])
            if timed[0].seconds is None:
                continue
            # The anchor's first time in turns stands for it from then on.
            reference = again.setdefault((anchor.sketch, anchor.index), timed[0].seconds)
            scale = (reference or timed[0].seconds) / timed[0].seconds
            for entry, measurement in zip(group, timed, strict=True):
                if measurement.seconds is not None:
                    seconds = scale * measurement.seconds
                    self._journal.add(replace(entry, seconds=seconds, again=True))
            self._tell(f"{self._task.label()}: {start + len(group) - 1} of {len(rest)} timed again")

    def recorded(self) -> RecordedTask:
        """Everything the journal holds of this task; times taken in turns come last and count."""
        sketches: list[RecordedSketch] = []
        for header in self._headers:
            size = int(np.prod([len(d.values) for d in header.decisions], dtype=np.int64))
            outcome = np.full(size, ILLEGAL, dtype=np.uint8)
            numbers = np.zeros((2, size), dtype=np.float32)
            sketches.append(RecordedSketch(header, outcome, numbers[0], numbers[1]))
        untuned: float | None = None
        for entry in self._entries:
            if entry.sketch < 0:
                untuned = entry.seconds
                continue
            sketch = sketches[entry.sketch]
            sketch.outcome[entry.index] = entry.outcome
            sketch.seconds[entry.index] = entry.seconds or 0.0
            sketch.cost[entry.index] = entry.cost
        return RecordedTask(TaskHeader(self._task, untuned, self._headers), tuple(sketches))

    def _entry(self, sketch: int, index: int, measurement: Measurement, cost: float) -> Entry:
        failure = measurement.failure
        outcome = 1 + FAILURE_KINDS.index(failure.kind) if failure else 0
        return Entry(self._number, sketch, index, outcome, measurement.seconds, cost)

    def _index(self, sketch: int, values: tuple[int | str, ...]) -> int:
        decisions = self._headers[sketch].decisions
        index = 0
        for decision, value in zip(decisions, values, strict=True):
            index = index * len(decision.values) + decision.values.index(value)
        return index

    @staticmethod
    def _candidate(space: Space, values: tuple[int | str, ...]) -> Candidate:
        return space.candidate({d.name: v for d, v in zip(space.decisions, values, strict=True)})
