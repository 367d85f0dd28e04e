"""`harl-mlir reproduce`: a record as a directory that runs with MLIR's tools alone."""

from __future__ import annotations

import shlex
from argparse import Namespace

from harl_mlir import __version__
from harl_mlir.cli.records import here, open_database, outcome_of
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.errors import InputError, Place
from harl_mlir.explain.spaces import space_of
from harl_mlir.files import OutputDirectory
from harl_mlir.measure.pool import Pool
from harl_mlir.records.database import Database
from harl_mlir.records.find import find_record
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.reproduce.directory import RUN, readme_text, run_text
from harl_mlir.tasks.task import Task


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Write the directory."""
    with open_database(options.db) as database:
        record = find_record(database, options.record, here())
        task = _task(database, record)
    directory = OutputDirectory(options.output, "-o")
    candidate = None if record.candidate == UNTUNED else record.candidate
    with Pool(accuracy=record.environment.accuracy) as pool:
        program = pool.reproduce(task, candidate, record.measurement.seconds)
    words = ["harl-mlir", "reproduce", options.record, *(("--db", str(options.db)) if options.db else ())]
    files = {"kernel.mlir": program.kernel}
    if program.schedule is not None:
        files["schedule.mlir"] = program.schedule
    files[RUN] = run_text(record, program)
    files["README.txt"] = readme_text(task, record, __version__, shlex.join([*words, "-o", "DIR"]))
    written = directory.write(files, programs=(RUN,))
    terminal.result(f"record {record.number}, {task.label()}: {outcome_of(record)}")
    for path in written:
        terminal.result(f"wrote {path}")
    terminal.result(f"to run it with MLIR 22's tools: {shlex.quote(str(options.output / RUN))}")
    return Outcome(fields={"record": record.number, "written": [str(path) for path in written]})


def _task(database: Database, record: Record) -> Task:
    """The record's task, whose schedule this version must be able to make."""
    place = Place(str(database.path))
    candidate = record.candidate
    if candidate.sketch.startswith("script-"):
        raise InputError(
            f"record {record.number} is of a script of the user's own, which the database does not hold; run "
            "mlir-opt with that script, or give another record",
            place,
        )
    task = database.task(record.task)
    if task is None:
        raise InputError(
            f"the database holds no facts of the task of record {record.number}; tune the kernel again", place
        )
    space = space_of(task, candidate.sketch, candidate.version, record.environment)
    # Values that are legal no more are made into a schedule all the same: they may be what failed.
    names = [name for name, _ in candidate.values]
    if candidate != UNTUNED and (space is None or names != [d.name for d in space.decisions]):
        raise InputError(
            f"record {record.number} is of sketch {candidate.sketch} {candidate.version}, of which this "
            "version makes other schedules; tune the kernel again",
            place,
        )
    return task
