from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Value
from harl_mlir.space.sketches import recorded_spaces, sketches_for
from harl_mlir.space.sketches.contraction_epilogue import EPILOGUE, ON_BLOCKS
from tests.schedule.sketches import (
    chain_kernels,
    test_dots,
    test_elementwise,
    test_paddings,
    test_producers,
    test_reduction,
    test_window,
)
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import assert_legal, drawn
from tests.schedule.sketches.loop_nests import LoopNest
from tests.schedule.sketches.row_kernels import distance_from_most, layer_norm, programs, softmax
from tests.threads import NEEDS_THREADS

pytestmark = NEEDS_THREADS

_MATMUL = """
func.func @matmul_bias(%a: tensor<96x48xf32>, %b: tensor<48x160xf32>, %bias: tensor<160xf32>)
    -> tensor<96x160xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<96x160xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<96x160xf32>) -> tensor<96x160xf32>
  %c = linalg.matmul ins(%a, %b : tensor<96x48xf32>, tensor<48x160xf32>)
    outs(%f : tensor<96x160xf32>) -> tensor<96x160xf32>
"""
_BIAS = """
  %r = linalg.generic {
      indexing_maps = [
        affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]
  } ins(%c, %bias : tensor<96x160xf32>, tensor<160xf32>) outs(%e : tensor<96x160xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  } -> tensor<96x160xf32>
"""
_ALONE = _MATMUL + "  return %c : tensor<96x160xf32>\n}\n"
_FUSED = _MATMUL + _BIAS + "  return %r : tensor<96x160xf32>\n}\n"


@pytest.fixture(scope="module")
def two(all_cores: None) -> Iterator[Pool]:
    with Pool(threads=2) as pool:
        yield pool


_KINDS = {
    "contraction": st.one_of(contractions(), convolutions()),
    "contraction with producers": test_producers.fed(),
    "elementwise": test_elementwise.nests(),
    "reduction": test_reduction.nests(),
    "window": test_window.nests(),
    "chain": st.integers(0, 1 << 30).map(chain_kernels.random_program),
    "rows": programs(),
    "contraction with a padding": test_paddings.kernels(st.one_of(contractions(), convolutions())),
    "window with a padding": test_paddings.kernels(test_paddings.depthwise()),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_random_kernels_on_two_threads(two: Pool, kind: str) -> None:
    @settings(
        max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.nested_given]
    )
    @given(nest=_KINDS[kind], seed=st.integers(0, 1 << 30))
    def are_right(nest: LoopNest | str, seed: int) -> None:
        assert_legal(two, nest if isinstance(nest, str) else nest.text, kind.split()[0], 2, seed)

    are_right()


@test_dots.needs_dots
@pytest.mark.parametrize("text", [test_dots.FIXED[1], test_dots.FIXED[6], test_dots.FIXED[11]])
def test_dot_products_on_two_threads(two: Pool, text: str) -> None:
    assert_legal(two, text, "dots", 3, 1)


@pytest.mark.parametrize("program", [softmax, layer_norm, distance_from_most])
@pytest.mark.parametrize("counts", [(8,), (3, 4)])
def test_row_operations_on_two_threads(
    two: Pool, program: Callable[[tuple[int, ...], int], str], counts: tuple[int, ...]
) -> None:
    (task,) = two.analyse(program(counts, 40), "kernel.mlir").tasks
    (space,) = sketches_for(task, this_processor(), threads=2)
    (shared,) = (decision for decision in space.decisions if decision.name == "shared")
    tried = []
    for word in shared.values:
        candidate = space.candidate({**space.default().assignment, "shared": word, "rows": 1})
        if space.is_legal(candidate):
            tried.append(word)
            assert two.verify(task, candidate, run=True) is None, word
    assert len(tried) > 1


