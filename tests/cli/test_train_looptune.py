"""`harl-mlir train --agent looptune`, as users run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harl_mlir.cli.main import main
from harl_mlir.looptune.problems import Matmul, module, training_matmuls
from harl_mlir.looptune.walk import walk
from harl_mlir.looptune.weights import load
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.space.nest.space import SKETCH, rules_for
from tests.conftest import Run
from tests.looptune.landscapes import HERE, Problem, plant

TRAIN = ("train", "--agent", "looptune")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "notes.db").write_text("not a database, only notes about one\n" * 40)
    return tmp_path


USAGE = [
    (["--measure", "-1"], "--measure -1 is not within 0 and 7200 seconds"),
    (["--measure", "7201"], "--measure 7201 is not within 0 and 7200 seconds"),
    (["--measure", "nan"], "--measure nan is not within"),
    (["--measure", "soon"], "not a number"),
    (["--stretches", "0"], "use --stretches and --walks"),
    (["--stretches", "1.5"], "not a whole number"),
    (["--stretches", "4", "--walks", "3"], "use --stretches and --walks"),
    (["--walks", "0"], "use --stretches and --walks"),
    (["--agent", "random"], "the agent random learns nothing beforehand"),
]
REFUSED = [
    (["-o", "file"], "file: no weights can be written here (file exists); use another -o"),
    (["-o", "file/in"], "file/in: no weights can be written here (not a directory); use another -o"),
    (["--database", "none/m.db"], "none/m.db: the directory none does not exist"),
    (["--database", "notes.db"], "notes.db: this file is not a SQLite database"),
]


@pytest.mark.parametrize(
    ("words", "sentence", "exit_code"),
    [(*case, 2) for case in USAGE] + [(*case, 1) for case in REFUSED],
)
def test_refusals(
    words: list[str], sentence: str, exit_code: int, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TRAIN, *words]) == exit_code
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("harl-mlir: error: ")
    assert sentence in said.err
    assert (directory / "file").read_text() == "not a directory"
    assert not any(path.suffix in (".ubj", ".npz", ".msgpack") for path in directory.rglob("*"))

    assert main([*TRAIN, *words, "--json"]) == exit_code
    printed = json.loads(capsys.readouterr().out)
    assert printed["status"] == "error"
    assert printed["error"]["message"] in said.err


@pytest.fixture
def problems() -> list[Problem]:
    """Five of the matmuls that are trained on."""
    with Pool() as pool:
        tasks = pool.analyse(module(training_matmuls()[:1900:380]), "problems").tasks
    found = [(task, rules_for(task, this_processor())) for task in tasks]
    return [(task, rules) for task, rules in found if rules is not None]


def test_from_records_to_weights_that_a_walk_uses(
    harl_mlir: Callable[..., Run], problems: list[Problem], tmp_path: Path
) -> None:
    """Most nests are made up, so that few have to be measured; none is so good that it would be shown."""
    with Database(tmp_path / "m.db") as database:
        plant(database, problems, 120, scale=0.5)
    train = (*TRAIN, "--database", "m.db", "--measure", "0.5", "--stretches", "1", "--walks", "2", "-o", "w")
    ended = harl_mlir(*train, "--json", timeout=300)
    assert ended.exit_code == 0, ended.err
    assert ended.object["problems"] > 2200
    assert ended.object["records"] > 600
    assert ended.object["reached"].keys() == {"paper", "product"}
    assert {Path(name).name for name in ended.object["written"]} == {
        *("estimate.npz", "paper.npz", "product.npz", "about.json")
    }
    with Database(tmp_path / "m.db") as database:
        measured = [
            record
            for task in database.tasks()
            for record in database.records(task.key, HERE)
            if record.measurement.samples
        ]
    assert measured
    assert {(record.candidate.sketch, record.agent) for record in measured} == {(SKETCH, "looptune")}

    weights = load(tmp_path / "w")
    about = json.loads((tmp_path / "w" / "about.json").read_text())
    assert about["command"] == (
        "harl-mlir train --agent looptune --database m.db --stretches 1 --measure 0.5 --walks 2 -o w"
    )
    assert str(tmp_path) not in (tmp_path / "w" / "about.json").read_text()
    for task, rules in problems[:2]:
        assert walk(task, rules, weights).best

    (tmp_path / "k.mlir").write_text(Matmul(48, 64, 32).function())
    tuned = harl_mlir("tune", "k.mlir", "--agent", "looptune", "--weights", "w", "--trials", "0", "--json")
    assert tuned.exit_code == 0, tuned.err
    again = harl_mlir(*train, "--seed", "1", timeout=300)
    assert again.exit_code == 1
    assert "training with seed 0 was begun here; go on with that, or use another -o" in again.err


def test_too_few_records_are_refused(harl_mlir: Callable[..., Run]) -> None:
    ended = harl_mlir(*TRAIN, "--database", "m.db", "--measure", "0", "--stretches", "1", "-o", "w")
    assert ended.exit_code == 1
    assert "0 measured nests are too few to learn from" in ended.err
    assert "measure for longer with --measure" in ended.err
    assert "internal error" not in ended.err
