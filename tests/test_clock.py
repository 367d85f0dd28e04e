"""The time since the process's start is this program's own."""

from __future__ import annotations

import subprocess
import sys

_TELL = "from harl_mlir.clock import seconds_since_start; print(seconds_since_start())"


def test_what_a_shell_did_before_it_became_this_process_does_not_count() -> None:
    script = f'sleep 4; exec {sys.executable} -c "{_TELL}"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert 0 <= float(done.stdout) < 4


def test_start_up_counts() -> None:
    script = f"import time; time.sleep(0.5); {_TELL}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert float(done.stdout) >= 0.5
