"""How workers live and die: with the pool, with the parent, at an interrupt."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harl_mlir.errors import InputError
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.limits import Limits
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.process import resident_bytes
from tests.measure import faulty_kernels as faulty

ROOT = Path(__file__).parent.parent.parent


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


def test_worker_is_light_and_pinned(pool: Pool) -> None:
    names = pool.modules()
    assert "harl_mlir.measure.service" in names
    assert not {"torch", "xgboost"} & set(names)
    assert pool.worker_pid is not None
    assert os.sched_getaffinity(pool.worker_pid) == {max(os.sched_getaffinity(0))}
    assert os.getsid(pool.worker_pid) != os.getsid(0)
    assert resident_bytes(pool.worker_pid) > 1 << 20


def test_closing_leaves_no_process_and_the_pool_may_be_used_again() -> None:
    with Pool() as pool:
        pool.modules()
        pid = pool.worker_pid
        assert pid is not None
        pool.close()
        assert not alive(pid)
        pool.modules()
        again = pool.worker_pid
        assert again is not None
    assert not alive(again)


_PARENT = """
import sys
from tests.measure import faulty_kernels as faulty
from harl_mlir.measure.limits import Limits
from harl_mlir.measure.pool import Pool
from dataclasses import replace
pool = Pool(limits=Limits(build_seconds=60, first_run_seconds=60))
(task,) = pool.analyse(faulty.MATMUL, "kernel.mlir").tasks
print(pool.worker_pid, flush=True)
if sys.argv[1] == "hang":
    pool.measure(task, faulty.TRANSFORM_HANGS)
elif sys.argv[1] == "run":
    pool.measure(replace(task, kernel=faulty.FOR_EVER), None)
else:
    sys.stdin.read()
"""


@pytest.mark.parametrize("doing", ["hang", "run", "wait"])
def test_worker_dies_with_its_killed_parent(doing: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, doing],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.3)
        assert alive(worker)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert wait_for_end(worker, 2.0)


def test_an_interrupt_ends_the_worker_and_the_pool_goes_on() -> None:
    with Pool(limits=Limits(build_seconds=60)) as pool:
        (task,) = pool.analyse(faulty.MATMUL, "kernel.mlir").tasks
        pid = pool.worker_pid
        assert pid is not None
        threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            pool.measure(task, faulty.TRANSFORM_HANGS)
        assert not alive(pid)
        assert pool.measure(task, None).ok


def test_worker_that_dies_while_analysing_refuses_the_input(pool: Pool) -> None:
    pool.modules()
    pid = pool.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, [pid, signal.SIGSEGV]).start()
    threading.Timer(0.4, os.kill, [pid, signal.SIGCONT]).start()
    with pytest.raises(InputError, match=r"kernel.mlir: the compiler crashed on it \(SIGSEGV\)"):
        pool.analyse(faulty.MATMUL, "kernel.mlir")
    assert pool.analyse(faulty.MATMUL, "kernel.mlir").tasks


def test_refused_input_carries_its_place(pool: Pool) -> None:
    with pytest.raises(InputError, match=r"^kernel\.mlir:2"):
        pool.analyse("func.func @k() {\n  nonsense\n}", "kernel.mlir")


def test_worker_that_cannot_start_is_no_fault_of_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with Pool() as pool, pytest.raises(WorkerError, match="the worker process failed"):
        pool.analyse(faulty.MATMUL, "kernel.mlir")
