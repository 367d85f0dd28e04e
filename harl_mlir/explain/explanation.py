"""One schedule explained: its loops, its choices, and what is known of the choices beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.explain.costs import Neighbour, neighbours, newest_trials
from harl_mlir.explain.nest import Line, nest_lines
from harl_mlir.explain.spaces import candidate_of, space_of
from harl_mlir.measure.measurement import Failure
from harl_mlir.records.record import UNTUNED, Environment, Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.nest.space import NestDecision
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

_UNKNOWN = "its loops and legal values are not known:"


@dataclass(frozen=True)
class Choice:
    """A decision as it was made.

    Attributes:
        meaning: what is chosen, in a line; empty where the sketch is not known.
        legal: the values it may have while the others stay; None where they are not known, or are no list.
        near: how many legal nests are one move away, of a nest.
        neighbours: what was measured of other values.
    """

    name: str
    value: Value
    meaning: str
    legal: tuple[Value, ...] | None
    near: int | None
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Explanation:
    """A schedule for a task.

    Attributes:
        label: the task for people; its workload key where nothing else is known of it.
        record: what was measured of it, the one that was asked for or the one that decided.
        untuned_seconds: the newest time of the kernel without a schedule.
        missing: what is not known and why, a sentence; or empty.
        others: records of the same task, newest first, for going on from here.
    """

    key: str
    label: str
    flops: int
    candidate: Candidate
    record: Record | None
    untuned_seconds: float | None
    nest: tuple[Line, ...]
    choices: tuple[Choice, ...]
    missing: str
    others: tuple[Record, ...]

    @property
    def seconds(self) -> float | None:
        """Its time, or None."""
        return self.record.measurement.seconds if self.record else None

    @property
    def failure(self) -> Failure | None:
        """Why it has no time, where it was tried."""
        return self.record.measurement.failure if self.record else None


def explain(
    key: str,
    label: str,
    candidate: Candidate,
    task: Task | None,
    environment: Environment,
    records: Sequence[Record],
    record: Record | None = None,
) -> Explanation:
    """Explain a candidate for the task of the workload key `key`.

    Args:
        key, label: of the task; the label is used where `task` is not known.
        candidate: what was chosen; its values may be in another order than the sketch's.
        task: its facts, without which there are no loops and no legal values.
        environment: that of the records.
        records: all of the task in that environment, oldest first.
        record: the one asked for; else the candidate's last of the finals, or of the trials.
    """
    space = space_of(task, candidate.sketch, candidate.version, environment) if task else None
    legal = candidate_of(space, candidate.assignment) if space else None
    chosen = legal or _as_recorded(candidate, records)
    trials = newest_trials(records)
    decisions = {decision.name: decision for decision in space.decisions} if space and legal else {}
    untuned = [r.measurement.seconds for r in records if r.stage == "untuned" and r.measurement.seconds]
    return Explanation(
        key=key,
        label=task.label() if task else label,
        flops=task.flops if task else 0,
        candidate=chosen,
        record=record or _last(chosen, records),
        untuned_seconds=untuned[-1] if untuned else None,
        nest=nest_lines(task, space, legal) if task and space and legal else (),
        choices=tuple(_choice(chosen, name, decisions.get(name), space, trials) for name, _ in chosen.values),
        missing=_missing(task, space, legal, chosen),
        others=tuple(reversed(records)),
    )


def _as_recorded(candidate: Candidate, records: Sequence[Record]) -> Candidate:
    """The candidate with its values in the order in which records have them."""
    for record in records:
        other = record.candidate
        if (other.sketch, other.version, other.assignment) == (
            candidate.sketch,
            candidate.version,
            candidate.assignment,
        ):
            return other
    return candidate


def _last(candidate: Candidate, records: Sequence[Record]) -> Record | None:
    mine = [record for record in records if record.candidate == candidate]
    finals = [record for record in mine if record.stage == "final"]
    return next(reversed(finals or mine), None)


def _choice(
    candidate: Candidate,
    name: str,
    decision: Decision | None,
    space: Space | None,
    trials: dict[Candidate, Record],
) -> Choice:
    legal: tuple[Value, ...] | None = None
    near: int | None = None
    if isinstance(decision, NestDecision):
        near = len(decision.neighbours(candidate[name]))
    elif decision is not None and space is not None:
        others = ((v, space.candidate({**candidate.assignment, name: v})) for v in decision.values)
        legal = tuple(value for value, other in others if space.is_legal(other))
    meaning = decision.meaning if decision else ""
    return Choice(name, candidate[name], meaning, legal, near, neighbours(candidate, name, decision, trials))


def _missing(task: Task | None, space: Space | None, legal: Candidate | None, candidate: Candidate) -> str:
    if candidate.sketch == UNTUNED.sketch:
        return "this is the kernel without a schedule, in which nothing is chosen"
    if candidate.sketch.startswith("script-"):
        return "this is a script of the user's own, of which only the choices are known"
    if task is None:
        return f"{_UNKNOWN} the database has no facts of this task; name the kernel with --kernel"
    if space is None:
        sketch = f"{candidate.sketch} {candidate.version}"
        return f"{_UNKNOWN} this version has no sketch {sketch} for it; tune the kernel again"
    if not candidate.values:
        return f"{_UNKNOWN} the library is of a version that did not keep them; tune the kernel again"
    if legal is None:
        return f"{_UNKNOWN} this version does not offer these choices; tune the kernel again"
    return ""
