"""Every candidate of the elementwise sketch is right."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.elementwise_roles import operand_order, roles_of
from tests.schedule.sketches.legality import assert_legal, drawn, processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_SIZES = (1, 2, 3, 5, 7, 8, 13, 16, 17, 24, 31, 33, 48, 64, 67, 100, 131)
_BODIES = {
    "f32": (
        "%y = arith.addf %x0, %x1 : f32",
        "%t = arith.mulf %x0, %x1 : f32\n %y = arith.maximumf %t, %x1 : f32",
    ),
    "f64": ("%y = arith.subf %x0, %x1 : f64", "%t = math.exp %x0 : f64\n %y = arith.addf %t, %x1 : f64"),
    "f16": ("%y = arith.maximumf %x0, %x1 : f16",),
    "i32": ("%y = arith.addi %x0, %x1 : i32", "%y = arith.maxsi %x0, %x1 : i32"),
    "i8": ("%y = arith.xori %x0, %x1 : i8",),
}
_EPILOGUES = {
    "f32": "%y = arith.addf %p, %q : f32",
    "f64": "%y = arith.mulf %p, %q : f64",
    "i32": "%y = arith.muli %p, %q : i32",
}


@st.composite
def nests(draw: st.DrawFn) -> LoopNest:
    rank = draw(st.integers(1, 3))
    dims = tuple(draw(st.lists(st.sampled_from(_SIZES), min_size=rank, max_size=rank)))
    assume(1 < math.prod(dims) <= 30000)
    element = draw(st.sampled_from(sorted(_BODIES)))
    maps = [
        plain(*draw(st.permutations(range(rank)))[draw(st.integers(0, rank - 1)) :]),
        plain(*range(rank)),
    ]
    epilogue = _EPILOGUES.get(element) if draw(st.booleans()) else None
    return LoopNest(
        dims,
        "p" * rank,
        tuple((element, rows) for rows in draw(st.permutations(maps))),
        tuple(range(rank)),
        element,
        draw(st.sampled_from(_BODIES[element])),
        epilogue=epilogue,
    )


@settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(nests(), st.sampled_from((16, 32, 64)), st.integers(0, 1000))
def test_random_kernels(pool: Pool, nest: LoopNest, vector_bytes: int, seed: int) -> None:
    assert assert_legal(pool, nest.text, "elementwise", 1, seed, vector_bytes) == 1


def _copy(dims: tuple[int, ...], rows: tuple[int, ...], element: str = "f32") -> str:
    loops = ", ".join(f"d{i}" for i in range(len(dims)))
    indices = ", ".join(f"d{loop}" for loop in rows)
    source = "x".join(str(dims[loop]) for loop in rows)
    result = "x".join(map(str, dims))
    kinds = ", ".join(['"parallel"'] * len(dims))
    return f"""func.func @k(%a: tensor<{source}x{element}>) -> tensor<{result}x{element}> {{
  %e = tensor.empty() : tensor<{result}x{element}>
  %r = linalg.generic {{indexing_maps = [
      affine_map<({loops}) -> ({indices})>, affine_map<({loops}) -> ({loops})>],
      iterator_types = [{kinds}]}}
      ins(%a : tensor<{source}x{element}>) outs(%e : tensor<{result}x{element}>) {{
  ^bb0(%x: {element}, %o: {element}):
    linalg.yield %x : {element}
  }} -> tensor<{result}x{element}>
  return %r : tensor<{result}x{element}>
}}"""


_CHAIN = """func.func @k(%x: tensor<3x95xf32>, %b: tensor<95xf32>) -> tensor<3x95xf32> {
  %e = tensor.empty() : tensor<3x95xf32>
  %1 = linalg.exp ins(%x : tensor<3x95xf32>) outs(%e : tensor<3x95xf32>) -> tensor<3x95xf32>
  %2 = linalg.add ins(%1, %x : tensor<3x95xf32>, tensor<3x95xf32>) outs(%e : tensor<3x95xf32>)
    -> tensor<3x95xf32>
  %3 = linalg.tanh ins(%2 : tensor<3x95xf32>) outs(%e : tensor<3x95xf32>) -> tensor<3x95xf32>
  return %3 : tensor<3x95xf32>
}"""
_FILL = """func.func @k(%v: f32) -> tensor<7x45xf32> {
  %e = tensor.empty() : tensor<7x45xf32>
  %1 = linalg.fill ins(%v : f32) outs(%e : tensor<7x45xf32>) -> tensor<7x45xf32>
  return %1 : tensor<7x45xf32>
}"""
_WIDEN = """func.func @k(%a: tensor<5x77xi8>) -> tensor<5x77xf64> {
  %e = tensor.empty() : tensor<5x77xf64>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%a : tensor<5x77xi8>) outs(%e : tensor<5x77xf64>) {
  ^bb0(%x: i8, %o: f64):
    %y = arith.sitofp %x : i8 to f64
    linalg.yield %y : f64
  } -> tensor<5x77xf64>
  return %r : tensor<5x77xf64>
}"""
_AWKWARD = {
    "copy": _copy((9, 43), (0, 1)),
    "copy of a prime": _copy((1009,), (0,)),
    "transpose": _copy((37, 50), (1, 0)),
    "transpose of whole blocks": _copy((32, 48), (1, 0)),
    "transpose of doubles": _copy((40, 50), (1, 0), "f64"),
    "transpose of halves": _copy((70, 50), (1, 0), "f16"),
    "transpose of bytes": _copy((50, 130), (1, 0), "i8"),
    "transpose beside a unit dimension": _copy((33, 1, 18), (2, 1, 0)),
    "reversed dimensions": _copy((5, 7, 19), (2, 1, 0)),
    "broadcast along vectors": _copy((19, 37), (0,)),
    "broadcast along rows": _copy((19, 37), (1,)),
    "two elements": _copy((2,), (0,)),
    "unit dimensions": _copy((1, 3, 1, 5, 1), (0, 1, 2, 3, 4)),
    "chain": _CHAIN,
    "fill": _FILL,
    "cast": _WIDEN,
}


_SUM_WITH_TRANSPOSED = """func.func @k(%a: tensor<128x192xf32>, %b: tensor<192x128xf32>)
    -> tensor<128x192xf32> {
  %e = tensor.empty() : tensor<128x192xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j, i)>,
      affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<128x192xf32>, tensor<192x128xf32>) outs(%e : tensor<128x192xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  } -> tensor<128x192xf32>
  return %r : tensor<128x192xf32>
}"""
_IN_BLOCKS = {
    "whole blocks": (_copy((128, 192), (1, 0)), (0, 32, 64, 128)),
    "parts of blocks": (_copy((90, 70), (1, 0)), (0, 32, 64)),
    "channels last": (_copy((2, 9, 40, 33), (0, 3, 1, 2)), (0, 32)),
    "sum": (_SUM_WITH_TRANSPOSED, (0, 32, 64)),
}


@pytest.mark.parametrize("name", _IN_BLOCKS)
def test_transposes_in_blocks(pool: Pool, name: str) -> None:
    text, blocks = _IN_BLOCKS[name]
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    (choices,) = [decision.values for decision in space.decisions if decision.name == "block"]
    assert choices == blocks
    for order, block in (("result", blocks[-1]), ("operand", blocks[1]), ("strips", 0)):
        chosen = {**space.default().assignment, "width": 16, "rows": 16, "order": order, "block": block}
        candidate = Candidate(space.sketch, space.version, tuple(chosen.items()))
        assert space.is_legal(candidate)
        measurement = pool.measure(task, candidate)
        assert measurement.ok, f"{measurement.failure}\n{candidate.values}"


@pytest.mark.parametrize("element", ["f32", "f16", "bf16", "i8"])
def test_blocks_of_sixteen_are_transposed_by_default(pool: Pool, element: str) -> None:
    (task,) = pool.analyse(_copy((96, 128), (1, 0), element), "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    assert (space.default().number("width"), space.default().number("rows")) == (16, 16)


@st.composite
def _transposes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Extents of the result, the operand's dimensions, the type."""
    rank = draw(st.integers(2, 4))
    sizes = {2: (8, 16, 24, 33, 64, 70, 96, 128), 3: (2, 3, 8, 17, 32, 48, 64), 4: (1, 2, 3, 8, 14, 16, 32)}[
        rank
    ]
    dims = tuple(draw(st.lists(st.sampled_from(sizes), min_size=rank, max_size=rank)))
    element = draw(st.sampled_from(("f32", "f64", "f16", "bf16", "i8", "i32", "i64")))
    return dims, tuple(draw(st.permutations(range(rank)))), element


