"""The running peers of a run: one that has ended a case may begin the next, so that it starts only once."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peer_process import PeerError, PeerProcess


class Processes:
    """Starts peers and, if it keeps them, gives out those that are free again.

    A context: at its end all that are free are ended.

    Args:
        keeps: whether a peer that is released goes on.
    """

    def __init__(self, keeps: bool = False) -> None:
        self._keeps = keeps
        self._free: dict[str, PeerProcess] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._free.values():
            process.close()
        self._free.clear()

    def take(self, environment: Path, contender: str, cores: Sequence[int], threads: int) -> PeerProcess:
        """A peer on these cores with so many threads. Raises PeerError if it does not start."""
        free = self._free.pop(contender, None)
        if free is not None and free.threads == threads:
            with contextlib.suppress(PeerError):  # it has ended since
                free.resume()
                free.pin(cores)
                return free
        if free is not None:
            free.close()
        return PeerProcess(environment, contender, cores, threads)

    def release(self, process: PeerProcess) -> None:
        """Take back a peer that is not at work."""
        if self._keeps and process.is_running:
            process.pause()
            self._free[process.contender] = process
        else:
            process.close()