def test_a_chain_is_shared_by_batches_and_by_rows(two: Pool) -> None:
    text = chain_kernels.attention((2, 64, 32, 16, 16), late=True, result="qbv")
    (task,) = two.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, this_processor(), threads=2)
    (shared,) = (decision for decision in space.decisions if decision.name == "shared")
    assert {"no", "d0/2", "d1/2"} <= set(shared.values)
    for word in ("no", "d0/2", "d1/2"):
        candidate = space.candidate({**space.default().assignment, "shared": word, "block": 16})
        assert space.is_legal(candidate)
        assert two.verify(task, candidate, run=True) is None, word


@pytest.mark.parametrize("text", [_ALONE, _FUSED], ids=["alone", "fused"])
def test_every_way_to_share_is_right_from_every_storage(two: Pool, text: str) -> None:
    (task,) = two.analyse(text, "kernel.mlir").tasks
    sketches = set()
    for space in sketches_for(task, this_processor(), threads=2):
        (shared,) = (decision for decision in space.decisions if decision.name == "shared")
        assert len(shared.values) > 4
        for word in shared.values:
            candidate = _with(space.default(), word)
            if space.is_legal(candidate):
                sketches.add(space.sketch)
                assert two.verify(task, candidate, run=True) is None, candidate
    assert {"contraction", "contraction_panels"} <= sketches


def _typed(inputs: str, result: str) -> str:
    zero = "0.0" if result.startswith("f") else "0"
    return f"""
func.func @product(%a: tensor<40x96x{inputs}>, %b: tensor<96x64x{inputs}>) -> tensor<40x64x{result}> {{
  %zero = arith.constant {zero} : {result}
  %e = tensor.empty() : tensor<40x64x{result}>
  %f = linalg.fill ins(%zero : {result}) outs(%e : tensor<40x64x{result}>) -> tensor<40x64x{result}>
  %c = linalg.matmul ins(%a, %b : tensor<40x96x{inputs}>, tensor<96x64x{inputs}>)
    outs(%f : tensor<40x64x{result}>) -> tensor<40x64x{result}>
  return %c : tensor<40x64x{result}>
}}
"""


@pytest.mark.parametrize(
    ("inputs", "result"), [("bf16", "f32"), ("i8", "i32"), ("f16", "f32"), ("f64", "f64")]
)
def test_products_of_other_types_on_two_threads(two: Pool, inputs: str, result: str) -> None:
    assert assert_legal(two, _typed(inputs, result), "", 2, 7, every=True)


def test_chains_on_two_threads(two: Pool) -> None:
    (task,) = two.analyse(chain_kernels.attention((4, 64, 64, 32, 32)), "kernel.mlir").tasks
    (space,) = sketches_for(task, this_processor(), threads=2)
    assert space.sketch == "chain"
    assert space.default()["shared"] == "d0/2"
    (shared,) = (decision for decision in space.decisions if decision.name == "shared")
    # Each part of the values' width would compute all scores again.
    assert not any("d2" in str(word) for word in shared.values)
    for candidate in drawn(space, 3, 5):
        assert two.verify(task, candidate, run=True) is None, candidate


@pytest.mark.parametrize("text", [_ALONE, _FUSED], ids=["alone", "fused"])
def test_loop_nests_of_parts_are_right(two: Pool, text: str) -> None:
    (task,) = two.analyse(text, "kernel.mlir").tasks
    spaces = recorded_spaces(task, this_processor(), threads=2)
    (space,) = (space for space in spaces if space.sketch == "loop_nest")
    first, *others = drawn(space, 4, 3)
    for candidate in (_with(first, "no"), _with(first, "d0/2"), *others):
        if space.is_legal(candidate):
            assert two.verify(task, candidate, run=True) is None, candidate
    assert space.is_legal(_with(first, first["shared"]))


