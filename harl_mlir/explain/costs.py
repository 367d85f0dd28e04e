"""What one step of a choice costs: the times of measured candidates that differ in exactly that choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harl_mlir.measure.measurement import FailureKind
from harl_mlir.records.record import Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.nest.space import NestDecision


@dataclass(frozen=True)
class Neighbour:
    """A measured candidate with another value of one decision.

    Attributes:
        value: that value.
        seconds: its time, or None where it failed, by `failure`.
        change: how much longer it takes, as a share of the time explained; None where a time is missing.
        record: the number of its record.
    """

    value: Value
    seconds: float | None
    change: float | None
    failure: FailureKind | None
    record: int | None


def newest_trials(records: Iterable[Record]) -> dict[Candidate, Record]:
    """The newest trial of each candidate; times of finalists were taken otherwise and are not compared."""
    return {record.candidate: record for record in records if record.stage == "trial"}


def neighbours(
    candidate: Candidate, name: str, decision: Decision | None, trials: dict[Candidate, Record]
) -> tuple[Neighbour, ...]:
    """The measured candidates that differ from `candidate` in the decision `name` alone, in its order.

    Nests all differ in the one decision there is, so of these only those a single move away count.
    """
    base = trials.get(candidate)
    seconds = base.measurement.seconds if base else None
    found = [
        _neighbour(record, name, seconds) for record in trials.values() if _differs(candidate, record, name)
    ]
    if isinstance(decision, NestDecision):
        near = set(decision.neighbours(candidate[name]))
        found = [one for one in found if one.value in near]
    if decision is not None and not isinstance(decision, NestDecision):
        place = {value: number for number, value in enumerate(decision.values)}
        found = [one for one in found if one.value in place]
        return tuple(sorted(found, key=lambda one: place[one.value]))
    return tuple(sorted(found, key=lambda one: (one.change is None, one.change or 0.0, str(one.value))))


def _differs(candidate: Candidate, record: Record, name: str) -> bool:
    """Whether a record's candidate has another value of the decision `name`, and all others alike."""
    other = record.candidate
    if (other.sketch, other.version, len(other.values)) != (
        candidate.sketch,
        candidate.version,
        len(candidate.values),
    ):
        return False
    pairs = zip(candidate.values, other.values, strict=True)
    return [mine[0] for mine, theirs in pairs if mine != theirs] == [name]


def _neighbour(record: Record, name: str, seconds: float | None) -> Neighbour:
    measurement = record.measurement
    change = measurement.seconds / seconds - 1 if measurement.seconds and seconds else None
    failure = measurement.failure.kind if measurement.failure else None
    return Neighbour(record.candidate[name], measurement.seconds, change, failure, record.number)
