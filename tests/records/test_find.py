"""Records by the names that people give them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harl_mlir.errors import InputError
from harl_mlir.measure.measurement import Failure, Measurement
from harl_mlir.records.database import Database
from harl_mlir.records.find import find_record, names_record
from harl_mlir.records.record import UNTUNED, Record, Stage
from harl_mlir.space.candidate import Candidate
from tests.small_task import HERE, matmul_task

KEYS = ("aaaa000000000001", "aaaa000000000002", "bbbb000000000003")


def record(key: str, value: int, seconds: float | None, stage: Stage = "trial", time: float = 1.0) -> Record:
    failure = None if seconds else Failure("crash", "SIGSEGV")
    measured = Measurement(seconds, seconds, 1, failure)
    return Record(key, Candidate("s", 1, (("v", value),)), HERE, measured, stage, time, "harl", 0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "m.db") as opened:
        opened.add_task(matmul_task(KEYS[0]))
        opened.add_all(
            [
                record(KEYS[0], 1, 3.0),
                record(KEYS[0], 2, 2.0),
                record(KEYS[0], 3, None),
                replace(record(KEYS[0], 0, 0.5, "untuned"), candidate=UNTUNED),
                record(KEYS[1], 4, None),
                record(KEYS[2], 5, 1.0, "final", 1.0),
                record(KEYS[2], 6, 3.0, "final", 2.0),
                record(KEYS[2], 7, 2.0, "final", 2.0),
                replace(record(KEYS[2], 8, 0.1), environment=replace(HERE, processor="another")),
                record(KEYS[2], 9, 0.2),
            ]
        )
        yield opened


def test_a_number_is_that_record(database: Database) -> None:
    found = find_record(database, "3", HERE)
    assert found.number == 3
    assert found.measurement.failure == Failure("crash", "SIGSEGV")
    assert find_record(database, "9", HERE).environment.processor == "another"
    assert [r.number for r in database.records(KEYS[0], HERE)] == [1, 2, 3, 4]


def test_a_key_is_its_best_record_here(database: Database) -> None:
    assert find_record(database, KEYS[0], HERE).number == 2
    # Of the finalists of the last round, whatever others took at other times.
    assert find_record(database, "bbbb", HERE).number == 8


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("0", "there is no record number 0"),
        ("99", "there is no record number 99"),
        ("999999999999999", "there is no record number"),
        ("aaaa", "several workload keys begin with aaaa (aaaa000000000001, aaaa000000000002)"),
        ("aaaa000000000002", "has a time from this processor"),
        ("cccc", "no record is of a workload key"),
        ("abc", "names no record"),
        ("", "names no record"),
        ("' OR 1 --", "names no record"),
        ("%aaa", "names no record"),
    ],
)
def test_others_are_refused_with_what_to_give(database: Database, word: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        find_record(database, word, HERE)
    assert said in refused.value.message
    assert refused.value.place is not None


def test_what_may_be_a_name() -> None:
    assert all(names_record(word) for word in ("1", "123456", "abcd", "0123456789abcdef"))
    assert not any(names_record(word) for word in ("", "abc", "ABCD", "k.mlir", "-1", "1.5", "1" * 17))


def test_the_facts_of_one_task(database: Database) -> None:
    task = database.task(KEYS[0])
    assert task is not None
    assert task.anchor_op == matmul_task().anchor_op
    assert database.task(KEYS[1]) is None
