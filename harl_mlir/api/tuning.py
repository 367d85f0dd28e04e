"""`tune` as a call: a kernel in, schedules out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.api.arguments import callable_or_none, name_of, path_of, seconds_of, thread_count, whole
from harl_mlir.api.database import Database
from harl_mlir.api.library import ScheduleLibrary
from harl_mlir.api.source import ArgumentShapes, Source, read_source, shapes_of
from harl_mlir.api.working import calling, worker
from harl_mlir.measure.measurement import FailureKind
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.runners import LOCAL
from harl_mlir.records.database import Database as RecordFile
from harl_mlir.search.registry import SHIPPED_WEIGHTS
from harl_mlir.settings import DEFAULT_AGENT, DEFAULT_SECONDS, DEFAULT_TRIALS, Settings
from harl_mlir.tasks.analysis import Skipped
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.job import Job
from harl_mlir.tuner.progress import Listener, ignore
from harl_mlir.tuner.result import TaskResult
from harl_mlir.tuner.run import Run, begun, load_policy
from harl_mlir.tuner.stopwatch import Spent, Stopwatch


@dataclass(frozen=True)
class Tuned:
    """What tuning a kernel gave.

    Attributes:
        library: the schedules; of no entries where none was faster than what was there.
        module: the kernel with them applied, as text.
        tasks: how each task came out: its times, the chosen candidate, the number of trials.
        skipped: the ops left as they were, and why.
        failures: how many candidates failed, by kind; their messages are in the database.
        spent: where the time went.
    """

    library: ScheduleLibrary
    module: str
    tasks: tuple[TaskResult, ...]
    skipped: tuple[Skipped, ...]
    failures: Mapping[FailureKind, int]
    spent: Spent


def tune(
    kernel: Source,
    *,
    seconds: float = DEFAULT_SECONDS,
    trials: int = DEFAULT_TRIALS,
    agent: str = DEFAULT_AGENT,
    function: str | None = None,
    shapes: ArgumentShapes | None = None,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    database: Database | str | os.PathLike[str] | None = None,
    seed: int = 0,
    threads: int = 1,
    weights: str | os.PathLike[str] | None = SHIPPED_WEIGHTS,
    check: bool = False,
    runner: str = LOCAL,
    listener: Listener | None = None,
) -> Tuned:
    """Find fast schedules for the linalg ops of a kernel by measuring them on this machine.

    Every schedule that is measured is checked against a NumPy reference first. Stored measurements of the
    same tasks are used, and every new one is stored at once.

    Args:
        kernel: MLIR text (`str`) or a file (`pathlib.Path`).
        seconds: wall time of this call, above 0; what ends first counts, the time or the trials. The default
            schedule of the first task is measured even where the time is over.
        trials: candidates measured at most, over all tasks. With 0 nothing is timed, the database is left
            alone, and every task gets its first choice, if that transforms and lowers.
        agent: the search policy: `harl`, `looptune`, a baseline, or a plug-in's.
        function: tune this function only.
        shapes: static shapes for arguments with dynamic dims, by name or number: `{"A": (512, 512)}`.
        accuracy: what may be done to arithmetic: `reassociate`, `strict` for the untuned kernel's results bit
            for bit, or another of `harl_mlir.accuracy`.
        database: where measurements are kept: an open one, or a file. None is that of the command line.
        seed: the same seed and the same measurements give the same proposals.
        threads: threads a kernel runs on; more than one need as many cores and an OpenMP runtime.
        weights: a directory of trained weights that the agent starts from; None for none.
        check: with 0 trials, call every schedule once and compare its results (what is measured always is).
        runner: who measures: `local`, or a plug-in's.
        listener: told of every step (`harl_mlir.tuner.Event`), in this thread.

    Raises:
        InputError: the kernel was refused, or nothing in it can be tuned.
        UsageError: an argument is out of its range.
        DatabaseError: the database cannot be used; what was measured until then is in it.
        KeyboardInterrupt: as always; what was measured until then is in the database (`Database.best`).
    """
    source = read_source(kernel, "kernel")
    callable_or_none("listener", listener)
    with calling():
        settings = Settings(
            agent=agent,
            trials=whole("trials", trials),
            seconds=seconds_of(seconds),
            threads=thread_count(threads),
            seed=whole("seed", seed),
            weights=None if weights is None else path_of("weights", weights),
            accuracy=accuracy,
            check=check,
            runner=runner,
        )
        job = Job(
            source.text, source.name, name_of("function", function), shapes_of(shapes), settings=settings
        )
    budget, watch, told = Budget(settings.trials, settings.seconds, 0.0), Stopwatch(), listener or ignore
    watch.note_reading()
    with (
        calling(),
        _records(database, used=settings.trials > 0) as records,
        worker(accuracy, settings.threads) as pool,
        begun(job, pool, records, load_policy(settings), watch, told) as run,
    ):
        run.search(budget, told)
        if run.interrupted:
            raise KeyboardInterrupt
        if run.error is not None:
            raise run.error
        return _tuned(run, pool, watch)


def _tuned(run: Run, pool: Pool, watch: Stopwatch) -> Tuned:
    """What a search that was not cut short found, with its best schedules applied to the kernel."""
    with watch.part("writing"):
        library = run.schedules()
        assert library is not None  # only runs that ended early, or were of a script, have none
        watch.note_decided()
        module = run.module(library)
    result = run.result()
    return Tuned(
        library=ScheduleLibrary._known(library, pool.inspect(library)),
        module=module,
        tasks=result.tasks,
        skipped=result.skipped,
        failures=result.failures,
        spent=result.spent,
    )


@contextmanager
def _records(given: Database | str | os.PathLike[str] | None, *, used: bool) -> Iterator[RecordFile | None]:
    """The records to use: those of an open database stay open."""
    if not used:
        yield None
    elif isinstance(given, Database):
        yield given.file
    else:
        with Database(given) as opened:
            yield opened.file