def _transposes_are_right(
    pool: Pool, kernel: tuple[tuple[int, ...], tuple[int, ...], str], vector: int, l3_bytes: int, seed: int
) -> None:
    for task in pool.analyse(_copy(*kernel), "kernel.mlir").tasks:
        processor = replace(processor_with(vector), l2_bytes=512, l3_bytes=l3_bytes)
        for space in sketches_for(task, processor):
            for candidate in drawn(space, 2, seed):
                measurement = pool.measure(task, candidate)
                assert measurement.ok, f"{measurement.failure}\n{candidate.values}\n{kernel}"


_KERNELS = (
    _transposes(),
    st.sampled_from((16, 32, 64, 64)),
    st.sampled_from((1024, 1 << 25)),
    st.integers(0, 999),
)


@settings(
    max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(*_KERNELS)
def test_random_transposes(
    pool: Pool, kernel: tuple[tuple[int, ...], tuple[int, ...], str], vector: int, l3_bytes: int, seed: int
) -> None:
    _transposes_are_right(pool, kernel, vector, l3_bytes, seed)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(*_KERNELS)
def test_many_random_transposes(
    pool: Pool, kernel: tuple[tuple[int, ...], tuple[int, ...], str], vector: int, l3_bytes: int, seed: int
) -> None:
    _transposes_are_right(pool, kernel, vector, l3_bytes, seed)


_STREAMED_TRANSPOSES = {
    "matrix": (_copy((1024, 1024), (1, 0)), 16, 16, "strips"),
    "part of a strip": (_copy((48, 80), (1, 0)), 16, 16, "strips"),
    "channels last": (_copy((2, 56, 56, 128), (0, 3, 1, 2)), 16, 8, "strips"),
    "halves": (_copy((128, 96), (1, 0), "f16"), 32, 16, "strips"),
    "one strip": (_copy((96, 128), (1, 0), "i8"), 64, 16, "operand"),
    "doubles": (_copy((96, 128), (1, 0), "f64"), 8, 8, "strips"),
    "sum": (_SUM_WITH_TRANSPOSED, 16, 16, "strips"),
}


@pytest.mark.parametrize("name", _STREAMED_TRANSPOSES)
def test_streamed_transposes_write_whole_lines_as_the_operand_lies(pool: Pool, name: str) -> None:
    text, width, rows, order = _STREAMED_TRANSPOSES[name]
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, replace(processor_with(64), l3_bytes=1024))
    expected = {"width": width, "rows": rows, "block": 0, "order": order, "stores": "streamed"}
    default = space.default()
    assert {name: default.assignment[name] for name in expected} == expected
    measurement = pool.measure(task, default)
    assert measurement.ok, measurement.failure


