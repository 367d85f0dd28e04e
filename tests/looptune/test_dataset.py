"""Records as rows with shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.looptune.columns import NestColumns
from harl_mlir.looptune.dataset import Dataset
from harl_mlir.records.database import Database
from harl_mlir.records.record import Record
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.nest import LoopNest, parse
from tests.looptune.landscapes import HERE, PEAK, Problem, matmul_problem, record, records
from tests.space.sketches.single_op_tasks import PROCESSOR

PROBLEMS = [matmul_problem(64, 96, 80), matmul_problem(48, 64, 100)]
FIRST, SECOND = PROBLEMS


def dataset(database: Database) -> Dataset:
    return Dataset(database, HERE, PROCESSOR, PEAK)


def expected(problem: Problem, held: list[Record]) -> np.ndarray:
    task, rules = problem
    nests = [parse(rules.op.dims, each.candidate.word("nest")) for each in held]
    return NestColumns(task, rules, PROCESSOR).rows(nests)


def test_rows_and_shares_of_records(tmp_path: Path) -> None:
    task, rules = FIRST
    plain = parse(rules.op.dims, "0/1 1/1 2/1")
    tile = parse(rules.op.dims, "0/8 1/32 2/1 0/1u 1/1v")
    held = [record(task, rules, plain, 0.02), record(task, rules, tile, 0.0), record(task, rules, tile, 0.75)]
    with Database(tmp_path / "m.db") as database:
        database.add_all(held)
        found = dataset(database)
        found.read(PROBLEMS)
    assert found.shares == pytest.approx([0.02, 0.0, 0.75])
    np.testing.assert_array_equal(found.rows, expected(FIRST, held))


def test_good_nests_are_near_the_best_of_their_problem(tmp_path: Path) -> None:
    texts = ["0/1 1/1 2/1", "0/8 1/32 2/1 0/1u 1/1v", "0/4 1/32 2/1 0/1u 1/1v", "0/2 1/32 2/1 0/1u 1/1v"]
    # Of the first two are good, also when a better one comes later; of the second none reaches enough.
    shares = {FIRST[0].key: [0.1, 0.7, 0.8, 0.75], SECOND[0].key: [0.1, 0.5, 0.4, 0.0]}
    with Database(tmp_path / "m.db") as database:
        found = dataset(database)
        for number, text in enumerate(texts):
            for task, rules in PROBLEMS:
                nest = parse(rules.op.dims, text)
                database.add(record(task, rules, nest, shares[task.key][number]))
            found.read(PROBLEMS)
    assert list(found.good) == texts[2:]


def test_what_is_best_most_often_is_remembered(tmp_path: Path) -> None:
    best, near, far = "0/8 1/32 2/1 0/1u 1/1v", "0/4 1/32 2/1 0/1u 1/1v", "0/1 1/1 2/1"
    shares = {best: (0.3, 0.8), near: (0.28, 0.5), far: (0.01, 0.02)}
    with Database(tmp_path / "m.db") as database:
        for text, each in shares.items():
            for (task, rules), share in zip(PROBLEMS, each, strict=True):
                database.add(record(task, rules, parse(rules.op.dims, text), share))
        found = dataset(database)
        found.read(PROBLEMS)
    assert found.memory() == (best, near)


def test_what_is_not_a_measured_nest_of_here_is_left_out(tmp_path: Path) -> None:
    (held,) = records(FIRST, 1, 0)
    others = [
        replace(held, candidate=Candidate("contraction", 1, (("rows", 4),))),
        replace(held, candidate=replace(held.candidate, version=held.candidate.version + 1)),
        replace(held, environment=replace(HERE, processor="another")),
        replace(held, task="another"),
    ]
    with Database(tmp_path / "m.db") as database:
        database.add_all([*others, held, *others])
        found = dataset(database)
        found.read(PROBLEMS)
    np.testing.assert_array_equal(found.rows, expected(FIRST, [held]))


def test_only_new_records_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    rows_of = NestColumns.rows

    def counted(self: NestColumns, nests: list[LoopNest]) -> np.ndarray:
        asked.append(len(nests))
        return rows_of(self, nests)

    monkeypatch.setattr(NestColumns, "rows", counted)
    with Database(tmp_path / "m.db") as database:
        found = dataset(database)
        found.read(PROBLEMS)
        assert (len(found.rows), len(found.shares), asked) == (0, 0, [])
        database.add_all(records(FIRST, 5, 0))
        found.read(PROBLEMS)
        found.read(PROBLEMS)
        assert (len(found.rows), len(found.shares), asked) == (5, 5, [5])
        database.add_all([*records(SECOND, 4, 0), *records(FIRST, 3, 1)])
        found.read(PROBLEMS)
    assert (len(found.rows), len(found.shares), asked) == (12, 12, [5, 3, 4])


def test_rows_do_not_depend_on_when_they_were_read(tmp_path: Path) -> None:
    """Training that was stopped reads all at once what it would have read in parts."""
    with Database(tmp_path / "m.db") as database:
        parts = dataset(database)
        for seed in range(3):
            database.add_all([*records(SECOND, 4, seed), *records(FIRST, 3, seed)])
            parts.read(PROBLEMS)
        at_once = dataset(database)
        at_once.read(PROBLEMS)
    np.testing.assert_array_equal(parts.rows, at_once.rows)
    np.testing.assert_array_equal(parts.shares, at_once.shares)
    assert list(parts.good) == list(at_once.good)
    assert len(parts.rows) == 21
