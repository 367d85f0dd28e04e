"""`harl_mlir.Database`: records by key or kernel, the best of them, and whose it is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from harl_mlir.api import Database, Tuned
from harl_mlir.errors import DatabaseError, InputError, UsageError
from tests.api.conftest import MATMUL


def test_records_are_found_by_key_text_and_file(tuned: Tuned, database: Database, file: Path) -> None:
    key = tuned.tasks[0].task.key
    found = database.records(key)
    assert len(found) == len(database)
    assert found == database.records(MATMUL) == database.records(file)
    assert found == database.records(key, everywhere=True)
    assert [task.key for task in database.tasks()] == [key]


def test_times_of_another_accuracy_are_others(tuned: Tuned, database: Database) -> None:
    key = tuned.tasks[0].task.key
    assert database.records(key, accuracy="strict") == []
    assert database.records("0" * 16) == []
    assert not database.best(MATMUL, accuracy="strict")


def test_the_best_is_what_was_tuned_last_without_measuring(tuned: Tuned, database: Database) -> None:
    held = len(database)
    assert database.best(MATMUL) == tuned.library
    assert len(database) == held


def test_what_was_never_measured_has_no_entry(database: Database) -> None:
    library = database.best(MATMUL.replace("16", "48"))
    assert not library
    assert [outcome.matched for outcome in library.apply(MATMUL).outcomes] == [False]


def test_a_kernel_is_checked(database: Database) -> None:
    with pytest.raises(UsageError, match=r"no accuracy 'fast'; use accuracy with one of"):
        database.best(MATMUL, accuracy="fast")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"give pathlib.Path\('k.mlir'\)"):
        database.records("k.mlir")
    with pytest.raises(InputError, match=r"kernel:1:1: not valid MLIR"):
        database.best("func {")


def test_an_open_database_belongs_to_its_thread_and_process(tmp_path: Path) -> None:
    said: list[str] = []

    def use(database: Database) -> None:
        try:
            len(database)
        except DatabaseError as error:
            said.append(error.message)

    with Database(tmp_path / "m.db") as database:
        thread = threading.Thread(target=use, args=(database,))
        thread.start()
        thread.join()
        child = os.fork()
        if child == 0:
            use(database)
            os._exit(len(said))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 2
        assert said == [
            "this database was opened in another thread or process; open its file once more in this one"
        ]
        assert len(database) == 0
    with pytest.raises(DatabaseError):
        len(database)


def test_a_file_that_is_no_database_is_refused(file: Path) -> None:
    with pytest.raises(DatabaseError, match=r"this file is not a SQLite database; name another file$"):
        Database(file)
