"""Another library as a contender: a process of its own environment, asked to build a case and to time it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 120.0
LOAD_SECONDS = 600.0
SAMPLE_SECONDS = 0.004
_PRESETS = ("OPENBLAS_", "GOTO_", "MKL_", "OMP_", "KMP_", "TORCHINDUCTOR_", "XLA_", "TVM_")
_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "TVM_NUM_THREADS", "NPROC")
# glibc's allocator otherwise returns large results to the system, or not, by what was allocated before:
# a call of torch's then has hundreds of page faults or none, and ten times the time or not.
_MEMORY_KEPT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(1 << 26),
    "MALLOC_ARENA_MAX": "1",  # the arenas of other threads hold no large results
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # huge pages, as NumPy's arrays and our operands ask for
}
_PEERS = Path(__file__).resolve().parent / "peers"


@dataclass(frozen=True)
class PeerKind:
    """What a contender needs.

    Attributes:
        environment: name of its virtual environment, see `environments.py`.
        program: file in `peers/` that its interpreter runs.
        load_seconds: how long building a case may take.
        is_compared: whether it computes the same function as the others. One that does not is timed and
            shown, and no ratio is taken to it.
        kinds: the kinds of cases it is asked for; None for all.
        plain_only: whether it is only asked for f32, one thread, and no epilogue but bias and ReLU.
    """

    environment: str
    program: str
    load_seconds: float = LOAD_SECONDS
    is_compared: bool = True
    kinds: frozenset[str] | None = None
    plain_only: bool = False

    def is_asked_for(self, case: Mapping[str, Any]) -> bool:
        """Whether it is a contender for a case of these fields at all."""
        plain = case.get("epilogue", "") in ("", "bias_relu") and not {"element", "threads"} & case.keys()
        return (self.kinds is None or case["kind"] in self.kinds) and (plain or not self.plain_only)


_CONVOLUTIONS = frozenset({"conv", "transposed_conv"})
_CONTRACTIONS = _CONVOLUTIONS | {"matmul", "matvec", "vecmat"}

CONTENDERS: dict[str, PeerKind] = {
    "numpy": PeerKind("torch", "numpy_peer.py"),
    "torch": PeerKind("torch", "torch_peer.py"),
    "torch_channels_last": PeerKind("torch", "torch_peer.py", kinds=_CONVOLUTIONS),
    "inductor": PeerKind("torch", "torch_peer.py"),
    # Its filter is a constant that it lays out anew when it compiles; all others get it with each call.
    "inductor_frozen": PeerKind("torch", "torch_peer.py", is_compared=False, kinds=_CONVOLUTIONS),
    "jax": PeerKind("jax", "jax_peer.py"),
    "iree": PeerKind("iree", "iree_peer.py"),
    "iree_data_tiling": PeerKind("iree", "iree_peer.py", kinds=_CONTRACTIONS),
    "metaschedule": PeerKind("tvm", "tvm_peer.py", load_seconds=1800.0, kinds=_CONTRACTIONS, plain_only=True),
}


@dataclass(frozen=True)
class Built:
    """The case is built and ran once.

    Attributes:
        build_seconds: what that took.
        tuning_seconds: what the peer's search took, now or when its result was stored; None without one.
    """

    build_seconds: float
    tuning_seconds: float | None = None


@dataclass(frozen=True)
class Unavailable:
    """The peer has no result for this case.

    Attributes:
        reason: one sentence.
        unsupported: the peer has no such operation, as against one that failed.
    """

    reason: str
    unsupported: bool = False


class PeerError(Exception):
    """A peer that ended, took too long or failed; the message is one sentence. It must be closed then."""


class PeerProcess:
    """A running peer. Not thread-safe, but any thread may close it.

    It runs on `cores` (None: on any) with so many threads, without presets for BLAS libraries of the
    caller's environment, and ends with the caller's end of the pipe or by `close`.

    Attributes:
        contender, threads: with what it was started.
        version: of the library, as it says itself.
    """

    def __init__(
        self, environment: Path, contender: str, cores: Sequence[int] | None = None, threads: int = 1
    ) -> None:
        """Start the peer with the interpreter of the virtual environment in the folder `environment`.

        Raises:
            PeerError: it does not start.
        """
        self.contender = contender
        self.threads = threads
        self._kind = CONTENDERS[contender]
        command = [str(environment / "bin" / "python"), str(_PEERS / self._kind.program)]
        if cores is not None:
            command = ["taskset", "-c", ",".join(map(str, cores)), *command]
        with contextlib.ExitStack() as opened:
            self._stderr = opened.enter_context(tempfile.TemporaryFile("w+b"))
            try:
                self._process = opened.enter_context(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=self._stderr,
                        env=peer_environment(os.environ, threads),
                        start_new_session=True,  # so that its own workers end with it
                    )
                )
            except OSError as error:
                raise PeerError(f"{contender} does not start: {error}.") from None
            self._open = opened.pop_all()
        self._unread = b""
        try:
            self.version = str(self._answer(START_SECONDS)["version"])
        except PeerError:
            self.close()
            raise

    def load(
        self, case: dict[str, Any], kernel: Path, inputs: list[Path], output: Path, store: Path
    ) -> Built | Unavailable:
        """Have it build a case and write its result to `output`.

        Args:
            case: the case's fields, as in `suite.json`.
            kernel: its MLIR kernel.
            inputs: its operands, .npy files in canonical layout.
            output: .npy file to write, in canonical layout.
            store: folder of results kept from run to run (MetaSchedule's records).
        """
        request = {
            "do": "load",
            "case": case,
            "contender": self.contender,
            "kernel": str(kernel),
            "inputs": [str(path) for path in inputs],
            "output": str(output),
            "store": str(store),
        }
        try:
            answer = self._ask(request, self._kind.load_seconds)
        except PeerError as error:
            return Unavailable(str(error))
        if "unsupported" in answer:
            return Unavailable(answer["unsupported"], unsupported=True)
        if "error" in answer:
            return Unavailable(answer["error"])
        return Built(float(answer["build_seconds"]), answer["tuning_seconds"])

    def sample(
        self, samples: int, sample_seconds: float = SAMPLE_SECONDS, limit_seconds: float = 120.0
    ) -> list[float]:
        """Seconds of one call in each of at most `samples` undisturbed samples.

        Where nearly all were disturbed: the CPU time of a call in each of them.

        Raises:
            PeerError: nothing is loaded, or the peer ended or took longer than `limit_seconds`.
        """
        request = {"do": "time", "samples": samples, "sample_seconds": sample_seconds}
        answer = self._ask(request, limit_seconds)
        if "error" in answer:
            raise PeerError(answer["error"])
        return [float(seconds) for seconds in answer["seconds"]]

    def pin(self, cores: Sequence[int]) -> None:
        """Move it to these cores; raises PeerError if it has ended."""
        try:
            for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), set(cores))
        except OSError:
            raise PeerError(self._ended()) from None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def pause(self) -> None:
        """Stop all of its threads, also those that wait for work without sleeping, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it and its children, at once."""
        self._signal(signal.SIGKILL)
        self._process.wait()  # A thread that waits for its answer sees the end before the pipe is closed.
        with contextlib.suppress(OSError):
            self._open.close()

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise PeerError(self._ended()) from None
        return self._answer(seconds)

    def _answer(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        until = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, until - time.monotonic())):
                    self.close()
                    raise PeerError(f"{self.contender} took longer than {seconds:g} s and was ended.")
                data = os.read(self._process.stdout.fileno(), 65536)
                if not data:
                    raise PeerError(self._ended())
                self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise PeerError(f"{self.contender} answered something that is no object.")
        return answer

    def _ended(self) -> str:
        if self._stderr.closed:
            return f"{self.contender} was ended before."
        status = self._process.wait()
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"{self.contender} ended with status {status}: {lines[-1][:200] if lines else 'no message'}"


def peer_environment(variables: os._Environ[str] | dict[str, str], threads: int = 1) -> dict[str, str]:
    """A copy without presets for numeric libraries, for so many threads, which keeps freed memory."""
    kept = {name: value for name, value in variables.items() if not name.startswith(_PRESETS)}
    kept.pop("PYTHONPATH", None)
    return kept | dict.fromkeys(_THREADS, str(threads)) | _MEMORY_KEPT
