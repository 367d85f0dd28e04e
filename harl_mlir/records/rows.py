"""Records, tasks and environments as rows of the database, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from harl_mlir.measure.measurement import Failure, FailureKind, Measurement
from harl_mlir.records.record import Environment, Record, Stage
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task


def row_of(record: Record, environment: int | None) -> tuple[Any, ...]:
    """A record as a row of `record`, its task and environment by their keys."""
    measurement, candidate = record.measurement, record.candidate
    failure = measurement.failure
    return (
        record.task,
        environment,
        record.stage,
        candidate.sketch,
        candidate.version,
        msgspec.json.encode(candidate.values).decode(),
        measurement.seconds,
        measurement.best,
        measurement.samples,
        failure.kind if failure else None,
        failure.message if failure else None,
        measurement.build_seconds,
        record.time,
        record.agent,
        record.seed,
    )


def record_of(task: str, environment: Environment, row: tuple[Any, ...]) -> Record:
    """The record of a row, its number last."""
    sketch, version, choices, seconds, best, samples, kind, message, build, *about = row
    stage, when, agent, seed, number = about
    values = msgspec.json.decode(choices, type=tuple[tuple[str, int | str], ...])
    failure = None if kind is None else Failure(cast(FailureKind, kind), message or "")
    return Record(
        task=task,
        candidate=Candidate(sketch, version, values),
        environment=environment,
        measurement=Measurement(seconds, best, samples, failure, build),
        stage=cast(Stage, stage),
        time=when,
        agent=agent,
        seed=seed,
        number=number,
    )


def task_of(facts: str) -> Task:
    """A task from its facts as JSON. Raises ValueError or msgspec.ValidationError for damaged ones."""
    task = msgspec.json.decode(facts, type=Task)
    if not all(0 <= member < len(task.members) for member in (task.anchor, *task.results)):
        raise ValueError("a member that is none")
    return task


def environment_of(row: Sequence[Any]) -> Environment:
    """The environment of a row."""
    name, features, *rest = row
    return Environment(name, tuple(features.split()), *rest)
