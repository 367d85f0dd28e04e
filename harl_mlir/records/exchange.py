"""Measurements as lines of JSON, to carry them from one database to another.

The first line is `{"harl_mlir_records": 1}`. Then, for each task, a line `{"task": ...}` with its facts and
lines `{"record": ...}`, oldest first within an environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from harl_mlir.errors import InputError, Place
from harl_mlir.records.database import Database
from harl_mlir.records.record import Record
from harl_mlir.tasks.task import Task

_VERSION = 1


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    harl_mlir_records: int | None = None
    task: Task | None = None
    record: Record | None = None


_decode = msgspec.json.Decoder(_Line).decode


def lines_of(database: Database) -> Iterator[bytes]:
    """The measurements of all tasks whose facts the database holds, a line each."""
    yield _encoded(_Line(harl_mlir_records=_VERSION))
    environments = database.environments()
    for task in database.tasks():
        yield _encoded(_Line(task=task))
        for environment in environments:
            for record in database.records(task.key, environment):
                yield _encoded(_Line(record=replace(record, number=None)))


def add_lines(database: Database, lines: Iterable[bytes], file: str) -> int:
    """Add the measurements of `lines` that the database does not hold yet; `file` is their name in messages.

    Returns:
        How many were added. Nothing is if a line is refused.

    Raises:
        InputError: a line is none of these, or of another version.
    """
    tasks, records = dict[str, Task](), dict[Record, None]()
    for number, line in enumerate(lines, start=1):
        read = _read(line, Place(file, number), first=number == 1)
        if read.task is not None:
            tasks[read.task.key] = read.task
        if read.record is not None:
            if read.record.task not in tasks:
                raise InputError("this record comes before its task; export again", Place(file, number))
            records[read.record] = None
    held = {
        record
        for key, environment in {(r.task, r.environment): None for r in records}
        for record in database.records(key, environment)
    }
    for task in tasks.values():
        database.add_task(task)
    new = [record for record in records if record not in held]
    database.add_all(new)
    return len(new)


def _read(line: bytes, place: Place, *, first: bool) -> _Line:
    try:
        read = _decode(line)
    except msgspec.MsgspecError as error:
        raise InputError(f"this is no line of exported measurements ({error}); export again", place) from None
    if first and read.harl_mlir_records != _VERSION:
        raise InputError(
            f"these are no exported measurements of version {_VERSION}; export them again", place
        )
    return read


def _encoded(line: _Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
