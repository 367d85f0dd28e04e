"""Learners are loaded beside the measuring process, and only those that an agent needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harl_mlir.search import preload
from harl_mlir.search.registry import AGENTS

_PROBE = """
import sys, threading
from harl_mlir.search import preload
preload._cores = lambda: int(sys.argv[2])
preload.preload(sys.argv[1])
for thread in threading.enumerate():
    if thread.name == "preload":
        thread.join()
print(*(name for name in ("xgboost", "optuna") if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("agent", "cores", "loaded"),
    [("harl", 2, "xgboost"), ("harl", 1, ""), ("evolutionary", 2, "xgboost"), ("random", 2, "")],
)
def test_an_agent_has_its_learners_loaded_where_a_core_is_to_spare(
    agent: str, cores: int, loaded: str
) -> None:
    command = [sys.executable, "-c", _PROBE, agent, str(cores)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == loaded


def test_a_learner_that_is_missing_is_left_to_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(preload._LEARNERS) <= set(AGENTS)
    monkeypatch.setitem(sys.modules, "xgboost", None)
    preload._import(("xgboost",))


def test_a_process_that_ends_meanwhile_says_nothing_of_it() -> None:
    program = """
from harl_mlir.search import preload
preload._cores = lambda: 2
preload.preload("evolutionary")
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout + done.stderr == ""
