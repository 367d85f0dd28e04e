"""Recorded spaces: every candidate of declared value lists with its time or failure, in one small file.

A file is a NumPy archive. `header` is JSON: format version, name, environment, and for each task its
plain data, the untuned kernel's time, and each sketch's name, version and declared decisions, and the names
of the failure kinds. For sketch j
of task i, `i.j.outcome` (uint8), `i.j.seconds` and `i.j.cost` (float32) hold a number for every element of
the product of its value lists, the last decision varying fastest: the outcome is 0 for a time, 1 + n for the
nth failure kind, 255 for what the sketch's constraint excludes; `cost` is the wall time of the trial.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.errors import InputError, Place
from harl_mlir.measure.measurement import FAILURE_KINDS, FailureKind, Measurement, failed
from harl_mlir.processor import Processor
from harl_mlir.records.record import Environment
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

FORMAT = 1
ILLEGAL = 255
_ROUNDING = 1 << 11
"""float32 keeps 12 bits of its fraction, a relative error of 1e-4: the rest is noise that costs space."""


@dataclass(frozen=True)
class SketchHeader:
    """A sketch's declared value lists."""

    name: str
    version: int
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class TaskHeader:
    """A task, the time of its untuned kernel, and the sketches recorded."""

    task: Task
    untuned_seconds: float | None
    sketches: tuple[SketchHeader, ...]


@dataclass(frozen=True)
class Header:
    """What a file says of itself; `processor` is missing in the oldest files."""

    format: int
    name: str
    environment: Environment
    tasks: tuple[TaskHeader, ...]
    failures: tuple[FailureKind, ...] = FAILURE_KINDS
    processor: Processor | None = None


@dataclass(frozen=True, eq=False)
class RecordedSketch:
    """One sketch's outcomes; arrays as in the file."""

    header: SketchHeader
    outcome: NDArray[np.uint8]
    seconds: NDArray[np.float32]
    cost: NDArray[np.float32]

    @cached_property
    def space(self) -> Space:
        """The declared sub-space, legal where it was when it was recorded."""
        header = self.header
        return Space(header.name, header.version, header.decisions, self._is_legal)

    def index(self, values: Mapping[str, Value]) -> int | None:
        """Where an assignment stands in the arrays, or None if it is not of the lists."""
        index = 0
        for decision, places in zip(self.header.decisions, self._places, strict=True):
            place = places.get(values[decision.name])
            if place is None:
                return None
            index = index * len(places) + place
        return index

    @cached_property
    def _places(self) -> list[dict[Value, int]]:
        return [{value: i for i, value in enumerate(d.values)} for d in self.header.decisions]

    def _is_legal(self, values: Mapping[str, Value]) -> bool:
        index = self.index(values)
        return index is not None and bool(self.outcome[index] != ILLEGAL)