@pytest.mark.parametrize("op", ["transpose {} permutation = [0, 1]", "broadcast {} dimensions = []"])
def test_what_moves_nothing_is_shared_as_a_copy(two: Pool, op: str) -> None:
    kind = "tensor<64x48xf32>"
    ends = f"ins(%a : {kind}) outs(%e : {kind})"
    text = f"""func.func @f(%a: {kind}) -> {kind} {{
  %e = tensor.empty() : {kind}
  %r = linalg.{op.format(ends)}
  return %r : {kind}
}}"""
    (task,) = two.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, this_processor(), threads=2)
    for word in ("no", "d0/2"):
        assert two.verify(task, _with(space.default(), word), run=True) is None


def test_odd_sizes_are_shared(two: Pool) -> None:
    assert assert_legal(two, layer_norm((37,), 40), "rows", 3, 7)
    assert assert_legal(
        two, _ALONE.replace("96x", "37x").replace("160", "147"), "contraction", 3, 7, every=True
    )


def test_a_part_of_a_transposed_operand_is_copied_in_blocks(two: Pool) -> None:
    text = """
func.func @f(%a: tensor<31x8xf32>, %b: tensor<64x8xf32>, %c: tensor<31x64xf32>) -> tensor<31x64xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (j, k)>,
                       affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"]
  } ins(%a, %b : tensor<31x8xf32>, tensor<64x8xf32>) outs(%c : tensor<31x64xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<31x64xf32>
  return %r : tensor<31x64xf32>
}
"""
    (task,) = two.analyse(text, "kernel.mlir").tasks
    tried = set()
    for space in sketches_for(task, this_processor(), threads=2):
        for copy in ("none", "block"):
            values = {**space.default().assignment, "shared": "d1/2", "copy": copy}
            if space.is_legal(space.candidate(values)):
                tried.add(copy)
                assert two.verify(task, space.candidate(values), run=True) is None, values
    assert tried == {"none", "block"}


def test_a_part_that_an_epilogue_follows_is_done_in_blocks_without_copies(two: Pool) -> None:
    (task,) = two.analyse(_FUSED, "kernel.mlir").tasks
    space = sketches_for(task, this_processor(), threads=2)[0]
    for word in ("d0/2", "d1/2"):
        blocks = {"shared": word, "depth": 16, EPILOGUE: ON_BLOCKS}
        candidate = space.candidate({**space.default().assignment, **blocks})
        assert space.is_legal(candidate)
        # Copying tiles out of a buffer of the part's own would be refused.
        assert two.verify(task, candidate, run=True) is None


def test_a_worker_has_a_core_for_each_thread(two: Pool) -> None:
    two.start()
    two.peak()
    assert two.worker_pid is not None
    assert len(os.sched_getaffinity(two.worker_pid)) == 2


def test_the_environment_does_not_say_on_how_many_threads_kernels_run(
    two: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    monkeypatch.setenv("KMP_BLOCKTIME", "infinite")
    (task,) = two.analyse(_ALONE, "kernel.mlir").tasks
    space = sketches_for(task, this_processor(), threads=2)[0]
    with Pool(threads=2) as pool:
        pool.peak()
        before = _threads(pool)
        assert pool.verify(task, _with(space.default(), "d0/4"), run=True) is None
        assert _threads(pool) == before + 1


def _threads(pool: Pool) -> int:
    return len(list(Path(f"/proc/{pool.worker_pid}/task").iterdir()))


def test_a_library_tuned_for_two_threads_says_so_and_is_right_on_one(two: Pool) -> None:
    (task,) = two.analyse(_ALONE, "kernel.mlir").tasks
    space = sketches_for(task, this_processor(), threads=2)[0]
    library = two.library([(task, _with(space.default(), "d0/4"))])
    assert two.inspect(library).provenance.threads == 2
    assert two.verify(task, library, run=True) is None
    with Pool() as one:
        assert one.verify(task, library, run=True) is None


def _with(candidate: Candidate, word: Value) -> Candidate:
    values = tuple((name, word if name == "shared" else value) for name, value in candidate.values)
    return Candidate(candidate.sketch, candidate.version, values)
