"""A record to write, and what is common to all refusals of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harl_mlir.errors import DatabaseError
from harl_mlir.measure.measurement import Measurement
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment, Record
from harl_mlir.space.candidate import Candidate

HERE = Environment("a processor", ("avx2", "fma"), 1, "20261001", 1)


def record(
    task: str = "key", seconds: float = 1e-3, environment: Environment = HERE, tile: int = 8
) -> Record:
    candidate = Candidate("tiled", 1, (("tile", tile), ("order", "mnk")))
    return Record(
        task, candidate, environment, Measurement(seconds, seconds / 2, 9), "trial", 1.7e9, "random", 3
    )


def use(path: Path) -> None:
    with Database(path, busy_seconds=0.2) as database:
        database.records("key", HERE)
        database.add(record())


def refused(path: Path) -> str:
    with pytest.raises(DatabaseError) as caught:
        use(path)
    assert caught.value.place is not None
    assert caught.value.place.file == str(path)
    assert "\n" not in caught.value.message
    return caught.value.message