@dataclass(frozen=True, eq=False)
class RecordedTask:
    """A task with every outcome of its declared sub-spaces."""

    header: TaskHeader
    sketches: tuple[RecordedSketch, ...]
    failures: tuple[FailureKind, ...] = FAILURE_KINDS
    processor: Processor | None = None
    accuracy: Accuracy = DEFAULT_ACCURACY

    @property
    def task(self) -> Task:
        """The task."""
        return self.header.task

    @cached_property
    def spaces(self) -> tuple[Space, ...]:
        """The declared sub-spaces, with the loop nests that the sketches know of today."""
        offered = () if self.processor is None else sketches_for(self.task, self.processor, self.accuracy)
        known = {(space.sketch, space.version): space.nests for space in offered}
        recorded = [sketch.space for sketch in self.sketches]
        return tuple(replace(s, nests=known.get((s.sketch, s.version))) for s in recorded)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Every recorded time."""
        return np.concatenate([s.seconds[s.outcome == 0] for s in self.sketches]).astype(np.float64)

    @property
    def best_seconds(self) -> float:
        """The least recorded time."""
        return float(self.times.min())

    @property
    def points(self) -> int:
        """How many candidates are legal."""
        return int(sum((s.outcome != ILLEGAL).sum() for s in self.sketches))

    @property
    def share_near_best(self) -> float:
        """Share of the legal candidates within 5 % of the best throughput: how hard the space is."""
        return float((self.times <= self.best_seconds / 0.95).sum()) / self.points

    def trial(self, candidate: Candidate) -> tuple[Measurement, float]:
        """What measuring the candidate gave, and what it cost in seconds.

        Raises:
            KeyError: the candidate was not recorded.
        """
        for sketch in self.sketches:
            if sketch.space.is_legal(candidate):
                index = sketch.index(candidate.assignment)
                assert index is not None
                cost, outcome = float(sketch.cost[index]), int(sketch.outcome[index])
                if outcome:
                    return failed(self.failures[outcome - 1], "as recorded"), cost
                seconds = float(sketch.seconds[index])
                return Measurement(seconds=seconds, best=seconds, samples=1), cost
        raise KeyError(candidate)


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded space: one task, or the tasks of a weighted program."""

    header: Header
    tasks: tuple[RecordedTask, ...]
    digest: str = ""

    @property
    def name(self) -> str:
        """Its name in tables."""
        return self.header.name

    @property
    def best_seconds(self) -> float:
        """The least time of the whole program."""
        return sum(task.task.weight * task.best_seconds for task in self.tasks)


def encode(recording: Recording) -> bytes:
    """The bytes of a file; equal recordings have equal bytes."""
    arrays: dict[str, NDArray[Any]] = {
        "header": np.frombuffer(msgspec.json.encode(recording.header), dtype=np.uint8)
    }
    for i, task in enumerate(recording.tasks):
        for j, sketch in enumerate(task.sketches):
            arrays[f"{i}.{j}.outcome"] = sketch.outcome
            arrays[f"{i}.{j}.seconds"] = _rounded(sketch.seconds)
            arrays[f"{i}.{j}.cost"] = _rounded(sketch.cost)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            held = io.BytesIO()
            np.lib.format.write_array(held, array, allow_pickle=False)
            # A fixed date: the file depends on nothing but what was recorded.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), held.getvalue(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def load(path: Path) -> Recording:
    """Read a file.

    Raises:
        InputError: it is missing, or no recorded space of this format.
    """
    place = Place(str(path))
    try:
        data = path.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            header = msgspec.json.decode(archive["header"].tobytes(), type=Header)
            if header.format != FORMAT:
                raise InputError(
                    f"it has format {header.format}, this program reads {FORMAT}; record it again", place
                )
            tasks = tuple(_task(i, header, archive) for i in range(len(header.tasks)))
    except FileNotFoundError:
        raise InputError("there is no such recorded space; check the name", place) from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise InputError(
            f"this is no recorded space ({error}); record one with record-space", place
        ) from error
    return Recording(header, tasks, hashlib.sha256(data).hexdigest()[:16])


def _task(number: int, header: Header, archive: Mapping[str, NDArray[Any]]) -> RecordedTask:
    sketches: list[RecordedSketch] = []
    for j, sketch in enumerate(header.tasks[number].sketches):
        arrays = [archive[f"{number}.{j}.{name}"] for name in ("outcome", "seconds", "cost")]
        size = math.prod(len(decision.values) for decision in sketch.decisions)
        if any(array.shape != (size,) for array in arrays):
            raise ValueError(f"sketch {sketch.name} does not have {size} candidates")
        outcome, seconds, cost = arrays
        sketches.append(RecordedSketch(sketch, outcome.astype(np.uint8), seconds, cost))
    accuracy = header.environment.accuracy
    return RecordedTask(header.tasks[number], tuple(sketches), header.failures, header.processor, accuracy)


def _rounded(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    bits = numbers.astype(np.float32).view(np.uint32).astype(np.uint64) + _ROUNDING // 2
    return (bits // _ROUNDING * _ROUNDING).astype(np.uint32).view(np.float32)
