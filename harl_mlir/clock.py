"""How long this process has run."""

from __future__ import annotations

import time
from pathlib import Path

_IMPORTED = time.monotonic()


def seconds_since_start() -> float:
    """Wall time since the process was started, interpreter start-up and imports included.

    Where the system does not tell (no /proc), since this module was imported.
    """
    try:
        fields = (
            Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, time.monotonic() - _IMPORTED)
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - _IMPORTED
