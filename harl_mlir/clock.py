"""How long this process has run."""

from __future__ import annotations

import os
import time
from pathlib import Path

_IMPORTED = time.monotonic()
_BELIEVABLE_START_UP_SECONDS = 3.0
"""More was spent by a shell that then became this process, as in `sh -c 'first && harl-mlir ...'`."""


def seconds_since_start() -> float:
    """Wall time since the process was started, interpreter start-up and imports included.

    Where the system does not tell (no /proc, or one with another clock), since this module was imported.
    """
    since_import = time.monotonic() - _IMPORTED
    try:
        stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        started = int(stat.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        elapsed = float(time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return since_import
    believable = since_import <= elapsed <= since_import + _BELIEVABLE_START_UP_SECONDS
    return elapsed if believable else since_import
