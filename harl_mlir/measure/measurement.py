"""What a trial ends as: exactly one of a time or a named failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

FailureKind = Literal[
    "transform",
    "lower",
    "alloc_in_loop",
    "jit",
    "build_timeout",
    "run_timeout",
    "too_slow",
    "crash",
    "out_of_memory",
    "wrong_result",
    "out_of_bounds",
]
FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)


@dataclass(frozen=True)
class Failure:
    """Why a candidate has no time."""

    kind: FailureKind
    message: str


@dataclass(frozen=True)
class Measurement:
    """A time or a failure.

    Attributes:
        seconds: median time of one call, or None if it failed.
        best: least time of one call, or None.
        samples: number of samples behind `seconds`.
        failure: the reason there is no time, or None.
        build_seconds: wall time of transform, lowering and JIT together, as far as they came.
        times: seconds of one call in each sample behind `seconds`; only careful timing keeps them.
    """

    seconds: float | None = None
    best: float | None = None
    samples: int = 0
    failure: Failure | None = None
    build_seconds: float = 0.0
    times: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.failure is None):
            raise ValueError("a measurement is exactly one of a time or a failure")

    @property
    def ok(self) -> bool:
        """Whether there is a time."""
        return self.failure is None


def failed(kind: FailureKind, message: str, build_seconds: float = 0.0) -> Measurement:
    """A measurement that ended in a failure."""
    return Measurement(failure=Failure(kind, message), build_seconds=build_seconds)
