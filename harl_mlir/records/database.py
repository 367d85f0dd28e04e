"""The SQLite database of all measurements.

One transaction a measurement, in WAL mode: a killed process loses nothing it had recorded, and several
tuners may share the file. The schema is in `schema.py`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from harl_mlir.accuracy import ACCURACIES
from harl_mlir.errors import DatabaseError, Place
from harl_mlir.records.record import Environment, Record
from harl_mlir.records.rows import environment_of, record_of, row_of, task_of
from harl_mlir.records.schema import ForeignFileError, ensure_schema
from harl_mlir.tasks.task import Task

_BUSY_SECONDS = 30.0
_INSERT = """
    INSERT INTO record (task, environment, stage, sketch, version, choices, seconds, best, samples,
                        failure, message, build_seconds, time, agent, seed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COLUMNS = """
    sketch, version, choices, seconds, best, samples, failure, message, build_seconds, stage, time, agent,
    seed, record.id
"""
_SELECT = f"SELECT {_COLUMNS} FROM record WHERE task = ? AND environment = ? ORDER BY id"
_ENVIRONMENT = "processor, features, threads, bindings, lowering, accuracy"
_SELECT_ONE = f"""
    SELECT task, {_ENVIRONMENT}, {_COLUMNS}
    FROM record JOIN environment ON environment.id = record.environment WHERE record.id = ?
"""
_MOST_KEYS = 20

_Result = TypeVar("_Result")


class Database:
    """An open database file.

    Args:
        path: the file; it is created where missing, its directory is not.
        busy_seconds: how long to wait for another process that is writing.

    Raises:
        DatabaseError: the file cannot be used; the message is one sentence with the remedy. Every
            method raises it too.
    """

    def __init__(self, path: Path, busy_seconds: float = _BUSY_SECONDS) -> None:
        self.path = path
        self._environments: dict[Environment, int] = {}
        if not os.path.isdir(path.parent):  # noqa: PTH112
            raise DatabaseError(
                f"the directory {path.parent} does not exist; create it or name another file with --db",
                Place(str(path)),
            )
        if os.path.isdir(path):  # noqa: PTH112 (of any name, however long)
            raise DatabaseError("this is a directory; name a file with --db", Place(str(path)))
        self._busy_seconds = busy_seconds
        self._connection = self._guarded(self._open)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; recorded measurements are on it already."""
        self._connection.close()

    def add(self, record: Record) -> int:
        """Write one record in a transaction of its own; gives its number."""
        return self.add_all((record,))[0]

    def add_all(self, records: Iterable[Record]) -> tuple[int, ...]:
        """Write records that were measured together (finalists) in one transaction; gives their numbers."""
        held = tuple(records)
        return self._guarded(lambda: self._insert(held))

    def records(self, task: str, environment: Environment) -> list[Record]:
        """All records of a task made in `environment`, oldest first."""

        def read() -> list[Record]:
            row = self._environment_id(environment)
            if row is None:
                return []
            rows = self._connection.execute(_SELECT, (task, row)).fetchall()
            return [record_of(task, environment, row) for row in rows]

        return self._guarded(read)

    def record(self, number: int) -> Record | None:
        """The record of that number, or None."""

        def read() -> Record | None:
            row = self._connection.execute(_SELECT_ONE, (number,)).fetchone()
            if row is None:
                return None
            environment = environment_of(row[1:7])
            if environment.accuracy not in ACCURACIES:
                raise ValueError(f"an unknown accuracy, {environment.accuracy}")
            return record_of(row[0], environment, row[7:])

        return self._guarded(read)

    def keys(self, prefix: str) -> list[str]:
        """The workload keys of records that begin so, in order; a few at most."""

        def read() -> list[str]:
            query = "SELECT DISTINCT task FROM record WHERE substr(task, 1, ?) = ? ORDER BY task LIMIT ?"
            return [key for (key,) in self._connection.execute(query, (len(prefix), prefix, _MOST_KEYS))]

        return self._guarded(read)

    def task(self, key: str) -> Task | None:
        """The facts of a task, or None; records older than version 3 have none."""

        def read() -> Task | None:
            row = self._connection.execute("SELECT facts FROM task WHERE key = ?", (key,)).fetchone()
            return None if row is None else task_of(row[0])

        return self._guarded(read)

    def add_task(self, task: Task) -> None:
        """Keep a task's facts, unless they are there; its place in a program is left out."""
        facts = replace(task, weight=1, function="", place="", spellings=())
        row = (task.key, msgspec.json.encode(facts).decode())
        self._guarded(
            lambda: self._connection.execute("INSERT OR IGNORE INTO task (key, facts) VALUES (?, ?)", row)
        )

    def tasks(self) -> list[Task]:
        """The tasks whose facts the file holds, by key. Records older than version 3 have none."""

        def read() -> list[Task]:
            rows = self._connection.execute("SELECT facts FROM task ORDER BY key").fetchall()
            return [msgspec.json.decode(facts, type=Task) for (facts,) in rows]

        return self._guarded(read)

    def environments(self) -> list[Environment]:
        """The environments of all records, in the order in which they were first seen."""

        def read() -> list[Environment]:
            rows = self._connection.execute(f"SELECT {_ENVIRONMENT} FROM environment ORDER BY id").fetchall()
            return [environment_of(row) for row in rows]

        return self._guarded(read)

    def count(self) -> int:
        """How many records of any kind the file holds."""
        return self._guarded(
            lambda: int(self._connection.execute("SELECT count(*) FROM record").fetchone()[0])
        )

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None)
        try:
            # The file is checked before the journal mode is set: setting it writes to the file.
            ensure_schema(connection)
            _use_wal(connection, self._busy_seconds)
            connection.execute("PRAGMA synchronous = NORMAL")
            _check_writable(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _insert(self, records: tuple[Record, ...]) -> tuple[int, ...]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            rows = (row_of(r, self._environment_id(r.environment, create=True)) for r in records)
            numbers = tuple(int(execute(_INSERT, row).lastrowid or 0) for row in rows)
            execute("COMMIT")
            return numbers
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            self._environments.clear()
            raise

    def _environment_id(self, environment: Environment, create: bool = False) -> int | None:
        known = self._environments.get(environment)
        if known is not None:
            return known
        values = (
            environment.processor,
            " ".join(environment.features),
            environment.threads,
            environment.bindings,
            environment.lowering,
            environment.accuracy,
        )
        if create:
            self._connection.execute(
                f"INSERT OR IGNORE INTO environment ({_ENVIRONMENT}) VALUES (?, ?, ?, ?, ?, ?)", values
            )
        row = self._connection.execute(
            f"SELECT id FROM environment WHERE ({_ENVIRONMENT}) = (?, ?, ?, ?, ?, ?)", values
        ).fetchone()
        if row is not None:
            self._environments[environment] = int(row[0])
        return None if row is None else int(row[0])

    def _guarded(self, action: Callable[[], _Result]) -> _Result:
        try:
            return action()
        except ForeignFileError as error:
            raise DatabaseError(
                f"this database cannot be used: {error}; name another file with --db", Place(str(self.path))
            ) from error
        except (sqlite3.Error, msgspec.MsgspecError, ValueError) as error:
            raise DatabaseError(_sentence(error), Place(str(self.path))) from error


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to WAL; the busy timeout does not cover this pragma, so two tuners starting at once retry."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _check_writable(connection: sqlite3.Connection) -> None:
    """Fail before tuning rather than after the first measurement."""
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")


_DAMAGED = "this database is damaged"
_REMEDIES = (
    ("not a database", "this file is not a SQLite database", ""),
    ("malformed", _DAMAGED, "move it away and tune again, or "),
    ("no such table", _DAMAGED, "move it away and tune again, or "),
    ("no such column", _DAMAGED, "move it away and tune again, or "),
    ("readonly", "this database is read-only", "make it and its directory writable, or "),
    ("full", "there is no space left to write the database", "free some, or "),
    ("locked", "another process keeps this database locked", "wait for it, or "),
    ("unable to open", "this database cannot be opened", "check its permissions, or "),
    ("disk i/o", "this database cannot be read or written (disk I/O error)", "check the disk, or "),
)
"""What SQLite's own message says, the sentence for people, and the remedy besides naming another file."""


def _sentence(error: Exception) -> str:
    fault, remedy = f"this database cannot be used ({error})", "move it away, or "
    if not isinstance(error, sqlite3.Error):
        fault, remedy = "this database holds a damaged record", "move it away and tune again, or "
    else:
        text = str(error).lower()
        for sign, known_fault, known_remedy in _REMEDIES:
            if sign in text:
                fault, remedy = known_fault, known_remedy
                break
    return f"{fault}; {remedy}name another file with --db"
