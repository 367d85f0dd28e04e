"""What pads an operand of a contraction is a member of its task, and is done as a whole or part by part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest


@dataclass(frozen=True)
class Padding:
    """By how much an operand is padded in each dimension, and with what."""

    operand: int
    low: tuple[int, ...]
    high: tuple[int, ...]
    value: str


@st.composite
def kernels(draw: st.DrawFn, nests: st.SearchStrategy[LoopNest]) -> str:
    """One of these, of which an operand is another argument that is padded first."""
    nest = draw(nests)
    operand = draw(st.integers(0, 1))
    element, rows = nest.inputs[operand]
    low, high = [], []
    for row in rows:
        room = sum(c * (nest.dims[loop] - 1) for loop, c in row)
        low.append(draw(st.sampled_from((0, 0, min(room, 1), min(room, 2)))))
        high.append(draw(st.sampled_from((0, low[-1], min(room - low[-1], 1)))) if low[-1] * 2 <= room else 0)
    value = draw(st.sampled_from(("0.0", "1.5"))) if "f" in element else draw(st.sampled_from(("0", "-3")))
    return kernel(nest, Padding(operand, tuple(low), tuple(high), value))


@st.composite
def depthwise(draw: st.DrawFn) -> LoopNest:
    """Over two dimensions, channels first or last."""
    n, c = draw(st.sampled_from((1, 2, 4))), draw(st.sampled_from((3, 16, 32, 40)))
    height, width = draw(st.sampled_from((1, 4, 7))), draw(st.sampled_from((5, 8, 17)))
    stride = draw(st.sampled_from((1, 1, 2)))
    window = ((((2, stride), (4, 1)),), (((3, stride), (5, 1)),))
    last = draw(st.booleans())
    image = (
        (((0, 1),), *(w[0] for w in window), ((1, 1),))
        if last
        else (((0, 1),), ((1, 1),), *(w[0] for w in window))
    )
    taps = (((4, 1),), ((5, 1),), ((1, 1),)) if last else (((1, 1),), ((4, 1),), ((5, 1),))
    return LoopNest(
        (n, c, height, width, 3, 2), "pppprr", (("f32", image), ("f32", taps)),
        (0, 2, 3, 1) if last else (0, 1, 2, 3), "f32",
        "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %out, %t : f32", "0.0",
        draw(st.sampled_from((None, "%y = arith.addf %p, %q : f32"))),
    )  # fmt: skip


def kernel(nest: LoopNest, padding: Padding) -> str:
    """The kernel, of which one operand is another argument that is padded first."""
    element, rows = nest.inputs[padding.operand]
    made = [1 + sum(c * (nest.dims[loop] - 1) for loop, c in row) for row in rows]
    given = [m - lo - hi for m, lo, hi in zip(made, padding.low, padding.high, strict=True)]
    old, new = (f"tensor<{''.join(f'{s}x' for s in sizes)}{element}>" for sizes in (made, given))
    name = f"%a{padding.operand}"
    head, body = nest.text.replace(f"{name}: {old}", f"%given: {new}").split("{\n", 1)
    places = ", ".join(f"%i{d}: index" for d in range(len(rows)))
    return f"""{head}{{
  %padding = arith.constant {padding.value} : {element}
  {name} = tensor.pad %given low{list(padding.low)} high{list(padding.high)} {{
  ^bb0({places}):
    tensor.yield %padding : {element}
  }} : {new} to {old}
{body}"""


def _candidates(space: Space, seed: int) -> Iterator[Candidate]:
    """The default, a random one, and the default with the operand padded in parts."""
    yield space.default()
    random = Random(seed)
    yield space.sample(random)
    for decision in space.decisions:
        if decision.name == "shared":
            words = random.sample(decision.values, min(3, len(decision.values)))
            yield from (space.candidate({**space.default().assignment, "shared": word}) for word in words)


def _check(pool: Pool, task: Task, seed: int, text: str) -> int:
    """Measure candidates of all sketches; how many of them do parts."""
    parts = 0
    for space in sketches_for(task, processor_with(64)):
        for candidate in dict.fromkeys(_candidates(space, seed)):
            if space.is_legal(candidate):
                measured = pool.measure(task, candidate)
                assert measured.ok, f"{measured.failure}\n{candidate.values}\n{text}"
                parts += candidate.assignment.get("shared", "no") != "no"
    return parts


@settings(max_examples=12, deadline=None, derandomize=True)
@given(text=kernels(st.one_of(contractions(), convolutions(), depthwise())), seed=st.integers(0, 1 << 30))
def test_random_programs(pool: Pool, text: str, seed: int) -> None:
    for task in pool.analyse(text, "kernel.mlir").tasks:
        _check(pool, task, seed, text)


def _convolution(batch: int, channels: int, *, depthwise: bool, first: bool = False) -> str:
    image = f"{batch}x{channels}x12x10" if first else f"{batch}x12x10x{channels}"
    wide = f"{batch}x{channels}x14x12" if first else f"{batch}x14x12x{channels}"
    by = "[0, 0, 1, 1]" if first else "[0, 1, 1, 0]"
    taps = f"3x3x{channels}" if depthwise else f"3x3x{channels}x32"
    made = f"{batch}x12x10x{channels if depthwise else 32}"
    name = "depthwise_conv_2d_nhwc_hwc" if depthwise else "conv_2d_nhwc_hwcf"
    if first:
        taps, made, name = f"{channels}x3x3", image, "depthwise_conv_2d_nchw_chw"
    return f"""func.func @k(%x: tensor<{image}xf32>, %f: tensor<{taps}xf32>) -> tensor<{made}xf32> {{
  %z = arith.constant 0.0 : f32
  %p = tensor.pad %x low{by} high{by} {{
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %z : f32
  }} : tensor<{image}xf32> to tensor<{wide}xf32>
  %e = tensor.empty() : tensor<{made}xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<{made}xf32>) -> tensor<{made}xf32>
  %r = linalg.{name} ins(%p, %f : tensor<{wide}xf32>, tensor<{taps}xf32>)
    outs(%i : tensor<{made}xf32>) -> tensor<{made}xf32>
  return %r : tensor<{made}xf32>
}}"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_convolution(4, 16, depthwise=False), {"no", "d0/2", "d0/4"}),
        (_convolution(1, 16, depthwise=False), set()),
        (_convolution(2, 32, depthwise=True), {"no", "d0/2", "d3/2"}),
        (_convolution(1, 6, depthwise=True, first=True), {"no", "d1/2", "d1/3", "d1/6"}),
    ],
)
def test_parts(pool: Pool, text: str, words: set[str]) -> None:
    """Images of a batch, and channels of a depthwise convolution, are padded a part at a time."""
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    assert [member.op.is_pad for member in task.members] == [True, False, False]
    for space in sketches_for(task, processor_with(64)):
        assert {word for d in space.decisions if d.name == "shared" for word in d.values} == words
    assert (_check(pool, task, 1, text) > 0) == bool(words)


