"""What the subcommands that look into the database share."""

from __future__ import annotations

import os
from pathlib import Path

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.cli.numbers import duration, first_line
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import DatabaseError, Place
from harl_mlir.files import default_database
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment, Record, this_environment


def open_database(named: Path | None) -> Database:
    """The database to look into, which must be there. Raises DatabaseError."""
    path = named or default_database()
    if not os.path.exists(path):  # noqa: PTH110 (of any name, however long)
        raise DatabaseError(
            "there is no such database; `harl-mlir tune` makes one, or name another with --db",
            Place(str(path)),
        )
    return Database(path)


def open_database_if_any(named: Path | None) -> Database | None:
    """As `open_database`; None where none was named and there is none yet. Raises DatabaseError."""
    return open_database(named) if named or default_database().exists() else None


def here(accuracy: Accuracy = DEFAULT_ACCURACY) -> Environment:
    """The environment of records that this installation makes on this processor, on one thread."""
    return this_environment(this_processor(), 1, LOWERING_VERSION, accuracy)


def outcome_of(record: Record) -> str:
    """A record's time or failure, for people."""
    failure = record.measurement.failure
    if failure is not None:
        return f"failed ({failure.kind}: {first_line(failure.message)})"
    return duration(record.measurement.seconds)
