"""The builder's process: `python -m harl_mlir.integrations.torch.build DIRECTORY`.

Reads `kernel.mlir` and `options.json`, tunes or looks up, and writes `kernel.so` and `built.json`, or
`refusal.txt` where that is not possible. It imports neither torch nor MLIR.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from harl_mlir.codegen.interface import CFunction
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import HarlError, NothingToTuneError
from harl_mlir.export.link import link_shared
from harl_mlir.files import default_database, read_mlir
from harl_mlir.integrations.torch.options import Options
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.worker import die_with
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import this_environment
from harl_mlir.settings import Settings
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import recorded_spaces, sketches_for
from harl_mlir.tasks.task import Task
from harl_mlir.tuner import Request, tune_with
from harl_mlir.tuner.remembered import best_recorded

KERNEL = "kernel.mlir"
_ARENA = Path(__file__).with_name("arena.c")


class BuiltTask(msgspec.Struct, frozen=True):
    """How a task of a graph is computed.

    Attributes:
        key, label: see `harl_mlir.tasks.task.Task`.
        weight: how often it occurs.
        sketch: of its schedule; None where it is left as it was.
        seconds: of one call, where it was measured now.
    """

    key: str
    label: str
    weight: int
    sketch: str | None
    seconds: float | None


class Built(msgspec.Struct, frozen=True):
    """What is beside the shared library of a graph."""

    function: CFunction
    tasks: tuple[BuiltTask, ...]
    library: str


def main(arguments: list[str]) -> int:
    """Build one graph."""
    die_with(os.getppid())
    directory = Path(arguments[0])
    data = (directory / "options.json").read_bytes()
    options = msgspec.json.decode(data, type=Options, dec_hook=lambda kind, value: kind(value))
    try:
        built = build(directory, options)
    except HarlError as error:
        (directory / "refusal.txt").write_text(error.message, encoding="utf-8")
        return 0
    (directory / "built.json").write_bytes(msgspec.json.encode(built))
    return 0


def build(directory: Path, options: Options) -> Built:
    """Choose schedules, compile and link `kernel.mlir` in `directory`. Raises HarlError."""
    kernel = directory / KERNEL
    with Pool(accuracy=options.accuracy, threads=options.threads) as pool:
        pool.start()
        library, tasks = _schedules(kernel, options, pool)
        compiled = pool.compile(read_mlir(kernel), KERNEL, library, threads=options.threads)
    link_shared(compiled.object, directory / "kernel.so", source=_ARENA)
    (function,) = compiled.functions
    return Built(function, tasks, library)


def _schedules(kernel: Path, options: Options, pool: Pool) -> tuple[str, tuple[BuiltTask, ...]]:
    if options.library is not None:
        return read_mlir(options.library), ()
    if options.measures:
        with suppress(NothingToTuneError):
            return _tuned(kernel, options, pool)
    return _looked_up(kernel, options, pool)


def _tuned(kernel: Path, options: Options, pool: Pool) -> tuple[str, tuple[BuiltTask, ...]]:
    settings = Settings(
        agent=options.agent,
        trials=options.most_trials,
        seconds=options.most_seconds,
        threads=options.threads,
        accuracy=options.accuracy,
    )
    library = kernel.with_name("library.mlir")
    database = options.database or default_database()
    result = tune_with(pool, Request(kernel, library, database, settings=settings))
    if result.error is not None:
        raise result.error
    tasks = tuple(
        BuiltTask(
            found.task.key,
            found.task.label(),
            found.task.weight,
            found.chosen.sketch if found.chosen else None,
            found.best_seconds,
        )
        for found in result.tasks
    )
    return read_mlir(library), tasks


def _looked_up(kernel: Path, options: Options, pool: Pool) -> tuple[str, tuple[BuiltTask, ...]]:
    """The fastest recorded schedule of each task, or the default one where there is none."""
    path = options.database or default_database()
    if not path.exists():
        return _chosen(kernel, options, pool, None)
    with closing(Database(path)) as database:
        return _chosen(kernel, options, pool, database)


def _chosen(
    kernel: Path, options: Options, pool: Pool, database: Database | None
) -> tuple[str, tuple[BuiltTask, ...]]:
    processor = this_processor()
    environment = this_environment(processor, options.threads, LOWERING_VERSION, options.accuracy)
    entries: list[tuple[Task, Candidate]] = []
    tasks: list[BuiltTask] = []
    for task in pool.analyse(read_mlir(kernel), KERNEL).tasks:
        spaces = sketches_for(task, processor, options.accuracy, options.threads)
        known = recorded_spaces(task, processor, options.accuracy, options.threads)
        records = database.records(task.key, environment) if database else []
        chosen = best_recorded(records, known) if records else None
        if chosen is None and spaces and not any(r.measurement.seconds for r in records):
            default = spaces[0].default()
            chosen = None if pool.verify(task, default) else default
        if chosen is not None:
            entries.append((task, chosen))
        tasks.append(BuiltTask(task.key, task.label(), task.weight, chosen.sketch if chosen else None, None))
    return pool.library(entries), tuple(tasks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
