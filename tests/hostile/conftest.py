"""What the hostile inputs share: one process for all of them, and what every refusal must be like."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.cli import apply, explain, export, opt, record_space, reproduce, time
from harl_mlir.cli.main import main
from harl_mlir.measure.limits import Limits
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.process import WorkerProcess
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.task import Task
from harl_mlir.tuner import session
from tests.hostile.databases import good
from tests.hostile.kernels import GOOD

_DIAGNOSES = (
    "not valid MLIR",
    "the transform script failed",
    "it cannot be lowered",
    "LLVM cannot compile it",
    "harl-apply-schedules failed",
)
"""What MLIR says is wrong, with its place, is remedy enough."""
_MODULES = (apply, explain, export, opt, record_space, reproduce, session, time)


class KeptPool(Pool):
    """A pool whose worker the next pool goes on with, so that not every input waits for a new one."""

    kept: WorkerProcess | None = None

    def __init__(
        self,
        core: int | None = None,
        limits: Limits | None = None,
        accuracy: Accuracy = DEFAULT_ACCURACY,
        threads: int = 1,
    ) -> None:
        super().__init__(core, limits, accuracy, threads)
        self._keeps = threads == 1
        if self._keeps:
            self._worker, KeptPool.kept = KeptPool.kept, None

    def close(self) -> None:
        if self._keeps:
            KeptPool.kept, self._worker = self._worker, None
        else:
            super().close()


def children() -> set[int]:
    """Processes that this one has started and that are still there."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.fixture(scope="session")
def _no_orphans() -> Iterator[None]:
    yield
    if KeptPool.kept is not None:
        KeptPool.kept.close()
        assert KeptPool.kept.pid not in children()
        KeptPool.kept = None


@pytest.fixture(scope="session")
def task(_no_orphans: None) -> Task:
    """That of `good.mlir`."""
    with KeptPool() as pool:
        (found,) = pool.analyse(GOOD, "good.mlir").tasks
    return found


@pytest.fixture(scope="session")
def library(task: Task) -> str:
    """A library for `good.mlir`."""
    with KeptPool() as pool:
        return pool.library([(task, sketches_for(task, this_processor())[0].default())])


@pytest.fixture(scope="session")
def recorded(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of one record for it, its number 1."""
    path = tmp_path_factory.mktemp("recorded") / "m.db"
    good(path, task, sketches_for(task, this_processor())[0].default())
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return path


@dataclass(frozen=True)
class Told:
    """How a command ended: its exit code, the error's sentence, and all of stderr."""

    exit_code: int
    sentence: str
    err: str


@pytest.fixture
def tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], _no_orphans: None
) -> Callable[..., Told]:
    """Runs a command in this process, in a directory with `good.mlir`, and checks how it ends.

    A refusal is one sentence with a fault and a remedy or a place in the input; nothing is written, no
    process is left but the worker. Of a success nothing is asked but one JSON object.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "good.mlir").write_text(GOOD)
    for module in _MODULES:
        monkeypatch.setattr(module, "Pool", KeptPool)

    def run(*words: str | Path, files: bool = False) -> Told:
        before, held = listing(tmp_path), children()
        code = main([*map(str, words), "--json"])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "internal error" not in err, err
        said = json.loads(out)
        worker = {KeptPool.kept.pid} if KeptPool.kept else set()
        assert children() - held <= worker
        if code == 0:
            assert said["status"] == "ok"
            return Told(code, "", err)
        assert code in (1, 2), err
        errors = [line for line in err.splitlines() if line.startswith("harl-mlir: error: ")]
        assert len(errors) == 1, err
        assert err.rstrip().endswith(errors[0])
        assert said["status"] == "error"
        sentence = errors[0].removeprefix("harl-mlir: error: ")
        assert said["error"]["message"] in sentence
        assert "; " in sentence or any(diagnosis in sentence for diagnosis in _DIAGNOSES), sentence
        assert len(sentence) < 1500
        assert all(character.isprintable() for character in sentence), sentence
        if not files:
            assert listing(tmp_path) == before
        return Told(code, sentence, err)

    return run


def listing(directory: Path) -> list[str]:
    """All files but those of the cache."""
    found: list[str] = []
    for root, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if name != "cache"]
        found += [str(Path(root) / name) for name in (*files, *directories)]
    return sorted(found)
