"""The peer's side of the protocol: JSON lines on stdin and stdout, one case at a time.

Runs in the peer's own virtual environment, so it needs nothing but NumPy and the standard library.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DISTURBED = 1.03  # wall time over CPU time from which a sample counts as disturbed by another process
ALIGNMENT = 64
ATTEMPTS = 3  # samples tried for each one asked for
LEAST = 3  # undisturbed samples; where there are fewer, the CPU time of all counts


class UnsupportedError(Exception):
    """The peer has no such operation; the message is one sentence."""


@dataclass(frozen=True)
class Problem:
    """One case as the peer is given it.

    Attributes:
        case: the fields of the case, as in `suite.json`.
        contender: which of the peer's contenders is asked for.
        kernel: path of the case's MLIR kernel.
        inputs: operands in the case's layout, contiguous float32, aligned as ours are.
        store: folder for results worth keeping from run to run.
    """

    case: dict[str, Any]
    contender: str
    kernel: str
    inputs: list[np.ndarray]
    store: str


@dataclass(frozen=True)
class Program:
    """A case made ready.

    Attributes:
        call: runs it once and returns when the result is there.
        result: the latest result, as an array in the case's layout.
        tuning_seconds: what the search for it took when it was made; None for a peer that does not search.
    """

    call: Callable[[], object]
    result: Callable[[], np.ndarray]
    tuning_seconds: float | None = None


def aligned(array: np.ndarray) -> np.ndarray:
    """A contiguous copy at a multiple of 64 bytes; some libraries are slower elsewhere."""
    memory = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def time_samples(
    call: Callable[[], object], samples: int, sample_seconds: float, threads: int = 1
) -> list[float]:
    """Seconds of one call for each undisturbed sample; where there are too few, the CPU time in each.

    A sample is as many calls as take `sample_seconds`, at least one. With several threads the CPU time is
    the wall time without what one of them waited for a core, but no less than their part of it.
    """
    count = 1
    while (seconds := _wall(call, count)) < sample_seconds:
        count = max(count + 1, min(count * 10, int(count * sample_seconds / max(seconds, 1e-9) * 1.05)))
    kept: list[float] = []
    cpu: list[float] = []
    while len(kept) < samples and len(cpu) < ATTEMPTS * samples:
        before, waited = time.process_time(), _waited() if threads > 1 else {}
        wall = _wall(call, count)
        own = time.process_time() - before
        if threads > 1:
            own = max(wall - _longest(waited), min(wall, own / threads))
        cpu.append(own / count)
        if wall <= DISTURBED * cpu[-1] * count:
            kept.append(wall / count)
    # As our own clock does: on a machine that is never quiet nobody is left out.
    return kept if len(kept) >= min(LEAST, samples) else cpu


def _longest(before: dict[str, float]) -> float:
    """Seconds that the thread which waited longest since then was ready to run and had no core."""
    return max((waited - before.get(thread, 0.0) for thread, waited in _waited().items()), default=0.0)


def _waited() -> dict[str, float]:
    """Seconds that each thread of this process has been ready to run and had no core."""
    waited = {}
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            waited[thread.name] = int((thread / "schedstat").read_text(encoding="ascii").split()[1]) * 1e-9
    return waited


def _wall(call: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in itertools.repeat(None, count):
        call()
    return time.perf_counter() - started


def serve(version: str, load: Callable[[Problem], Program]) -> None:
    """Answer requests until stdin ends. What libraries print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def reply(value: dict[str, Any]) -> None:
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    program: Program | None = None
    threads = 1
    reply({"version": version})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "load":
                program = None
                gc.enable()
                gc.collect()
                threads = int(request["case"].get("threads", 1))
                program, answer = _load(request, load)
                gc.disable()
                reply(answer)
            elif program is None:
                reply({"error": "No case is loaded."})
            else:
                samples, long = request["samples"], request["sample_seconds"]
                seconds = time_samples(program.call, samples, long, threads)
                reply({"seconds": seconds})
        except UnsupportedError as unsupported:
            reply({"unsupported": str(unsupported)})
        except Exception as error:
            traceback.print_exc()
            reply({"error": _sentence(error)})


def _load(request: dict[str, Any], load: Callable[[Problem], Program]) -> tuple[Program, dict[str, Any]]:
    inputs = [aligned(np.load(path)) for path in request["inputs"]]
    started = time.perf_counter()
    problem = Problem(request["case"], request["contender"], request["kernel"], inputs, request["store"])
    program = load(problem)
    program.call()
    seconds = time.perf_counter() - started
    np.save(request["output"], np.ascontiguousarray(program.result()))
    return program, {"build_seconds": seconds, "tuning_seconds": program.tuning_seconds}


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else "no message"
    return f"{type(error).__name__}: {text}"[:300]
