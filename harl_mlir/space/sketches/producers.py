"""Producers of a contraction: each computed before it, or where the contraction reads what it makes.

The sketches of contractions are offered as for the contraction alone. Computed before it, a producer is
scheduled as a task of its own, by the default of its sketch, which stands in decisions with `p0_`
(operand 0) or `p1_` in front. Inside, it is computed in the copy that the contraction makes of the operand
(`pack`, `copy`), or else in registers, in each step of the contracted loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.loop_nests import Columns, Nests, NestsOf
from harl_mlir.space.sketches import contraction, reduction
from harl_mlir.space.sketches.parts import LEFT, TimesOf, prefixed, sketch_decision
from harl_mlir.space.sketches.statements import operations_of
from harl_mlir.space.space import Space
from harl_mlir.tasks.producers import Producer, core_of, producer_task, producers_of
from harl_mlir.tasks.task import Task, element_bytes

SpacesOf = Callable[[Task], Sequence[Space]]

_BEFORE, _INSIDE = "before", "inside"
_MEANING = "where what makes operand {} is computed: before the contraction, or as it is read"
_SKETCH_MEANING = "by what operand {} is made where that is done before the contraction"
_MOST_AGAIN = 12
"""Operations on each element of an operand that cost less than a pass over it."""


def decision_of(operand: int) -> str:
    """The name of the decision on what makes an operand."""
    return f"producer{operand}"


def prefix_of(operand: int) -> str:
    """What stands in front of the decisions of what makes an operand."""
    return f"p{operand}_"


def is_inside(candidate: Candidate, operand: int) -> bool:
    """Whether what makes an operand is computed as it is read."""
    return candidate.assignment.get(decision_of(operand)) == _INSIDE


def spaces(task: Task, spaces_of: SpacesOf) -> tuple[Space, ...]:
    """The choices for a contraction with producers; `spaces_of` gives those of a task without."""
    core = core_of(task)
    made = {producer: spaces_of(producer_task(task, producer)) for producer in producers_of(task)}
    return tuple(_with_producers(space, task, core, made) for space in spaces_of(core))


def _with_producers(space: Space, task: Task, core: Task, made: Mapping[Producer, Sequence[Space]]) -> Space:
    inside = {decision_of(p.operand): _inside_of(space, task, core, p) for p in made}
    defaults = space.default().assignment
    decisions = [*space.decisions]
    for producer, own in made.items():
        operand, times = producer.operand, inside[decision_of(producer.operand)]
        again = None if times is None else times(defaults)
        cost = operations_of(producer_task(task, producer))
        default = _INSIDE if again is not None and again * cost <= _MOST_AGAIN else _BEFORE
        places = (_BEFORE,) if times is None else (_BEFORE, _INSIDE)
        meaning = _MEANING.format(operand)
        decisions.append(Decision(decision_of(operand), places, default, ordered=False, meaning=meaning))
        decisions += _before(operand, own)

    def legal(values: Mapping[str, Value]) -> bool:
        asked = (times for name, times in inside.items() if values[name] == _INSIDE)
        return space.constraint(values) and all(
            times is not None and times(values) is not None for times in asked
        )

    nests = None if space.nests is None else _nests(space.nests, task, list(made), inside)
    return Space(space.sketch, space.version, tuple(decisions), legal, nests)


def _nests(
    alone: NestsOf, task: Task, producers: Sequence[Producer], inside: Mapping[str, TimesOf | None]
) -> NestsOf:
    """The contraction's nests with what its producers add: operands that are made, or computed as read."""
    made = [task.members[producer.members[-1]].op.init for producer in producers]
    costs = [operations_of(producer_task(task, producer)) for producer in producers]

    def of(columns: Columns) -> Nests:
        nests = alone(columns)
        passed, again = np.zeros(nests.count) + nests.passed, np.zeros(nests.count) + nests.again
        for producer, operand, cost in zip(producers, made, costs, strict=True):
            name, elements = decision_of(producer.operand), math.prod(operand.shape)
            is_inside = columns[name] == _INSIDE
            passed += np.where(is_inside, 0, elements * element_bytes(operand.element))
            times = inside[name]
            if times is None:
                continue
            for n in np.flatnonzero(is_inside):
                count = times({name: values[n].item() for name, values in columns.items()})
                again[n] += (count or 0) * elements * cost
        return replace(nests, passed=passed, again=again)

    return of


def _inside_of(space: Space, task: Task, core: Task, producer: Producer) -> TimesOf | None:
    if task.members[producer.members[-1]].op.is_pad:
        return None
    return contraction.inside_of(space, core, producer.operand) or reduction.inside_of(
        space, core, producer.operand
    )


def _before(operand: int, own: Sequence[Space]) -> list[Decision]:
    """How an operand is made before the contraction: by the default of the first sketch, if there is one."""
    space = next(iter(own), None)
    name, version, decisions = (
        (LEFT, 0, ()) if space is None else (space.sketch, space.version, space.decisions)
    )
    fixed = [replace(d, values=(d.default,)) for d in decisions]
    meaning = _SKETCH_MEANING.format(operand)
    prefix = prefix_of(operand)
    return [sketch_decision(prefix, name, version, meaning), *prefixed(prefix, fixed, f"operand {operand}")]
