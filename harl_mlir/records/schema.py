"""The database's tables, and how a file is recognised as one of ours.

`application_id` marks the file as ours, `user_version` is the schema's version. A database of an earlier
version is brought up to date; one of a later version is refused rather than guessed at.
"""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x4841524C
"""`HARL` in ASCII; shown by file(1) and readable with `PRAGMA application_id`."""

SCHEMA_VERSION = 3

_ENVIRONMENT = """
    CREATE TABLE environment (
        id INTEGER PRIMARY KEY,
        processor TEXT NOT NULL,
        features TEXT NOT NULL,      -- names separated by a space, in the processor's order
        threads INTEGER NOT NULL,
        bindings TEXT NOT NULL,
        lowering INTEGER NOT NULL,
        accuracy TEXT NOT NULL DEFAULT 'reassociate',
        UNIQUE (processor, features, threads, bindings, lowering, accuracy)
    )
    """
_TASK = """
    CREATE TABLE IF NOT EXISTS task (
        key TEXT PRIMARY KEY,        -- workload key
        facts TEXT NOT NULL          -- JSON of the Task, without its place in a program
    )
    """
_TABLES = (
    _ENVIRONMENT,
    _TASK,
    """
    CREATE TABLE record (
        id INTEGER PRIMARY KEY,
        task TEXT NOT NULL,          -- workload key
        environment INTEGER NOT NULL REFERENCES environment (id),
        stage TEXT NOT NULL CHECK (stage IN ('trial', 'final', 'untuned')),
        sketch TEXT NOT NULL,
        version INTEGER NOT NULL,
        choices TEXT NOT NULL,       -- JSON: [[decision, value], ...] in the sketch's order
        seconds REAL,                -- median of one call
        best REAL,
        samples INTEGER NOT NULL,
        failure TEXT,                -- kind; NULL where there is a time
        message TEXT,
        build_seconds REAL NOT NULL,
        time REAL NOT NULL,          -- seconds since 1970, UTC
        agent TEXT NOT NULL,
        seed INTEGER NOT NULL,
        CHECK ((seconds IS NULL) <> (failure IS NULL))
    )
    """,
    "CREATE INDEX record_by_task ON record (task, environment)",
)
# Version 1 had no accuracy: all of its times are of `reassociate`.
_FROM_VERSION_1 = (
    _ENVIRONMENT.replace("TABLE environment", "TABLE new_environment"),
    """
    INSERT INTO new_environment (id, processor, features, threads, bindings, lowering)
    SELECT id, processor, features, threads, bindings, lowering FROM environment
    """,
    "DROP TABLE environment",
    "ALTER TABLE new_environment RENAME TO environment",
)
# Versions 1 and 2 held no facts of tasks, only their keys.
_STATEMENTS = {0: _TABLES, 1: (*_FROM_VERSION_1, _TASK), 2: (_TASK,)}
"""What makes the present schema of an empty file, and of an older version."""


class ForeignFileError(Exception):
    """The file is a database, but not one this version can use; the message says why."""


def ensure_schema(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty file, bring older ones up to date, or check that they are ours.

    Two processes may do this at once: the check is repeated under the write lock.

    Raises:
        ForeignFileError: the file belongs to another program or another schema version.
        sqlite3.Error: the file cannot be read or written.
    """
    # In one transaction, or another process could create the tables between two of the reads.
    connection.execute("BEGIN")
    try:
        if _version(connection) == SCHEMA_VERSION:
            return
    finally:
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = _version(connection)
        if found != SCHEMA_VERSION:
            for statement in _STATEMENTS[found]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    """The version of the schema that is there, 0 if the file is empty."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION_ID:
        if not 1 <= version <= SCHEMA_VERSION:
            raise ForeignFileError(f"it has schema version {version}, this program reads {SCHEMA_VERSION}")
        return int(version)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application or version or tables:
        raise ForeignFileError("it belongs to another program")
    return 0
