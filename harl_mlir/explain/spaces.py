"""The space that a candidate of a record or a library belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harl_mlir.processor import Processor, this_processor, vector_unit
from harl_mlir.records.record import Environment
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Value
from harl_mlir.space.sketches import recorded_spaces
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task


def processor_of(environment: Environment) -> Processor:
    """The processor of an environment; of another one the sizes of caches are not known: ours stand in."""
    here = this_processor()
    if (here.name, here.features) == (environment.processor, environment.features):
        return here
    vector_bytes, registers = vector_unit(environment.features)
    return replace(
        here,
        name=environment.processor,
        features=environment.features,
        vector_bytes=vector_bytes,
        vector_registers=registers,
    )


def space_of(task: Task, sketch: str, version: int, environment: Environment) -> Space | None:
    """The space of a sketch on a task; None where this version of the program makes none of that name."""
    processor, accuracy = processor_of(environment), environment.accuracy
    found = recorded_spaces(task, processor, accuracy, environment.threads)
    return next((s for s in found if (s.sketch, s.version) == (sketch, version)), None)


def candidate_of(space: Space, values: Mapping[str, Value]) -> Candidate | None:
    """The legal candidate that holds `values`, in whatever order they come; None where there is none."""
    if set(values) != {decision.name for decision in space.decisions}:
        return None
    candidate = space.candidate(values)
    return candidate if space.is_legal(candidate) else None
