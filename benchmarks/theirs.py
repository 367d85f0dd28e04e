"""The peers as contenders of a pass."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.inputs import Array, Reference, arguments, reference
from benchmarks.passes import ContenderError
from benchmarks.peer_process import Built, PeerError, PeerProcess, Unavailable
from benchmarks.processes import Processes
from benchmarks.suite import Case
from harl_mlir.measure.clock import CAREFUL

PASS_SECONDS = 4.0
"""A peer whose samples take longer gets fewer of them in a pass."""
SLOW_SECONDS = 10.0
"""A peer with longer calls is sampled once and takes part in no pass."""
_LIMIT_SECONDS = 900.0


@dataclass(frozen=True)
class CaseFiles:
    """A case as the peers get it: its kernel and its arguments in files, and what the result should be."""

    case: Case
    folder: Path
    kernel: Path
    inputs: tuple[Path, ...]
    reference: Reference


def write_case(case: Case, kernel: str, folder: Path) -> CaseFiles:
    """Write what peers are given into a folder of its own."""
    given: list[Array] = arguments(case)
    names = tuple(folder / f"{number}.npy" for number in range(len(given)))
    for name, value in zip(names, given, strict=True):
        np.save(name, value)
    file = folder / "kernel.mlir"
    file.write_text(kernel, encoding="utf-8")
    return CaseFiles(case, folder, file, names, reference(case, given))


class Peer:
    """A peer that has built the case, whose result was right.

    Attributes:
        build_seconds, tuning_seconds: see `Built`.
        call_seconds: of one call; decides how many samples a pass takes. `settle` finds it.
        sampling: what a pass takes of it.
    """

    def __init__(self, name: str, process: PeerProcess, built: Built, processes: Processes) -> None:
        self.name = name
        self.build_seconds = built.build_seconds
        self.tuning_seconds = built.tuning_seconds
        self.version = process.version
        self._process = process
        self._processes = processes
        self.sampling = CAREFUL
        self.call_seconds = self.sampling.sample_seconds

    def settle(self, cores: Sequence[int]) -> None:
        """Move it to the cores where it is timed, and see how long a call takes. Raises ContenderError."""
        with contextlib.suppress(PeerError):  # of one that has ended: so does the sample
            self._process.pin(cores)
        self.call_seconds = min(self._take(1))

    def sample(self) -> list[float]:
        """Seconds of one call in each sample. Raises ContenderError."""
        affordable = int(PASS_SECONDS / max(self.call_seconds, self.sampling.sample_seconds))
        return self._take(max(1, min(self.sampling.samples, affordable)))

    def rest(self) -> None:
        """Stop it until its next sample if it has several threads: those may wait without sleeping."""
        if self._process.threads > 1:
            self._process.pause()

    @property
    def is_slow(self) -> bool:
        """Whether its calls are too long for passes."""
        return self.call_seconds > SLOW_SECONDS

    def close(self) -> None:
        """Let its process go."""
        self._processes.release(self._process)

    def _take(self, samples: int) -> list[float]:
        if self._process.threads > 1:
            self._process.resume()
        try:
            return self._process.sample(samples, self.sampling.sample_seconds, _LIMIT_SECONDS)
        except PeerError as error:
            raise ContenderError(str(error)) from None
        finally:
            self.rest()


def load_peer(
    name: str,
    files: CaseFiles,
    environment: Path,
    cores: Sequence[int],
    store: Path,
    started: Callable[[PeerProcess], None],
    processes: Processes,
) -> Peer | Unavailable:
    """Have a peer build the case, and check its result; or why there is none.

    `started` is given the process before it builds.
    """
    try:
        process = processes.take(environment, name, cores, files.case.threads)
    except PeerError as error:
        return Unavailable(str(error))
    started(process)
    try:
        answer = _checked(process, name, files, store)
    except BaseException:
        process.close()
        raise
    if isinstance(answer, Unavailable):
        processes.release(process)
        return answer
    peer = Peer(name, process, answer, processes)
    peer.rest()
    return peer


def _checked(process: PeerProcess, name: str, files: CaseFiles, store: Path) -> Built | Unavailable:
    output = files.folder / f"{name}.npy"
    answer = process.load(dict(files.case.fields), files.kernel, list(files.inputs), output, store)
    if isinstance(answer, Unavailable):
        return answer
    try:
        wrong = files.reference.mismatch(np.load(output), files.case)
    except (OSError, ValueError) as error:
        wrong = f"its result cannot be read ({error})"
    output.unlink(missing_ok=True)
    return Unavailable(f"Wrong: {wrong}.") if wrong else answer
