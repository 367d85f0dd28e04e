"""What tests of the command line share: running it as users do, in a directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


_CORES = frozenset(os.sched_getaffinity(0))
"""Those of all processes of pytest together."""
_HANDLERS = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


@dataclass(frozen=True)
class Run:
    """How a command ended; `object` is the JSON object on stdout."""

    exit_code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.out)
        return answer


def pytest_configure() -> None:
    """Give each process of pytest-xdist a core of its own: what it starts would all run on the last one."""
    os.environ["HARL_MLIR_TEST_CORES"] = str(len(_CORES))
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if number:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(number) % len(cores)]})


@pytest.fixture(scope="module")
def all_cores() -> Iterator[None]:
    """Let what is started run on every core, also where pytest-xdist runs a process a core."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _CORES)
    yield
    os.sched_setaffinity(0, own)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Leave no handler of the command line's, run in this process, to the tests that come after."""
    yield
    for number, handler in _HANDLERS.items():
        signal.signal(number, handler)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """This process's environment with a cache of its own and this checkout importable."""
    return {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def harl_mlir(tmp_path: Path, environment: dict[str, str]) -> Callable[..., Run]:
    """Runs `harl-mlir WORDS...` in `tmp_path`."""

    def run(*words: str | Path, timeout: float = 120) -> Run:
        ended = subprocess.run(
            [sys.executable, "-m", "harl_mlir", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=timeout,
            check=False,
        )
        return Run(ended.returncode, ended.stdout, ended.stderr)

    return run
