"""The database: what is written comes back, whoever writes beside it and however the writer ends."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.errors import DatabaseError
from harl_mlir.measure.measurement import FAILURE_KINDS, Measurement, failed
from harl_mlir.records.database import Database
from harl_mlir.records.record import Environment, Record
from harl_mlir.space.candidate import Candidate
from tests.records.written import HERE, record
from tests.tuner.recorded import matmul_task

ROOT = Path(__file__).parent.parent.parent

measurements = st.one_of(
    st.builds(
        Measurement,
        seconds=st.floats(1e-9, 1e3),
        best=st.floats(1e-9, 1e3),
        samples=st.integers(1, 1000),
        build_seconds=st.floats(0, 10),
    ),
    st.builds(failed, st.sampled_from(FAILURE_KINDS), st.text(st.characters(exclude_categories=["Cs"]))),
)
candidates = st.builds(
    Candidate,
    sketch=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    version=st.integers(0, 100),
    values=st.lists(
        st.tuples(st.text("abcé", min_size=1), st.one_of(st.integers(-(2**63), 2**63 - 1), st.text("xyz")))
    ).map(tuple),
)


@given(candidates, measurements)
def test_a_record_comes_back_as_it_was(candidate: Candidate, measurement: Measurement) -> None:
    with Database(Path(":memory:")) as database:
        written = Record("key", candidate, HERE, measurement, "final", 1.5, "random", 0)
        database.add(written)
        assert database.records("key", HERE) == [written]


def test_records_survive_reopening_in_order(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    written = [record(tile=tile) for tile in (4, 2, 8)]
    with Database(path) as database:
        database.add(written[0])
        database.add_all(written[1:])
    with Database(path) as database:
        assert database.records("key", HERE) == written
        assert database.count() == 3


@pytest.mark.parametrize(
    "other",
    [
        Environment("another processor", HERE.features, 1, "20261001", 1),
        Environment("a processor", ("avx2",), 1, "20261001", 1),
        Environment("a processor", HERE.features, 2, "20261001", 1),
        Environment("a processor", HERE.features, 1, "20270101", 1),
        Environment("a processor", HERE.features, 1, "20261001", 2),
        Environment("a processor", HERE.features, 1, "20261001", 1, "strict"),
    ],
)
def test_records_of_another_environment_are_kept_and_not_used(tmp_path: Path, other: Environment) -> None:
    with Database(tmp_path / "m.db") as database:
        database.add(record(environment=other))
        assert database.records("key", HERE) == []
        database.add(record())
        assert len(database.records("key", HERE)) == 1
        assert len(database.records("key", other)) == 1
        assert database.records("another key", HERE) == []


def write_many(path: str, task: str, count: int) -> None:
    with Database(Path(path)) as database:
        for number in range(count):
            database.add(record(task, tile=number))


def test_two_writers_share_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(str(path), task, 40)) for task in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    with Database(path) as database:
        for task in ("a", "b"):
            assert [r.candidate["tile"] for r in database.records(task, HERE)] == list(range(40))


def test_a_killed_writer_loses_nothing_it_reported(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    script = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from harl_mlir.records.database import Database\n"
        "from tests.records.written import record\n"
        "database = Database(Path(sys.argv[1]))\n"
        "for n in range(10**6):\n"
        "    database.add(record(tile=n)); print(n, flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(path), str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        reported = 0
        for line in writer.stdout:
            reported = int(line) + 1
            if reported == 20:
                writer.send_signal(signal.SIGKILL)
    with Database(path) as database:
        held = [r.candidate["tile"] for r in database.records("key", HERE)]
    assert len(held) >= reported
    assert held == list(range(len(held)))


def test_tasks_come_back_without_their_place_in_a_program(tmp_path: Path) -> None:
    path, task = tmp_path / "m.db", matmul_task("b")
    with Database(path) as database:
        for weight in (1, 7):
            database.add_task(replace(task, weight=weight, spellings=("another",)))
        database.add_task(matmul_task("a"))
    with Database(path) as database:
        assert database.tasks() == [
            replace(matmul_task(key), function="", place="", spellings=()) for key in ("a", "b")
        ]
        database.add(record(environment=HERE))
        database.add(record(environment=replace(HERE, accuracy="strict")))
        assert database.environments() == [HERE, replace(HERE, accuracy="strict")]


def fill(database: Database) -> None:
    for number in range(10_000):
        database.add(record(tile=number))


def test_a_full_disk_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    database = Database(path)
    database.add(record())
    pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
    database._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DatabaseError, match="no space left"):
        fill(database)
    held = database.count()
    database.close()
    with Database(path) as again:
        assert again.count() == held >= 1


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    def open_and_close(path: Path) -> None:
        barrier.wait()
        Database(path).close()

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as threads:
        for number in range(50):
            path = tmp_path / f"{number}.db"
            for opened in [threads.submit(open_and_close, path) for _ in range(4)]:
                opened.result()
