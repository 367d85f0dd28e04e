"""A record: one measurement with everything needed to know when it may be used again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.measure.measurement import Measurement
from harl_mlir.processor import Processor
from harl_mlir.space.candidate import Candidate

Stage = Literal["trial", "final", "untuned"]
"""`trial`: screened once; `final`: re-timed in turns with others; `untuned`: the kernel as it came."""

UNTUNED = Candidate("untuned", 0, ())
"""Stands for the kernel without a schedule where a record or an entry needs a candidate."""


@dataclass(frozen=True)
class Environment:
    """What a time depends on besides the candidate.

    Records of another environment are kept in the database and never used.

    Attributes:
        processor, features: see `harl_mlir.processor.Processor`.
        threads: threads the kernel ran on.
        bindings: version of the MLIR bindings' distribution.
        lowering: version of the one fixed lowering.
        accuracy: what schedules and the lowering were allowed to do to arithmetic.
    """

    processor: str
    features: tuple[str, ...]
    threads: int
    bindings: str
    lowering: int
    accuracy: Accuracy = DEFAULT_ACCURACY


@dataclass(frozen=True)
class Record:
    """A measured candidate of the task `task` (a workload key).

    `time` is the time of day in seconds since 1970 (UTC); `agent` and `seed` say who proposed it; `number`
    is what the database calls it, None before it is there.
    """

    task: str
    candidate: Candidate
    environment: Environment
    measurement: Measurement
    stage: Stage
    time: float
    agent: str
    seed: int
    number: int | None = field(default=None, compare=False)


@lru_cache(maxsize=1)
def bindings_version() -> str:
    """Version of the installed MLIR bindings, read without importing them; `missing` if there are none."""
    from importlib import metadata  # for the first record, not for every start

    try:
        return metadata.version("torch-mlir")
    except metadata.PackageNotFoundError:
        return "missing"


def this_environment(
    processor: Processor, threads: int, lowering: int, accuracy: Accuracy = DEFAULT_ACCURACY
) -> Environment:
    """The environment of measurements made by this installation on `processor`."""
    return Environment(processor.name, processor.features, threads, bindings_version(), lowering, accuracy)
