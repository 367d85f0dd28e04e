"""The peers of one case, loaded on another core while ours are tuned, where there is another one."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.peer_process import PeerProcess, Unavailable
from benchmarks.processes import Processes
from benchmarks.suite import Case
from benchmarks.theirs import CaseFiles, Peer, load_peer, write_case

Tell = Callable[[str, Peer | Unavailable], None]


class Loading:
    """Loads peers one after the other.

    A context: at its end every peer is closed, also those that are still at work.

    Args:
        case, kernel: the case and its MLIR text.
        environments: of each peer, by its name, in the order of loading.
        store: see `PeerProcess.load`.
        tell: is told of each peer, loaded or not, as soon as it is known; from another thread.
        processes: where peers come from and go to; by default each starts anew, and is ended.
    """

    def __init__(
        self,
        case: Case,
        kernel: str,
        environments: Sequence[tuple[str, Path]],
        store: Path,
        tell: Tell,
        processes: Processes | None = None,
    ) -> None:
        self._case = case
        self._kernel = kernel
        self._environments = environments
        self._store = store
        self._tell = tell
        self._processes = processes or Processes()
        self._loaded: list[Peer] = []
        self._at_work: PeerProcess | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> Loading:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._at_work is not None:
            self._at_work.close()
        for peer in self._loaded:
            peer.close()
        self._folder.cleanup()

    def start(self, core: int) -> None:
        """Begin on a core of its own."""
        # A daemon: a peer that is still building when the run is interrupted is not waited for.
        self._thread = threading.Thread(target=self._load, args=((core,),), daemon=True)
        self._thread.start()

    def peers(self, cores: Sequence[int]) -> list[Peer]:
        """All that built the case rightly; waits for those still at work, or begins on `cores`."""
        if self._thread is None:
            self._load(cores)
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return list(self._loaded)

    def _load(self, cores: Sequence[int]) -> None:
        try:
            if self._thread is not None:
                os.sched_setaffinity(0, set(cores))  # of this thread alone
            if self._environments:
                files = write_case(self._case, self._kernel, Path(self._folder.name))
                for name, environment in self._environments:
                    self._load_one(name, environment, files, cores)
        except BaseException as error:
            self._error = error

    def _load_one(self, name: str, environment: Path, files: CaseFiles, cores: Sequence[int]) -> None:
        if self._ended.is_set():
            return
        outcome = load_peer(name, files, environment, cores, self._store, self._started, self._processes)
        self._at_work = None
        if self._ended.is_set():
            if isinstance(outcome, Peer):
                outcome.close()
            return
        if isinstance(outcome, Peer):
            self._loaded.append(outcome)
        self._tell(name, outcome)

    def _started(self, process: PeerProcess) -> None:
        self._at_work = process
