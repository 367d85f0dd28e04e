"""`tune`: a kernel file in, a schedule library and a database full of measurements out."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from harl_mlir.files import Output, read_mlir
from harl_mlir.measure.pool import Pool
from harl_mlir.records.database import Database
from harl_mlir.tuner.budget import Budget
from harl_mlir.tuner.job import Job
from harl_mlir.tuner.progress import Listener, ignore
from harl_mlir.tuner.reproducer import reproducer_path, write_reproducer
from harl_mlir.tuner.request import Request
from harl_mlir.tuner.result import Result
from harl_mlir.tuner.run import Run, begun, load_policy
from harl_mlir.tuner.stopwatch import Stopwatch


def tune(request: Request, listener: Listener = ignore, elapsed: float = 0.0) -> Result:
    """Tune a kernel file and write what was found.

    A KeyboardInterrupt during the search ends it early: the best so far is written and the result's
    status is `interrupted`. If the database fails on the way, the best so far is written too, and if an
    output cannot be written, what was measured is in the result; the status of both is `error`.

    Args:
        request: the kernel, the budget, and where the results go.
        listener: told of every step; it runs in this thread.
        elapsed: seconds of the budget that were used up before this call (process start, imports).

    Raises:
        HarlError: the input, an output or the database was refused before anything was measured.
    """
    with Pool(accuracy=request.settings.accuracy, threads=request.settings.threads) as pool:
        return tune_with(pool, request, listener, elapsed)


def tune_with(pool: Pool, request: Request, listener: Listener = ignore, elapsed: float = 0.0) -> Result:
    """As `tune`, measured by a pool of the caller's, with the accuracy and threads of the settings."""
    settings = request.settings
    budget = Budget(settings.trials, settings.seconds, elapsed)
    watch = Stopwatch(elapsed)
    with watch.part("planning"):
        watch.note_reading()
        job = _read(request)
        library = Output(request.library, "--library")
        output = Output(request.output, "-o") if request.output else None
        policy = load_policy(settings)
        database = Database(request.database) if settings.trials else None
    with database or nullcontext(), begun(job, pool, database, policy, watch, listener) as run:
        run.search(budget, listener)
        written = _write(run, library, output)
        result = run.result()
        path = reproducer_path(request.database, request.kernel)
        reproducer = write_reproducer(run.plan.states, pool, path, run.recorder)
        return replace(result, written=written, reproducer=reproducer)


def _read(request: Request) -> Job:
    return Job(
        kernel=read_mlir(request.kernel),
        name=str(request.kernel),
        function=request.function,
        shapes=request.shapes,
        script=read_mlir(request.script) if request.script else None,
        script_name=str(request.script),
        tunable=request.tunable,
        settings=request.settings,
    )


def _write(run: Run, library: Output, output: Output | None) -> tuple[Path, ...]:
    """Write the outputs, and say which were written."""
    written: list[Path] = []
    with run.concluding():
        schedules = run.schedules()
        texts = [] if schedules is None else [(library, schedules)]
        if schedules is not None and output is not None:
            texts.append((output, run.module(schedules)))
        for target, text in texts:
            target.write(text)
            written.append(target.path)
            if target is library:
                run.watch.note_decided()
    return tuple(written)
