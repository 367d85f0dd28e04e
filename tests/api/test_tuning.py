"""`harl_mlir.tune`: what it gives, where it writes, how it ends early."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import harl_mlir
from harl_mlir.api import Database, Tuned
from harl_mlir.errors import DatabaseError, InputError, UsageError
from harl_mlir.tuner import Event, Planned, Progressed
from tests.api.conftest import MATMUL

DYNAMIC = MATMUL.replace("24x", "?x")


def test_what_is_given_back_belongs_together(tuned: Tuned, database: Database) -> None:
    (task,) = tuned.tasks
    assert task.chosen is not None
    assert task.best_seconds is not None
    assert task.trials == 6
    assert "vector<" in tuned.module
    (entry,) = tuned.library
    assert (entry.key, entry.label) == (task.task.key, task.task.label())
    assert (entry.sketch, entry.version) == (task.chosen.sketch, task.chosen.version)
    assert tuned.library.apply(MATMUL).text == tuned.module
    assert tuned.skipped == ()
    assert "wrong_result" not in tuned.failures
    stages = [record.stage for record in database.records(MATMUL)]
    assert stages.count("trial") == 6


def test_nothing_is_written_but_the_database(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    events: list[Event] = []
    tuned = harl_mlir.tune(file, agent="default", trials=1, seconds=5, listener=events.append)
    assert tuned.tasks[0].task.place.startswith(str(file))
    assert isinstance(events[0], Planned)
    assert isinstance(events[-1], Progressed)
    assert list(empty.iterdir()) == []
    assert (tmp_path / "cache/harl_mlir/measurements.db").is_file()
    with Database() as kept:
        assert [r.stage for r in kept.records(tuned.tasks[0].task.key)][:2] == ["untuned", "trial"]


def test_stored_measurements_are_used(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    (first,) = harl_mlir.tune(MATMUL, agent="default", database=str(path)).tasks
    with Database(path) as database:
        held = len(database)
    (again,) = harl_mlir.tune(MATMUL, agent="default", database=path).tasks
    assert first.stored == 0
    assert (again.stored, again.trials) == (first.trials, 0)
    with Database(path) as database:
        assert len(database) > held  # the untuned kernel is timed again


def test_with_no_trials_nothing_is_timed_and_no_database_opened(tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "m.db"
    tuned = harl_mlir.tune(MATMUL, trials=0, check=True, database=nowhere)
    assert tuned.tasks[0].checked is True
    assert tuned.tasks[0].best_seconds is None
    assert len(tuned.library) == 1


def test_dynamic_arguments_get_their_shapes(tuned: Tuned) -> None:
    shapes = {"a": (24, 16), "2": [24, 32]}
    made = harl_mlir.tune(DYNAMIC, trials=0, shapes=shapes)
    assert made.tasks[0].task.key == tuned.tasks[0].task.key
    assert "tensor<24x32xf32>" in made.module
    with pytest.raises(InputError, match=r"'24' is no shape of the argument a; give sizes such as"):
        harl_mlir.tune(DYNAMIC, trials=0, shapes={"a": "24"})


def test_a_listener_that_raises_ends_the_call_and_loses_nothing() -> None:
    class EnoughError(Exception):
        pass

    def listen(event: Event) -> None:
        if isinstance(event, Progressed) and event.progress.trials == 3:
            raise EnoughError

    with Database.in_memory() as database:
        with pytest.raises(EnoughError):
            harl_mlir.tune(MATMUL, agent="random", seconds=60, database=database, listener=listen)
        assert [r.stage for r in database.records(MATMUL)] == ["untuned", "trial", "trial", "trial"]


def test_an_interrupt_is_raised_and_the_best_is_in_the_database() -> None:
    def listen(event: Event) -> None:
        if isinstance(event, Progressed) and event.progress.trials == 2:
            raise KeyboardInterrupt

    with Database.in_memory() as database:
        with pytest.raises(KeyboardInterrupt):
            harl_mlir.tune(MATMUL, agent="random", seconds=60, database=database, listener=listen)
        assert len(database.records(MATMUL)) == 3


def test_two_threads_tune_at_once(tmp_path: Path) -> None:
    made: list[str] = []

    def tune() -> None:
        given = harl_mlir.tune(MATMUL, agent="default", trials=1, database=tmp_path / "shared.db")
        made.append(given.tasks[0].task.key)

    threads = [threading.Thread(target=tune) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    with Database(tmp_path / "shared.db") as database:
        assert [r.stage for r in database.records(made[0])].count("untuned") == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seconds": 0}, "a budget of 0 seconds cannot be kept; use seconds above 0"),
        ({"trials": -1}, "a budget of -1 trials cannot be spent; use trials=0 or more"),
        ({"threads": 0}, "a kernel cannot run on 0 threads; use threads=1 or more"),
        ({"accuracy": "fast"}, "there is no accuracy 'fast'; use accuracy with one of reassociate, strict"),
        ({"agent": "ansor"}, "there is no agent named 'ansor'; use agent with one of harl"),
        ({"threads": 1.5}, "threads must be a whole number, not 1.5; give one such as 1"),
        ({"trials": "3"}, "trials must be a whole number, not '3'; give one such as 1"),
        ({"seed": 2**63}, f"the seed {2**63} is beyond {2**63 - 1}; use seed with a smaller one"),
        ({"seconds": "20"}, "seconds must be a number, not '20'; give one such as 60"),
        ({"function": 3}, "function must be a name, not 3; give a str"),
        ({"weights": 3}, "weights must be a path, not 3; give a str or a pathlib.Path"),
        ({"database": 3}, "path must be a path, not 3; give a str or a pathlib.Path"),
        ({"listener": "print"}, "listener must be a function, not 'print'; give one, or None"),
    ],
)
def test_arguments_out_of_range_are_refused_by_their_names(
    arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UsageError) as refused:
        harl_mlir.tune(MATMUL, **arguments)  # type: ignore[arg-type]
    assert str(refused.value).startswith(sentence)


def test_a_database_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"does not exist; create it or name another file$"):
        harl_mlir.tune(MATMUL, database=tmp_path / "missing" / "m.db")


def test_a_kernel_without_anything_to_tune_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match=r"kernel:2:1: not valid MLIR"):
        harl_mlir.tune("module {\n!}", trials=0)
    with pytest.raises(
        InputError, match=r"kernel: there is no function @g; those with linalg ops are @product"
    ):
        harl_mlir.tune(MATMUL, trials=0, function="g")
