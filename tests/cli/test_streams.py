"""Standard streams that are missing, full or left by their reader, and signals that come early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = f"{sys.executable} -m harl_mlir tune none.mlir --json"


def run(
    words: str, directory: Path, before: Callable[[], object] | None = None
) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        ["/bin/sh", "-c", f"exec {words}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=directory,
        env={**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": ""},
        preexec_fn=before,
    )


@pytest.mark.parametrize("streams", ["", ">&-", "2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full"])
def test_streams_that_cannot_be_used(streams: str, tmp_path: Path) -> None:
    done = run(f"{COMMAND} {streams}", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if ">" not in streams.replace("2>", ""):
        assert json.loads(done.stdout)["status"] == "error"


def test_a_full_stdout_is_said(tmp_path: Path) -> None:
    done = run(f"{COMMAND} >/dev/full", tmp_path)
    assert "stdout cannot be written (No space left on device)" in done.stderr


def test_a_reader_that_has_left(tmp_path: Path) -> None:
    done = run(f"{COMMAND} | true", tmp_path)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_modules_are_loaded(number: signal.Signals, tmp_path: Path) -> None:
    def pending() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        os.kill(os.getpid(), number)

    done = run(COMMAND, tmp_path, pending)
    assert done.returncode == 130
    assert json.loads(done.stdout)["status"] == "interrupted"
    assert done.stderr == "harl-mlir: interrupted\n"
