"""Measurements carried from one database to another as lines of JSON."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harl_mlir.api import Database
from harl_mlir.errors import InputError
from harl_mlir.measure.measurement import Measurement, failed
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.space.candidate import Candidate
from tests.small_task import HERE, matmul_task

TILE = Candidate("tiled", 1, (("tile", 4), ("order", "ij")))
ELSEWHERE = replace(HERE, processor="another", accuracy="strict")
FIRST = matmul_task("a" * 16)
FIRST_RECORDS = (
    Record(
        FIRST.key, UNTUNED, HERE, Measurement(0.5, 0.25, 3, build_seconds=0.125), "untuned", 1.0, "harl", 7
    ),
    Record(FIRST.key, TILE, HERE, failed("crash", 'it said "no"\nand \u00e9'), "trial", 2.0, "harl", 7),
    Record(FIRST.key, TILE, ELSEWHERE, Measurement(0.1), "final", 3.0, "random", 0),
)
SECOND = matmul_task("b" * 16)


def filled() -> Database:
    database = Database.in_memory()
    for task in (FIRST, SECOND):
        database.file.add_task(task)
        database.file.add_all(replace(record, task=task.key) for record in FIRST_RECORDS)
    return database


def test_what_was_exported_is_imported_once(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with filled() as source:
        source.export(path)
    with Database.in_memory() as target:
        target.file.add_task(SECOND)
        target.file.add(replace(FIRST_RECORDS[0], task=SECOND.key))
        assert target.import_(path) == 5
        assert target.import_(path) == 0
        assert [task.key for task in target.tasks()] == [FIRST.key, SECOND.key]
        for task in (FIRST, SECOND):
            wanted = [replace(record, task=task.key) for record in FIRST_RECORDS]
            assert target.records(task.key, everywhere=True) == wanted
        target.export(again := tmp_path / "again.jsonl")
    assert again.read_bytes() == path.read_bytes()


def test_an_empty_database_is_exported_too(tmp_path: Path) -> None:
    with Database.in_memory() as database:
        database.export(tmp_path / "none.jsonl")
        assert database.import_(tmp_path / "none.jsonl") == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: lines[1:], ":1: these are no exported measurements of version 1"),
        (lambda lines: [lines[0].replace(b"1", b"2"), *lines[1:]], ":1: these are no exported measurements"),
        (lambda lines: [lines[0], *lines[2:]], ":2: this record comes before its task"),
        (lambda lines: [*lines, b"{"], ":10: this is no line of exported measurements"),
        (lambda lines: [*lines, b"\xff"], ":10: this is no line of exported measurements"),
        (lambda lines: [*lines, b'{"other": 1}'], ":10: this is no line of exported measurements"),
        (
            lambda lines: [*lines, lines[2].replace(b'"seconds":0.5', b'"seconds":null')],
            ":10: this is no line of exported measurements (a measurement is exactly one of",
        ),
    ],
)
def test_other_lines_are_refused_with_their_number_and_nothing_is_added(
    tmp_path: Path, change: object, sentence: str
) -> None:
    path = tmp_path / "records.jsonl"
    with filled() as source:
        source.export(path)
    path.write_bytes(b"\n".join(change(path.read_bytes().splitlines())))  # type: ignore[operator]
    with Database.in_memory() as target:
        with pytest.raises(InputError) as refused:
            target.import_(path)
        assert str(refused.value).startswith(f"{path}{sentence}")
        assert len(target) == 0
        assert target.tasks() == []


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with Database.in_memory() as database:
        with pytest.raises(InputError, match="there is no such file; check the name"):
            database.import_(tmp_path / "none")
        with pytest.raises(InputError, match="this is not a regular file"):
            database.import_(tmp_path)
        with pytest.raises(InputError, match="the output cannot be written: it is a directory"):
            database.export(tmp_path)
