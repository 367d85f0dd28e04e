"""What is learned from: the records of a database as rows of features, a group a task."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harl_mlir.lab.recorded import ILLEGAL, RecordedTask
from harl_mlir.measure.measurement import Measurement
from harl_mlir.processor import Processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment
from harl_mlir.search.features import Rows, SpaceFeatures
from harl_mlir.search.lattice import Lattice
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

LEAST_RECORDS = 16
"""Fewer candidates of a task say little about their order."""


@dataclass(frozen=True, eq=False)
class TaskRecords:
    """Measured candidates of one task in one environment.

    Attributes:
        spaces: those of today's sketches that know their loop nests.
        rows: the columns of the loop nests, a row a candidate.
        relative: throughput as a part of the best of the task; 0 for a failure.
    """

    task: Task
    spaces: tuple[Space, ...]
    rows: Rows
    relative: NDArray[np.float32]


@dataclass(frozen=True)
class TrainingSet:
    """The usable records of a database.

    Attributes:
        held_out: labels of the tasks that were skipped because they are held out.
        agents: how many of the records each agent proposed.
        skipped: why other tasks were skipped: the number of tasks by reason.
    """

    tasks: tuple[TaskRecords, ...]
    held_out: tuple[str, ...]
    agents: Mapping[str, int]
    skipped: Mapping[str, int]

    @property
    def records(self) -> int:
        """How many candidates there are."""
        return sum(len(task.relative) for task in self.tasks)

    @property
    def keys(self) -> list[str]:
        """The workload keys that are trained on, sorted."""
        return sorted({task.task.key for task in self.tasks})

    @property
    def digest(self) -> str:
        """SHA-256 of the keys, one a line."""
        return hashlib.sha256("".join(f"{key}\n" for key in self.keys).encode()).hexdigest()


def read_training_set(
    database: Database, processor: Processor, held_out: Mapping[str, object]
) -> TrainingSet:
    """The records of `database` made on `processor` whose workload is not held out.

    Only trials count, the newest of each candidate, of sketches as they are today.
    """
    here = [e for e in database.environments() if e.processor == processor.name]
    tasks: list[TaskRecords] = []
    held: list[str] = []
    agents: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for task in database.tasks():
        if task.key in held_out:
            held.append(task.label())
            continue
        found = [read for e in here if (read := _read_task(database, task, e, processor, agents))]
        tasks += found
        if not found:
            skipped[f"fewer than {LEAST_RECORDS} usable records on this processor"] += 1
    return TrainingSet(tuple(tasks), tuple(held), agents, skipped)


def _read_task(
    database: Database, task: Task, environment: Environment, processor: Processor, agents: Counter[str]
) -> TaskRecords | None:
    spaces = sketches_for(task, processor, environment.accuracy, environment.threads)
    newest = {r.candidate: r for r in database.records(task.key, environment) if r.stage == "trial"}
    records = group(task, spaces, {candidate: r.measurement for candidate, r in newest.items()})
    if records is not None:
        agents.update(record.agent for record in newest.values())
    return records


def group(
    task: Task, spaces: Sequence[Space], measured: Mapping[Candidate, Measurement]
) -> TaskRecords | None:
    """The candidates of spaces with loop nests; None if too few of them, or all failed."""
    known = tuple(space for space in spaces if space.nests is not None)
    rows: list[Rows] = []
    throughputs: list[float] = []
    for space in known:
        lattice = Lattice(space)
        states = {state: m for c, m in measured.items() if (state := lattice.state(c)) is not None}
        if states:
            rows.append(SpaceFeatures(task, space).nest_rows(lattice.rows(states)))
            throughputs += [1 / m.seconds if m.seconds else 0.0 for m in states.values()]
    best = max(throughputs, default=0.0)
    if len(throughputs) < LEAST_RECORDS or not best:
        return None
    return TaskRecords(task, known, np.concatenate(rows), (np.array(throughputs) / best).astype(np.float32))


def recorded_group(recorded: RecordedTask) -> TaskRecords | None:
    """Every candidate of a recorded task; None if its sketches do not know their nests today."""
    rows: list[Rows] = []
    throughputs: list[NDArray[np.float64]] = []
    for sketch, space in zip(recorded.sketches, recorded.spaces, strict=True):
        if space.nests is None:
            return None
        legal = np.flatnonzero(sketch.outcome != ILLEGAL)
        sizes = [len(decision.values) for decision in space.decisions]
        states = np.stack(np.unravel_index(legal, sizes), axis=1)
        rows.append(SpaceFeatures(recorded.task, space).nest_rows(states))
        works = sketch.outcome[legal] == 0
        seconds = np.where(works, sketch.seconds[legal], np.inf).astype(np.float64)
        throughputs.append(1 / seconds)
    relative = np.concatenate(throughputs)
    return TaskRecords(
        recorded.task,
        recorded.spaces,
        np.concatenate(rows),
        (relative / relative.max()).astype(np.float32),
    )
