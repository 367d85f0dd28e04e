"""One worker process as the main process sees it: start, ask, watch its time and memory, end it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from harl_mlir.measure.answers import Answer
from harl_mlir.measure.protocol import Phase, Request, decode_reply, encode

POLL_SECONDS = 0.025
_TAIL_BYTES = 4000
_TAIL_LINES = 12


@dataclass
class WorkerDied(Exception):  # noqa: N818 - it is an outcome, turned into a Failure or an InputError
    """The worker ended or was ended before it answered.

    Attributes:
        cause: `exit` on its own, `timeout` or `memory` by us.
        phase: what it was doing.
        status: exit status; a negative one is the signal that ended it, as in `subprocess`.
        tail: the last lines it wrote to stderr.
    """

    cause: Literal["exit", "timeout", "memory"]
    phase: Phase
    status: int
    tail: str

    def signal_name(self) -> str:
        """How it ended, in words: `SIGSEGV`, `exit status 1`."""
        if self.status < 0:
            with contextlib.suppress(ValueError):
                return signal.Signals(-self.status).name
        return f"exit status {self.status}"


class WorkerProcess:
    """A running worker. Not thread-safe.

    The worker leads a session of its own, so Ctrl-C at the terminal reaches only the main process;
    it dies with the thread that started it (Linux) or soon after this process does.
    """

    def __init__(self, core: int | None, memory_bytes: int, threads: int = 1) -> None:
        self._memory_bytes = memory_bytes
        self._stderr = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - lives as long as the worker
        # Appending: then the file may be emptied between requests while the worker holds it open.
        descriptor = self._stderr.fileno()
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)
        ours, theirs = socket.socketpair()
        command = [
            sys.executable,
            "-P",  # nothing is imported from the directory it happens to run in
            "-m",
            "harl_mlir.measure.worker",
            str(theirs.fileno()),
            str(os.getpid()),
            str(memory_bytes),
            str(threads),
        ]
        if core is not None:
            command.append(str(core))
        with ours, theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._stderr,
                stderr=self._stderr,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=_environment(),
            )
            self._connection = Connection(ours.detach())

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def ask(self, request: Request, limit: Callable[[Phase], float]) -> Answer:
        """Send a request and wait for its answer.

        `limit` gives the seconds allowed for each phase; a request starts in phase `prepare`.
        Raises WorkerDied; then, and on any other exception, the worker is no more.
        """
        try:
            return self._ask(request, limit)
        except BaseException:
            self.close()
            raise

    def _ask(self, request: Request, limit: Callable[[Phase], float]) -> Answer:
        os.ftruncate(self._stderr.fileno(), 0)
        phase = Phase("prepare")
        try:
            self._connection.send_bytes(encode(request))
            deadline = time.monotonic() + limit(phase)
            while True:
                if self._connection.poll(POLL_SECONDS):
                    reply = decode_reply(self._connection.recv_bytes())
                    if not isinstance(reply, Phase):
                        return reply
                    phase = reply
                    deadline = time.monotonic() + limit(phase)
                elif time.monotonic() > deadline:
                    raise self._end("timeout", phase)
                elif resident_bytes(self.pid) > self._memory_bytes:
                    raise self._end("memory", phase)
        except (EOFError, OSError) as error:
            raise self._end("exit", phase) from error

    def _end(self, cause: Literal["exit", "timeout", "memory"], phase: Phase) -> WorkerDied:
        """End the worker and say how it went; one that is ending by itself gets a moment to do so."""
        if cause == "exit":
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=2.0)
        self._kill()
        return WorkerDied(cause, phase, self._process.returncode, self.stderr_tail())

    def stderr_tail(self) -> str:
        """The last lines the worker wrote to stderr for the current request."""
        descriptor = self._stderr.fileno()
        size = os.fstat(descriptor).st_size
        text = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-_TAIL_LINES:])

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the worker. Harmless if it has ended."""
        self._kill()
        self._connection.close()
        self._stderr.close()


def resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 if it has ended."""
    statm = Path(f"/proc/{pid}/statm")
    try:
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        if Path("/proc/self").exists():
            return 0
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(answer.stdout.strip() or 0) * 1024


def _environment() -> dict[str, str]:
    """The worker's environment: this package importable, no thread pools of numerical libraries.

    Nor what the user tells OpenMP runtimes: `--threads` alone says on how many threads kernels run.
    """
    package_root = str(Path(__file__).resolve().parents[2])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "KMP_"))},
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "VECLIB_MAXIMUM_THREADS": "1",
    }
