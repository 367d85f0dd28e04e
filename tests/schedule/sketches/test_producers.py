"""What is elementwise before a contraction may be computed before it, in its copies, or in its steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.space import nest_space
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.producers import producers_of
from tests.schedule.sketches import fused_kernels
from tests.schedule.sketches.chain_kernels import ChainKernel
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest, plain

_FLOATS = ("%y = arith.addf %p, %q : {0}", "%y = arith.maximumf %p, %q : {0}", "%y = arith.negf %p : {0}")
_INTEGERS = ("%y = arith.addi %p, %q : {0}", "%y = arith.maxsi %p, %q : {0}")
_WIDENING = {
    "f32": (("f16", "%y = arith.extf %p : f16 to f32"), ("i8", "%y = arith.sitofp %p : i8 to f32")),
    "f64": (("f32", "%t = arith.mulf %p, %q : f32\n %y = arith.extf %t : f32 to f64"),),
    "i32": (("i8", "%y = arith.extsi %p : i8 to i32"),),
}
_SUM = "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %out, %t : f32"


def product(m: int, n: int, k: int, left: int, right: int, epilogue: bool = True) -> str:
    """A product with so many producers of each operand."""
    steps = [("f32", body.format("f32")) for body in _FLOATS]
    return LoopNest(
        (m, n, k), "ppr", (("f32", plain(0, 2)), ("f32", plain(2, 1))), (0, 1), "f32", _SUM, "0.0",
        "%y = arith.subf %p, %q : f32" if epilogue else None, (tuple(steps[:left]), tuple(steps[:right])),
    ).text  # fmt: skip


@st.composite
def fed(draw: st.DrawFn) -> LoopNest:
    """A contraction with up to three producers of each operand."""
    nest = draw(st.one_of(contractions(), convolutions()))
    return replace(nest, producers=tuple(_steps(draw, element) for element, _ in nest.inputs))


def _steps(draw: st.DrawFn, element: str) -> tuple[tuple[str, str], ...]:
    bodies = _FLOATS if "f" in element else _INTEGERS
    steps = [(element, draw(st.sampled_from(bodies)).format(element)) for _ in range(draw(st.integers(0, 2)))]
    if element in _WIDENING and draw(st.booleans()):
        steps.insert(0, draw(st.sampled_from(_WIDENING[element])))
    return tuple(steps)


def _candidates(space: Space, seed: int) -> Iterator[Candidate]:
    """The default, and a random one with as much computed inside as it allows."""
    yield space.default()
    chosen = space.sample(Random(seed))
    for name in ("producer0", "producer1"):
        if name in chosen.assignment:
            inside = space.candidate({**chosen.assignment, name: "inside"})
            chosen = inside if space.is_legal(inside) else chosen
    if chosen != space.default():
        yield chosen


@settings(max_examples=15, deadline=None, derandomize=True)
@given(nest=fed(), seed=st.integers(0, 1 << 30))
def test_random_programs(pool: Pool, nest: LoopNest, seed: int) -> None:
    for task in pool.analyse(nest.text, "kernel.mlir").tasks:
        for space in sketches_for(task, processor_with(64)):
            for candidate in _candidates(space, seed):
                measured = pool.measure(task, candidate)
                assert measured.ok, f"{measured.failure}\n{candidate.values}\n{nest.text}"


@settings(max_examples=15, deadline=None, derandomize=True)
@given(program=st.integers(0, 1 << 30).map(fused_kernels.random_program), seed=st.integers(0, 1 << 30))
def test_random_products(pool: Pool, program: str, seed: int) -> None:
    for task in pool.analyse(program, "kernel.mlir").tasks:
        for space in sketches_for(task, processor_with(64))[:2] if producers_of(task) else ():
            for candidate in _candidates(space, seed):
                measured = pool.measure(task, candidate)
                assert measured.ok, f"{measured.failure}\n{candidate.values}\n{program}"


@pytest.mark.parametrize(("left", "right"), [(1, 0), (0, 1), (2, 3)])
def test_places(pool: Pool, left: int, right: int) -> None:
    """Every place that the sketches of a product offer is right; all are offered."""
    (task,) = pool.analyse(product(48, 64, 32, left, right), "kernel.mlir").tasks
    assert [len(producer.members) for producer in producers_of(task)] == [n for n in (left, right) if n]
    seen = set()
    for space in sketches_for(task, processor_with(64)):
        for producer in producers_of(task):
            for copied in ("none", "block"):
                default = space.default().assignment
                values = {**default, f"producer{producer.operand}": "inside", "copy": copied}
                if space.is_legal(space.candidate(values)):
                    seen.add((producer.operand, values["copy" if producer.operand == 0 else "pack"]))
                    assert pool.measure(task, space.candidate(values)).ok, values
    assert seen == {(0, "none"), (0, "block"), (1, "none"), (1, "panels"), (1, "block")} & {
        (operand, place)
        for operand, count in ((0, left), (1, right))
        for place in ("none", "block", "panels")
        if count
    }


_MATVEC = """
#id = affine_map<(i, j) -> (i, j)>
func.func @f(%w: tensor<24x200xi8>, %x: tensor<200xf32>) -> tensor<24xf32> {
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.01 : f32
  %we = tensor.empty() : tensor<24x200xf32>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<24x200xi8>) outs(%we : tensor<24x200xf32>) {
  ^bb0(%p: i8, %o: f32):
    %v = arith.sitofp %p : i8 to f32
    %y = arith.mulf %v, %scale : f32
    linalg.yield %y : f32
  } -> tensor<24x200xf32>
  %e = tensor.empty() : tensor<24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<24xf32>) -> tensor<24xf32>
  %r = linalg.matvec ins(%wide, %x : tensor<24x200xf32>, tensor<200xf32>)
      outs(%f : tensor<24xf32>) -> tensor<24xf32>
  return %r : tensor<24xf32>
}
"""


def test_matrix_times_vector(pool: Pool) -> None:
    """Weights are widened in the vectors that read them, by default."""
    (task,) = pool.analyse(_MATVEC, "kernel.mlir").tasks
    assert nest_space(task, processor_with(64)) is None
    (space,) = sketches_for(task, processor_with(64))
    assert space.default()["producer0"] == "inside"
    for place in ("inside", "before"):
        assert pool.measure(task, space.candidate({**space.default().assignment, "producer0": place})).ok


def test_default_places(pool: Pool) -> None:
    """In vectors, where few tiles compute the same again; else before, and so what is broadcast."""
    places = {}
    for rows in (48, 480):
        (task,) = pool.analyse(product(rows, 64, 32, 1, 1, False), "kernel.mlir").tasks
        default = sketches_for(task, processor_with(64))[0].default().assignment
        places[rows] = [default["producer0"], default["producer1"]]
    assert places == {48: ["before", "inside"], 480: ["before", "before"]}


def test_not_joined(pool: Pool) -> None:
    """What is used twice and what follows another anchor is no producer; one may read in another order."""
    sizes = {"m": 32, "n": 32, "k": 32}
    used, moved, following = ChainKernel(sizes), ChainKernel(sizes), ChainKernel(sizes)
    negated = used.op("mk", "%y = arith.negf %a0 : f32", [used.argument("mk")])
    texts = [used.text(used.product("mn", negated, used.argument("kn")), negated)]
    turned = moved.op("mk", "%y = arith.addf %a0, %a0 : f32", [moved.argument("km")])
    texts.append(moved.text(moved.product("mn", turned, moved.argument("kn"))))
    first = following.product("mk", following.argument("mn"), following.argument("nk"))
    negated = following.op("mk", "%y = arith.negf %a0 : f32", [first])
    texts.append(following.text(following.product("mn", negated, following.argument("kn"))))
    found = [pool.analyse(text, "kernel.mlir").tasks for text in texts]
    assert [len(tasks) for tasks in found] == [2, 1, 2]
    assert [len(producers_of(task)) for tasks in found for task in tasks] == [0, 0, 1, 0, 0]
