"""The schema: files of ours are told from others', and those of an earlier schema are brought up to date."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

from harl_mlir.records.database import Database
from harl_mlir.records.schema import APPLICATION_ID, SCHEMA_VERSION
from tests.records.written import HERE, record, refused
from tests.tuner.recorded import matmul_task


def test_the_file_is_marked_as_ours(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    Database(path).close()
    assert int.from_bytes(path.read_bytes()[68:72], "big") == APPLICATION_ID


def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE contacts (name TEXT)")
    connection.close()
    before = path.read_bytes()
    assert "belongs to another program" in refused(path)
    assert path.read_bytes() == before


def test_a_database_of_a_later_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    assert f"schema version {SCHEMA_VERSION + 1}" in refused(path)


def test_a_database_of_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    strict = replace(HERE, accuracy="strict")
    with Database(path) as database:
        database.add(record())
    with sqlite3.connect(path) as connection:
        # As version 0.1.0 made it.
        connection.executescript("""
            CREATE TABLE old (id INTEGER PRIMARY KEY, processor TEXT NOT NULL, features TEXT NOT NULL,
                threads INTEGER NOT NULL, bindings TEXT NOT NULL, lowering INTEGER NOT NULL,
                UNIQUE (processor, features, threads, bindings, lowering));
            INSERT INTO old SELECT id, processor, features, threads, bindings, lowering FROM environment;
            DROP TABLE environment;
            ALTER TABLE old RENAME TO environment;
            PRAGMA user_version = 1;
        """)
    connection.close()
    for _ in range(2):
        with Database(path) as database:
            assert database.records("key", HERE) == [record()]
            assert database.records("key", strict) == []
    with Database(path) as database:
        database.add(record(environment=strict))
        assert len(database.records("key", HERE)) == len(database.records("key", strict)) == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_a_database_without_tasks_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    with Database(path) as database:
        database.add(record())
    with sqlite3.connect(path) as connection:
        connection.executescript("DROP TABLE task; PRAGMA user_version = 2;")
    connection.close()
    with Database(path) as database:
        assert database.records("key", HERE) == [record()]
        assert database.tasks() == []
        database.add_task(matmul_task())
        assert len(database.tasks()) == 1