def test_what_is_left(pool: Pool) -> None:
    """What something else reads too is padded outside."""
    text = _convolution(1, 16, depthwise=False)
    wide = "tensor<1x14x12x16xf32>"
    again = text.replace("return %r :", f"return %r, %p : tensor<1x12x10x32xf32>, {wide} //").replace(
        "-> tensor<1x12x10x32xf32> {\n  %z", f"-> (tensor<1x12x10x32xf32>, {wide}) {{\n  %z"
    )
    (task,) = pool.analyse(again, "kernel.mlir").tasks
    assert not any(member.op.is_pad for member in task.members)
    assert math.prod(task.arguments[0].shape) == 14 * 12 * 16


@pytest.mark.parametrize("parts", ["no", "d0/2"])
def test_library(pool: Pool, parts: str) -> None:
    """A library's matchers tell a padding from others."""
    text = _convolution(4, 16, depthwise=True)
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    library = pool.library([(task, space.candidate({**space.default().assignment, "shared": parts}))])
    applied = pool.apply(text, "kernel.mlir", library)
    assert [outcome.matched for outcome in applied.outcomes] == [True, True]
    assert ("tensor.pad %arg0" in applied.text) == (parts == "no")
    others = [text.replace("arith.constant 0.0", "arith.constant 1.0"), text.replace("1, 1, 0]", "2, 0, 0]")]
    for other in others:
        other = other.replace("low[0, 2, 0, 0] high[0, 2, 0, 0]", "low[0, 2, 2, 0] high[0, 0, 0, 0]")
        applied = pool.apply(other, "kernel.mlir", library)
        assert not any(outcome.matched for outcome in applied.outcomes)


def test_one_tile_of_a_padded_operand(pool: Pool) -> None:
    """No loop goes along what the kernel pads: the tile reads all of it, and itself pads the others."""
    text = """
func.func @k(%x: tensor<4x6xf32>, %y: tensor<6x17xf32>, %c: tensor<5x17xf32>) -> tensor<5x17xf32> {
  %z = arith.constant 0.0 : f32
  %p = tensor.pad %x low[1, 0] high[0, 0] {
  ^bb0(%a: index, %b: index):
    tensor.yield %z : f32
  } : tensor<4x6xf32> to tensor<5x6xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(n, m, k) -> (m, k)>, affine_map<(n, m, k) -> (k, n)>,
                       affine_map<(n, m, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]
  } ins(%p, %y : tensor<5x6xf32>, tensor<6x17xf32>) outs(%c : tensor<5x17xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.mulf %a, %b : f32
    %s = arith.addf %o, %t : f32
    linalg.yield %s : f32
  } -> tensor<5x17xf32>
  return %r : tensor<5x17xf32>
}"""
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    for space in sketches_for(task, processor_with(64)):
        for vector in (16, 32):
            candidate = space.candidate({**space.default().assignment, "rows": 5, "vector": vector})
            if space.is_legal(candidate):
                assert pool.verify(task, candidate, run=True) is None
