"""`harl-mlir time`: how fast a kernel's functions are, untuned and with a schedule library."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harl_mlir.cli.numbers import duration, first_line, gflops, plain
from harl_mlir.cli.refusals import nothing_matched
from harl_mlir.cli.terminal import Outcome, Terminal, skipped_objects
from harl_mlir.errors import InputError, Place
from harl_mlir.files import read_mlir
from harl_mlir.measure.measurement import Measurement
from harl_mlir.measure.pool import Pool
from harl_mlir.tasks.task import Task
from harl_mlir.tuner.plan import no_function


@dataclass(frozen=True)
class _Row:
    """One timed version of one function."""

    task: Task
    tuned: bool
    measurement: Measurement

    @property
    def gflops(self) -> float | None:
        return gflops(self.task.flops, self.measurement.seconds)


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Time every function; with a library its versions are timed in turns."""
    file = str(options.kernel)
    kernel = read_mlir(options.kernel)
    library = read_mlir(options.library) if options.library else None
    with Pool(accuracy=options.accuracy, threads=options.threads) as pool:
        found = pool.functions(kernel, file, options.function, dict(options.shape))
        tasks = found.tasks
        if not tasks:
            raise no_function(found, file)
        tuned = _matched(options, kernel, library, tasks, pool)
        peak = options.threads * pool.peak() / 1e9
        peaks = {"f32": peak}
        if any(_element(task) == "f64" for task in tasks):
            peaks["f64"] = options.threads * pool.peak("f64") / 1e9
        cores = "this core" if options.threads == 1 else f"{options.threads} cores"
        terminal.result(f"FMA peak of {cores}: {peak:.1f} GFLOP/s (f32)")
        rows: list[_Row] = []
        for task in tasks:
            timed = _time(task, library if task.function in tuned else None, pool)
            for row in timed:
                terminal.result(_line(row, peaks))
            rows += timed
        for skipped in found.skipped:
            terminal.result(f"left out: {skipped.op} at {skipped.place}: {skipped.reason}")
    _refuse_if_nothing_ran(rows, file)
    return Outcome(
        fields={
            "functions": [_object(row) for row in rows],
            "peak_gflops": peak,
            "skipped": skipped_objects(found.skipped),
        }
    )


def _matched(
    options: Namespace, kernel: str, library: str | None, tasks: tuple[Task, ...], pool: Pool
) -> set[str]:
    """The functions in which the library schedules at least one op."""
    if library is None:
        return set()
    file, name, shapes = str(options.kernel), str(options.library), dict(options.shape)
    functions = {
        task.function
        for task in tasks
        if any(op.matched for op in pool.apply(kernel, file, library, task.function, shapes, name).outcomes)
    }
    if not functions:
        raise nothing_matched(options.kernel, options.library)
    return functions


def _time(task: Task, library: str | None, pool: Pool) -> list[_Row]:
    versions = [None] if library is None else [None, library]
    times = pool.retime(task, versions)
    return [_Row(task, version is not None, time) for version, time in zip(versions, times, strict=True)]


def _refuse_if_nothing_ran(rows: list[_Row], file: str) -> None:
    failures = [row.measurement.failure for row in rows]
    if rows and all(failures) and failures[0] is not None:
        reason = first_line(failures[0].message)
        raise InputError(
            f"no function of it could be timed ({failures[0].kind}: {reason}); check the kernel", Place(file)
        )


def _element(task: Task) -> str:
    return task.anchor_op.init.element


def _line(row: _Row, peaks: Mapping[str, float]) -> str:
    name = f"{row.task.function} ({'tuned' if row.tuned else 'untuned'})"
    failure = row.measurement.failure
    if failure is not None:
        return f"{name}: {failure.kind}: {first_line(failure.message)}"
    peak = peaks.get(_element(row.task))
    share = f", {100 * row.gflops / peak:.1f} % of peak" if row.gflops and peak else ""
    return (
        f"{name}: median {duration(row.measurement.seconds)}, best {duration(row.measurement.best)}, "
        f"{plain(row.gflops)} GFLOP/s{share}"
    )


def _object(row: _Row) -> dict[str, Any]:
    return {
        "name": row.task.function,
        "seconds_median": row.measurement.seconds,
        "seconds_best": row.measurement.best,
        "gflops": row.gflops,
        "tuned": row.tuned,
    }
