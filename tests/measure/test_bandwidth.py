"""The probe of memory's bandwidth: its kernel moves what is counted, once each time."""

from __future__ import annotations

import subprocess
import sys

from harl_mlir.measure.pool import Pool

MOVES = """
import numpy as np
from harl_mlir.measure.bandwidth import _WAYS, _Part

def words(buffer):
    return buffer.array.view(np.float32)

for way in _WAYS:
    part = _Part(4096, 4096, 64)
    words(part.source)[:] = np.arange(1024)
    part.go(1, way)
    assert np.array_equal(words(part.target)[64:], np.arange(64, 1024))
    part = _Part(4096, 256, 64)
    words(part.source)[:] = np.arange(1024)
    part.go(3, way)
    assert np.array_equal(words(part.target), np.arange(64, 1024).reshape(-1, 64).sum(0))
    part = _Part(256, 4096, 64)
    words(part.target)[:] = 7
    part.go(1, way)
    assert not words(part.target).any()
    assert part.source.slack_intact() and part.target.slack_intact()
"""


def test_what_is_counted_is_moved() -> None:
    done = subprocess.run([sys.executable, "-c", MOVES], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_any_footprint_has_a_bandwidth() -> None:
    with Pool() as pool:
        for read_bytes, written_bytes in ((1 << 20, 1 << 20), (1 << 20, 100), (100, 1 << 20)):
            # From a slow disk's to more than any cache's.
            assert 1e8 < pool.bandwidth(read_bytes, written_bytes) < 1e13
