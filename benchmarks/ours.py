"""Our contenders: a case tuned by the public API into an empty database, timed as users would have it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.passes import ContenderError
from benchmarks.results import Tuned
from harl_mlir.errors import HarlError
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.clock import CAREFUL, Sampling
from harl_mlir.measure.measurement import Measurement
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.task import Task
from harl_mlir.tuner import Request, Settings, tune

UNTUNED = "untuned"
RANDOM = "random"
HARL = "harl"
AGENTS = ("default", RANDOM, HARL)
"""The contenders that are tuned, by the agent's name."""
ONE_THREAD = "harl_one_thread"
"""As `harl`, on one thread where the case has several: what these are worth. No ratio to a peer is of it."""
OURS = (UNTUNED, *AGENTS, ONE_THREAD)

UNTUNED_CAP_SECONDS = 2.0
"""A call of the untuned kernel that takes longer is given up: it is `slower than` this."""


def tune_case(case: str, kernel: str, settings: Settings, contender: str | None = None) -> Tuned:
    """Tune the kernel's text of a case from nothing; the contender is named as the agent unless it is told.

    Raises:
        HarlError: the kernel was refused, or the run could not be completed.
        KeyboardInterrupt: as usual.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.mlir"
        file.write_text(kernel, encoding="utf-8")
        started = time.monotonic()
        result = tune(
            Request(file, Path(folder) / "library.mlir", Path(folder) / "records.db", settings=settings)
        )
        seconds = time.monotonic() - started
    if result.error is not None:
        raise result.error
    if result.status == "interrupted":
        raise KeyboardInterrupt
    return Tuned(
        case,
        contender or settings.agent,
        candidates={t.task.key: t.chosen for t in result.tasks if t.chosen is not None},
        trials=sum(t.trials for t in result.tasks),
        failures=sum(sum(t.failures.values()) for t in result.tasks),
        seconds=seconds,
    )


class OurKernel:
    """A case's function with the schedules of one contender: built, checked and timed in the pool's worker.

    What is timed is the whole function with the schedule library applied, as `harl-mlir time` does.
    """

    def __init__(self, name: str, pool: Pool, function: Task, library: str | None) -> None:
        self.name = name
        self._pool = pool
        self._function = function
        self._library = library

    def sample(self) -> list[float]:
        """Seconds of one call in each sample. Raises ContenderError."""
        with named_faults():
            (measurement,) = self._pool.retime(self._function, [self._library])
        return list(_ok(measurement).times)


class TaskKernel:
    """One task with a candidate, or as it came: built, checked and timed in the pool's worker."""

    def __init__(
        self, name: str, pool: Pool, task: Task, candidate: Candidate | None, sampling: Sampling = CAREFUL
    ) -> None:
        self.name = name
        self._pool = pool
        self._task = task
        self._candidate = candidate
        self._sampling = sampling

    def sample(self) -> list[float]:
        """Seconds of one call in each sample. Raises ContenderError."""
        with named_faults():
            (measurement,) = self._pool.retime(self._task, [self._candidate], sampling=self._sampling)
        return list(_ok(measurement).times)


def whole_function(pool: Pool, kernel: str, name: str) -> Task:
    """The case's function as one task; it has no reference where not all its ops are linalg ops."""
    (function,) = pool.functions(kernel, name).tasks
    return function


def our_kernel(
    name: str, pool: Pool, kernel: str, function: Task, candidates: Mapping[str, Candidate]
) -> OurKernel:
    """A contender from the candidates that were chosen for its tasks; without any it is untuned.

    Raises:
        ContenderError: there is no such library.
    """
    if not candidates:
        return OurKernel(name, pool, function, None)
    with named_faults():
        tasks = pool.analyse(kernel, name).tasks
        entries = [(task, candidates[task.key]) for task in tasks if task.key in candidates]
        return OurKernel(name, pool, function, pool.library(entries))


def are_legal(pool: Pool, kernel: str, candidates: Mapping[str, Candidate]) -> bool:
    """Whether candidates of an earlier run are still in the spaces of the kernel's tasks."""
    tasks = {task.key: task for task in pool.analyse(kernel, "kernel").tasks}
    return all(
        key in tasks
        and any(
            s.is_legal(candidate)
            for s in sketches_for(tasks[key], this_processor(), pool.accuracy, pool.threads)
        )
        for key, candidate in candidates.items()
    )


def time_untuned(pool: Pool, function: Task) -> float | None:
    """Seconds of one call of the kernel as it is; None if it takes longer than the cap.

    Raises:
        ContenderError: it does not run.
    """
    with named_faults():
        measurement = pool.measure(function, None, cap=UNTUNED_CAP_SECONDS)
    if measurement.failure is not None and measurement.failure.kind in ("too_slow", "run_timeout"):
        return None
    return _ok(measurement).seconds


@contextmanager
def named_faults() -> Iterator[None]:
    """A fault of ours on one case must not end the run: it is named like any other failure."""
    try:
        yield
    except (WorkerError, HarlError) as error:
        raise ContenderError((str(error).strip().splitlines() or ["no message"])[-1]) from error


def _ok(measurement: Measurement) -> Measurement:
    if measurement.failure is not None:
        raise ContenderError(f"{measurement.failure.kind}: {measurement.failure.message}")
    return measurement
