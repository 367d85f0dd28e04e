"""Databases of every bad kind, given to every command that takes one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harl_mlir.records import database as database_module
from tests.hostile.databases import DAMAGED, UNUSABLE

COMMANDS = {
    "tune": ("tune", "good.mlir", "--trials", "1", "--agent", "default", "--db", "m.db"),
    "explain": ("explain", "1", "--db", "m.db"),
    "reproduce": ("reproduce", "1", "-o", "out", "--db", "m.db"),
    "train": ("train", "--database", "m.db", "-o", "weights"),
}


@pytest.fixture
def path(recorded: Path, tmp_path: Path) -> Path:
    """A good database."""
    (tmp_path / "m.db").write_bytes(recorded.read_bytes())
    return tmp_path / "m.db"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_ones(name: str, command: str, path: Path, tell: Callable[..., Any]) -> None:
    UNUSABLE[name](path)
    before = path.read_bytes()
    told = tell(*COMMANDS[command])
    assert told.exit_code == 1
    assert told.sentence.startswith("m.db: ")
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", ["explain", "reproduce"])
@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_ones(name: str, command: str, path: Path, tell: Callable[..., Any]) -> None:
    DAMAGED[name](path)
    tell(*COMMANDS[command], files=True)


def test_a_good_one(path: Path, tell: Callable[..., Any]) -> None:
    assert tell(*COMMANDS["explain"]).exit_code == 0
    assert tell(*COMMANDS["reproduce"]).exit_code == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_one_that_another_process_holds(
    command: str, path: Path, tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module.Database.__init__, "__defaults__", (0.1,))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    told = tell(*COMMANDS[command], files=True)
    holder.close()
    assert "another process keeps this database locked" in told.sentence


PLACES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a directory": lambda path: path.mkdir(),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nowhere/m.db"),
    "the null device": lambda path: path.symlink_to("/dev/null"),
    "the full device": lambda path: path.symlink_to("/dev/full"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", PLACES)
def test_places(name: str, command: str, tmp_path: Path, tell: Callable[..., Any]) -> None:
    PLACES[name](tmp_path / "m.db")
    told = tell(*COMMANDS[command], files=True)
    if (name, command) != ("missing", "tune"):
        assert told.exit_code == 1
        assert told.sentence.startswith("m.db: ")
