"""Peers that go on from case to case."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.peer_process import PeerError
from benchmarks.processes import Processes

HERE = Path(sys.prefix)
CORES = (0,)


def test_one_that_is_free_is_given_out_again() -> None:
    with Processes(keeps=True) as processes:
        first = processes.take(HERE, "numpy", CORES, 1)
        other = processes.take(HERE, "numpy", CORES, 1)
        assert other is not first
        processes.release(first)
        assert processes.take(HERE, "numpy", CORES, 1) is first
        with pytest.raises(PeerError, match="No case is loaded"):
            first.sample(1)  # it answers
        processes.release(first)
        two = processes.take(HERE, "numpy", CORES, 2)
        assert two is not first
        assert not first.is_running
        for process in (other, two):
            process.close()


def test_none_is_kept_that_has_ended_or_unless_asked() -> None:
    with Processes() as processes:
        process = processes.take(HERE, "numpy", CORES, 1)
        processes.release(process)
        assert not process.is_running
    with Processes(keeps=True) as processes:
        process = processes.take(HERE, "numpy", CORES, 1)
        process.close()
        processes.release(process)
        again = processes.take(HERE, "numpy", CORES, 1)
        assert again is not process
        processes.release(again)
    assert not again.is_running
