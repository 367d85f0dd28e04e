"""What the pool offers besides measuring, through the real worker."""

from __future__ import annotations

import pytest

from harl_mlir.errors import InputError
from harl_mlir.measure import protocol
from harl_mlir.measure.asking import WorkerError
from harl_mlir.measure.clock import Sampling
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.task import Task
from tests.measure import faulty_kernels as faulty

KERNEL = faulty.MATMUL.replace("16x16", "64x64").replace("@kernel", "@product")
SCRIPT = faulty.script(
    """%mm = transform.structured.match ops{["linalg.matmul"]} in %root
      : (!transform.any_op) -> !transform.any_op
    %rows = transform.tune.knob<"rows"> options = [4, 8, 0] -> !transform.param<i64>
    %t, %l:2 = transform.structured.tile_using_for %mm tile_sizes [%rows, 8]
      : (!transform.any_op, !transform.param<i64>)
      -> (!transform.any_op, !transform.any_op, !transform.any_op)"""
)


@pytest.fixture(scope="module")
def task(pool: Pool) -> Task:
    (found,) = pool.analyse(KERNEL, "kernel.mlir").tasks
    return found


@pytest.fixture(scope="module")
def candidate(task: Task) -> Candidate:
    return sketches_for(task, this_processor())[0].default()


def test_candidates_of_a_sketch_are_measured(pool: Pool, task: Task, candidate: Candidate) -> None:
    assert pool.measure(task, candidate).failure is None
    tuned, untuned = pool.retime(task, [candidate, None])
    assert tuned.samples >= 3
    assert untuned.samples >= 3


def test_library_is_written_measured_and_applied(pool: Pool, task: Task, candidate: Candidate) -> None:
    library = pool.library([(task, candidate)])
    assert f"schedule_{task.key}" in library
    assert pool.measure(task, library).failure is None
    applied = pool.apply(KERNEL, "kernel.mlir", library)
    assert any(op.matched for op in applied.outcomes)
    assert "func.func @product" in applied.text
    assert "vector<" in applied.text
    assert "vector<" not in pool.apply(KERNEL.replace("64x64", "32x32"), "kernel.mlir", library).text


def test_knobs_of_a_script_are_read_selected_and_measured(pool: Pool) -> None:
    (decision,) = pool.knobs(SCRIPT, "script.mlir")
    assert (decision.name, set(decision.values)) == ("rows", {0, 4, 8})
    (function,) = pool.functions(KERNEL, "kernel.mlir").tasks
    chosen = Candidate("script", 1, (("rows", 8),))
    assert "= 8 : i64" in pool.select(SCRIPT, "script.mlir", chosen.values)
    assert pool.measure(function, chosen, script=SCRIPT).failure is None


def test_whole_functions_that_cannot_be_checked_are_timed_but_not_tuned(
    pool: Pool, candidate: Candidate
) -> None:
    kernel = KERNEL.replace(
        "return %r",
        """%s = tensor.extract_slice %r[0, 0] [4, 4] [1, 1] : tensor<64x64xf32> to tensor<4x4xf32>
  %p = tensor.insert_slice %s into %r[8, 8] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<64x64xf32>
  return %p""",
    )
    (function,) = pool.functions(kernel, "kernel.mlir").tasks
    assert function.unchecked
    assert pool.measure(function, None).ok
    with pytest.raises(InputError, match="cannot be checked"):
        pool.measure(function, candidate)


def test_peak(pool: Pool) -> None:
    assert pool.peak() > 1e8
    with pytest.raises(WorkerError, match="f32 and f64"):
        pool.peak("i8")


def test_messages_survive_the_wire(task: Task, candidate: Candidate) -> None:
    for request in (
        protocol.Measure(task, candidate, 1e-3, None, "script"),
        protocol.Measure(task, "text", accuracy="strict"),
        protocol.Retime(task, (candidate, None, "text"), accuracy="strict", sampling=Sampling(8, 0.001)),
        protocol.Apply(protocol.Source("text", "file", None, {"a": (1, 2)}), "library", "library.mlir"),
        protocol.Select("script", "file", (("a", 1), ("b", "word"))),
    ):
        assert protocol.decode_request(protocol.encode(request)) == request
