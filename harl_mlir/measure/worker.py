"""The worker process: `python -m harl_mlir.measure.worker SOCKET PARENT MEMORY THREADS [CORE]`.

Everything that parses, transforms, compiles or runs user input happens here. It dies with its parent:
on Linux by the kernel's parent-death signal, whatever it is doing; elsewhere by a thread that looks
every half second (which has to wait while the compiler hangs).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from harl_mlir.measure.protocol import decode_request, encode

_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5
_MOST_OUTPUT_BYTES = 256 << 20


def main(arguments: list[str]) -> int:
    """Serve requests from the socket until it is closed."""
    descriptor, parent, memory_bytes, threads = (int(a) for a in arguments[:4])
    die_with(parent)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_OUTPUT_BYTES, _MOST_OUTPUT_BYTES))
    _pin(int(arguments[4]) if len(arguments) > 4 else None, threads)
    # Modules are no garbage: looking through them for some takes a tenth of the time they take to load.
    gc.disable()
    # Only now: importing the bindings takes a while, and the parent may die meanwhile.
    from harl_mlir.measure.service import Service

    # Nor need later collections, of which IR in Python's hands makes many.
    gc.freeze()
    gc.enable()
    connection = Connection(descriptor)
    service = Service(lambda phase: connection.send_bytes(encode(phase)), memory_bytes, threads)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            connection.send_bytes(encode(service.answer(decode_request(connection.recv_bytes()))))
    return 0


def die_with(parent: int) -> None:
    """Have this process end when process `parent` (on Linux: the thread that started it) does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _pin(core: int | None, threads: int) -> None:
    """Stay on one core for each thread: the given one, and the last of those this process may use."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0), reverse=True)
        first = [core] if core in allowed else []
        chosen = [*first, *(other for other in allowed if other != core)]
        os.sched_setaffinity(0, set(chosen[:threads]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
