"""Databases that are none, belong to others, or are damaged, made the same each time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from harl_mlir.cli.records import here
from harl_mlir.measure.measurement import Measurement
from harl_mlir.records.database import Database
from harl_mlir.records.record import Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.task import Task

Make = Callable[[Path], object]


def good(path: Path, task: Task, candidate: Candidate) -> None:
    """A database of one trial and the task's facts."""
    with Database(path) as database:
        database.add_task(task)
        database.add(Record(task.key, candidate, here(), Measurement(1e-6, 1e-6, 3), "trial", 0.0, "harl", 0))


def _changed(*statements: str) -> Make:
    def change(path: Path) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = DELETE")
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return change


def _bytes(change: Callable[[bytes], bytes]) -> Make:
    def make(path: Path) -> None:
        _changed("VACUUM")(path)
        path.write_bytes(change(path.read_bytes()))

    return make


UNUSABLE: dict[str, Make] = {
    "text": _bytes(lambda _: b"not a database, only notes about one\n" * 40),
    "random bytes": _bytes(lambda data: bytes((7 * n * n + 3 * n) % 256 for n in range(len(data)))),
    "nothing but a header": _bytes(lambda data: data[:100]),
    "cut after a page": _bytes(lambda data: data[:4096]),
    "another page size": _bytes(lambda data: data[:16] + b"\x00\x07" + data[18:]),
    "of another program": _changed("PRAGMA application_id = 1196444487"),
    "of no program": _changed("PRAGMA application_id = 0"),
    "of a later version": _changed("PRAGMA user_version = 99"),
    "of version minus one": _changed("PRAGMA user_version = -1"),
}
"""Nobody can use them."""

DAMAGED: dict[str, Make] = {
    "pages of zeros": _bytes(lambda data: data[:4096] + bytes(len(data) - 4096)),
    "no tables": _changed("DROP TABLE record", "DROP TABLE task", "DROP TABLE environment"),
    "no records' table": _changed("DROP TABLE record"),
    "no tasks' table": _changed("DROP TABLE task"),
    "a column less": _changed("ALTER TABLE record DROP COLUMN samples"),
    "choices that are no JSON": _changed("UPDATE record SET choices = '[[\"rows\", '"),
    "choices of another form": _changed("UPDATE record SET choices = '{\"rows\": 8}'"),
    "choices that are bytes": _changed("UPDATE record SET choices = x'ff00ff'"),
    "no sketch of that name": _changed("UPDATE record SET sketch = 'nothing'"),
    "no sketch of that version": _changed("UPDATE record SET version = 4000000000000000000"),
    "other decisions": _changed("UPDATE record SET choices = '[[\"x\", 1]]'"),
    "facts that are no JSON": _changed("UPDATE task SET facts = '{'"),
    "facts of another form": _changed("UPDATE task SET facts = '[]'"),
    "a kernel that is no MLIR": _changed("UPDATE task SET facts = json_set(facts, '$.kernel', 'no MLIR')"),
    "a kernel without its function": _changed(
        "UPDATE task SET facts = json_set(facts, '$.kernel', 'module {}')"
    ),
    "a kernel of another type": _changed(
        "UPDATE task SET facts = json_set(facts, '$.kernel', "
        "'func.func @kernel(%a: i1) -> i1 { return %a : i1 }')"
    ),
    "no members": _changed("UPDATE task SET facts = json_set(facts, '$.members', json('[]'))"),
    "an anchor that is none": _changed("UPDATE task SET facts = json_set(facts, '$.anchor', 99)"),
    "features that are none": _changed("UPDATE environment SET features = ''"),
    "an unknown accuracy": _changed("UPDATE environment SET accuracy = 'hopeful'"),
}
"""Opened, but what is in them is not what it should be."""
