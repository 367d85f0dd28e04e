"""Planted faults: each is named exactly, the next candidate is still measured, nothing is orphaned."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from harl_mlir.measure.measurement import FailureKind
from harl_mlir.measure.pool import Pool
from harl_mlir.tasks.task import Task
from tests.measure import faulty_kernels as faulty


@pytest.fixture(scope="module")
def task(hasty_pool: Pool) -> Task:
    (found,) = hasty_pool.analyse(faulty.MATMUL, "kernel.mlir").tasks
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


KERNELS: dict[str, tuple[str, FailureKind, str]] = {
    "aborts": (faulty.ABORTS, "crash", "SIGABRT"),
    "writes through null": (faulty.NULL, "crash", "SIGSEGV"),
    "unknown symbol": (faulty.UNKNOWN_SYMBOL, "jit", "no_such_symbol_anywhere"),
    "wrong numbers": (faulty.WRONG, "wrong_result", "of 256 elements are wrong"),
    "not lowered": (faulty.NOT_LOWERED, "lower", "tosa.abs"),
    "runs for ever": (faulty.FOR_EVER, "run_timeout", "did not end in 0.5 s"),
    "writes behind": (faulty.WRITES_FAR_BEHIND, "out_of_bounds", "guard page"),
    "writes before": (faulty.WRITES_FAR_BEFORE, "out_of_bounds", "guard page"),
    "reads behind": (faulty.READS_BEHIND, "out_of_bounds", "guard page"),
    "changes an input": (faulty.CHANGES_ITS_INPUT, "wrong_result", "changed its argument 0"),
    "asks for much": (faulty.allocating(2, 1), "out_of_memory", "allocates"),
    "uses much": (faulty.allocating(0.25, 3), "out_of_memory", "GiB in phase run"),
    "no kernel": ("module {}", "lower", "no function @kernel"),
}
SCRIPTS: dict[str, tuple[str, FailureKind, str]] = {
    "hangs": (faulty.TRANSFORM_HANGS, "build_timeout", "not built in 5 s"),
    "crashes": (faulty.TRANSFORM_CRASHES, "crash", "SIGSEGV in phase build"),
    "fails": (faulty.TRANSFORM_FAILS, "transform", "cannot vectorize"),
    "is no MLIR": ("{", "transform", "not valid MLIR"),
}


@pytest.mark.parametrize(
    ("kernel", "schedule", "built", "run"),
    [
        (faulty.MATMUL, faulty.TILES, None, None),
        (faulty.WRONG, faulty.TILES, None, "wrong_result"),
        (faulty.WRITES_FAR_BEHIND, None, None, "out_of_bounds"),
        (faulty.ABORTS, None, None, "crash"),
        (faulty.NOT_LOWERED, None, "lower", "lower"),
        (faulty.MATMUL, faulty.TRANSFORM_FAILS, "transform", "transform"),
        (faulty.MATMUL, faulty.TRANSFORM_CRASHES, "crash", "crash"),
    ],
)
def test_a_schedule_is_verified_without_timing(
    hasty_pool: Pool,
    task: Task,
    kernel: str,
    schedule: str | None,
    built: FailureKind | None,
    run: FailureKind | None,
) -> None:
    kinds = [
        failure and failure.kind
        for failure in (
            hasty_pool.verify(replace(task, kernel=kernel), schedule, run=call) for call in (False, True)
        )
    ]
    assert kinds == [built, run]
    assert hasty_pool.verify(task, faulty.TILES, run=True) is None


@pytest.mark.parametrize("name", KERNELS)
def test_faulty_kernel_is_named(hasty_pool: Pool, task: Task, name: str) -> None:
    kernel, kind, words = KERNELS[name]
    best = 1e-6 if kind == "run_timeout" else None
    measurement = hasty_pool.measure(replace(task, kernel=kernel), None, best=best)
    assert measurement.failure is not None
    assert (measurement.failure.kind, words in measurement.failure.message) == (kind, True), measurement
    assert hasty_pool.measure(task, faulty.TILES).ok


@pytest.mark.parametrize("name", SCRIPTS)
def test_faulty_script_is_named(hasty_pool: Pool, task: Task, name: str) -> None:
    script, kind, words = SCRIPTS[name]
    before = hasty_pool.worker_pid
    measurement = hasty_pool.measure(task, script)
    assert measurement.failure is not None
    assert (measurement.failure.kind, words in measurement.failure.message) == (kind, True), measurement
    assert hasty_pool.measure(task, faulty.TILES).ok
    if before != hasty_pool.worker_pid and before is not None:
        assert not alive(before)


def test_stray_write_into_the_slack_is_seen(hasty_pool: Pool, task: Task) -> None:
    # 16x15 elements leave 64 bytes of slack behind the last whole line of 64.
    shape = "tensor<16x15xf32>"
    kernel = f"""
func.func @kernel(%a: {shape}) -> {shape} {{
  %e = tensor.empty() : {shape}
  %r = linalg.exp ins(%a : {shape}) outs(%e : {shape}) -> {shape}
  return %r : {shape}
}}"""
    (odd,) = hasty_pool.analyse(kernel.replace("16x15", "5x3"), "kernel.mlir").tasks
    assert hasty_pool.measure(odd, None).ok
    stray = odd.kernel.replace(
        "return",
        """%sixteen = arith.constant 15 : index
    %zero = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %m = bufferization.to_buffer %arg0 : tensor<5x3xf32> to memref<5x3xf32>
    memref.store %one, %m[%zero, %sixteen] : memref<5x3xf32>
    return""",
    )
    measurement = hasty_pool.measure(replace(odd, kernel=stray), None)
    assert measurement.failure is not None
    assert (measurement.failure.kind, measurement.failure.message) == (
        "out_of_bounds",
        "wrote beside a buffer",
    )


def test_slower_than_twenty_times_the_best(hasty_pool: Pool, task: Task) -> None:
    measurement = hasty_pool.measure(task, None, best=1e-9)
    assert measurement.failure is not None
    assert measurement.failure.kind == "too_slow"
    assert "20 times the best" in measurement.failure.message


def test_slower_than_the_cap(hasty_pool: Pool, task: Task) -> None:
    measurement = hasty_pool.measure(replace(task, kernel=faulty.FOR_EVER), None, cap=0.25)
    assert measurement.failure is not None
    assert (measurement.failure.kind, measurement.failure.message) == ("too_slow", "slower than 0.25 s")
    measurement = hasty_pool.measure(task, None, cap=1e-12)
    assert measurement.failure is not None
    assert (measurement.failure.kind, measurement.failure.message) == ("too_slow", "slower than 1e-12 s")


def test_retiming_survives_a_schedule_that_kills_the_worker(hasty_pool: Pool, task: Task) -> None:
    answers = hasty_pool.retime(task, [None, faulty.TRANSFORM_CRASHES, faulty.TILES, faulty.TRANSFORM_FAILS])
    kinds = [answer.failure.kind if answer.failure else None for answer in answers]
    assert kinds == [None, "crash", None, "transform"]
    assert all(answer.samples >= 3 for answer in answers if answer.ok)
