"""Files that cannot be used: every way a file can be bad ends in one sentence."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from harl_mlir.errors import DatabaseError
from harl_mlir.records.database import Database
from tests.records.written import record, refused


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_bytes(b"these are my notes, not a database\n" * 100)
    before = path.read_bytes()
    assert "not a SQLite database" in refused(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    with Database(path) as database:
        for number in range(500):
            database.add(record(tile=number))
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(bytes(content))
    assert "damaged" in refused(path)


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    with Database(path) as database:
        database.add(record())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE record SET choices = 'no json'")
    connection.close()
    assert "damaged record" in refused(path)


def test_a_cut_off_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    with Database(path) as database:
        for number in range(500):
            database.add(record(tile=number))
    os.truncate(path, 6000)
    assert "damaged" in refused(path)


def test_missing_directory_directory_and_locked_file(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nowhere" / "m.db")
    assert "is a directory" in refused(tmp_path)
    path = tmp_path / "m.db"
    Database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "locked" in refused(path)
    finally:
        other.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
def test_a_read_only_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    Database(path).close()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    for parent in tmp_path.parents[:-2]:
        parent.chmod(parent.stat().st_mode | 0o055)
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        try:
            Database(path, busy_seconds=0.2)
            answer = "opened"
        except DatabaseError as error:
            answer = error.message
        os.write(write_end, answer.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    assert "read-only" in answer or "permissions" in answer