def test_loops_of_transposes_are_those_of_the_operand(pool: Pool) -> None:
    (task,) = pool.analyse(_copy((2, 7, 5, 48), (0, 3, 1, 2)), "kernel.mlir").tasks
    roles = roles_of(task)
    assert roles is not None
    assert (roles.vector, roles.second) == (3, 2)
    assert operand_order(task, roles) == (0, 3, 1, 2)


@pytest.mark.parametrize("name", _AWKWARD)
def test_awkward_kernels(pool: Pool, name: str) -> None:
    assert assert_legal(pool, _AWKWARD[name], "elementwise", 2, 1) == 1


@pytest.mark.parametrize("dims", [(9, 43), (1009,), (1, 3, 1, 5, 1), (4, 7, 640)])
def test_copies_by_memcpy(pool: Pool, dims: tuple[int, ...]) -> None:
    (task,) = pool.analyse(_copy(dims, tuple(range(len(dims)))), "kernel.mlir").tasks
    processor = processor_with(64)
    (space,) = sketches_for(task, processor)
    assert (space.default().assignment["by"] == "call") == (task.bytes > processor.l1_bytes)
    called = [
        candidate
        for rows in (1, 2)
        if space.is_legal(
            candidate := Candidate(
                space.sketch,
                space.version,
                tuple({**space.default().assignment, "rows": rows, "by": "call"}.items()),
            )
        )
    ]
    assert len(called) == 1
    measurement = pool.measure(task, called[0])
    assert measurement.ok, measurement.failure


@pytest.mark.parametrize("rows", [(1, 0, 2), (1, 2, 0, 3), (0, 2, 1, 3)])
def test_loops_as_the_operand_lies(pool: Pool, rows: tuple[int, ...]) -> None:
    text = _copy((3, 5, 2, 48)[-len(rows) :], rows)
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, replace(processor_with(64), l3_bytes=64))
    assert space.default().assignment["order"] == "operand"
    for candidate in drawn(space, 6, 0):
        measurement = pool.measure(task, candidate)
        assert measurement.ok, f"{measurement.failure}\n{candidate.values}"
