"""That kernels with buffers of their own hand back what they take."""

from __future__ import annotations

import re
import subprocess
import sys


def test_memory_stays_flat_over_thousands_of_calls() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--calls", "5000"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    growth = [int(bytes_) for bytes_ in re.findall(r"([+-]\d+) after", done.stdout)]
    assert len(growth) == 5
    assert max(growth) < 1 << 20
