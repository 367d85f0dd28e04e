"""A short soak: planted faults are named, every trial has its record, and nothing is left over."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.planted_faults import FAULTS
from harl_mlir.measure.measurement import FAILURE_KINDS


def test_a_hundred_and_twenty_trials_with_every_fault() -> None:
    command = [sys.executable, "-m", "benchmarks.soak_tuning", "--trials", "120", "--faults", "0.25"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "120 records of 120 trials" in done.stdout
    planted = done.stdout.partition("planted: ")[2].splitlines()[0]
    assert all(name in planted for name in FAULTS), planted


def test_faults_end_as_failures_of_known_kinds() -> None:
    assert {fault.kind for fault in FAULTS.values()} < set(FAILURE_KINDS)
