"""Contractions by dot products: every candidate is right, and both MLIRs make the same of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import BF16_DOTS, I8_DOTS, this_processor
from harl_mlir.space.sketches import dots, sketches_for
from tests.mlir_opt import mlir_opt, needs_mlir_opt
from tests.schedule.sketches.contractions import DOTS, contractions, convolutions
from tests.schedule.sketches.legality import assert_legal, drawn, of_kind, processor_with
from tests.schedule.sketches.loop_nests import LoopNest

_DOTS = replace(processor_with(64), features=(BF16_DOTS, I8_DOTS))
needs_dots = pytest.mark.skipif(
    not {BF16_DOTS, I8_DOTS} <= set(this_processor().features), reason="the processor has no dot products"
)
_SUMS = {"bf16": "f32", "i8": "i32", "f16": "f32"}


def _tensor(shape: tuple[int, ...], element: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def _kernel(a: str, b: str, c: str, op: str, *, filled: bool = True, after: bool = False) -> str:
    """A function of an op on `%a`, `%b` into `%f`; `after` clamps the result and adds a vector."""
    kind = c[c.rindex("x") + 1 : -1]
    zero, add, most = ("0.0", "addf", "maximumf") if kind == "f32" else ("0", "addi", "maxsi")
    width = c[: c.rindex("x")].rsplit("x", 1)[1]
    rank = c.count("x")
    loops = ", ".join(f"d{n}" for n in range(rank))
    fill = f"%e = tensor.empty() : {c}\n  %f = linalg.fill ins(%z : {kind}) outs(%e : {c}) -> {c}"
    epilogue = f"""%g = tensor.empty() : {c}
  %s = linalg.generic {{indexing_maps = [affine_map<({loops}) -> ({loops})>,
      affine_map<({loops}) -> (d{rank - 1})>, affine_map<({loops}) -> ({loops})>],
    iterator_types = [{", ".join(['"parallel"'] * rank)}]}}
    ins(%r, %v : {c}, tensor<{width}x{kind}>) outs(%g : {c}) {{
  ^bb0(%x: {kind}, %y: {kind}, %o: {kind}):
    %1 = arith.{add} %x, %y : {kind}
    %2 = arith.{most} %1, %z : {kind}
    linalg.yield %2 : {kind}
  }} -> {c}"""
    more = (", %v: tensor<" + width + f"x{kind}>" if after else "") + ("" if filled else f", %f: {c}")
    return f"""func.func @k(%a: {a}, %b: {b}{more}) -> {c} {{
  %z = arith.constant {zero} : {kind}
  {fill if filled else ""}
  {op}
  {epilogue if after else ""}
  return %{"s" if after else "r"} : {c}
}}"""


def _matmul(
    rows: int,
    columns: int,
    steps: int,
    element: str = "bf16",
    *,
    turned: str = "",
    unsigned: str = "",
    filled: bool = True,
    after: bool = False,
) -> str:
    """A matmul as a generic. `turned` and `unsigned` name the operands that are so: `ab`, `b`."""
    a = _tensor((steps, rows) if "a" in turned else (rows, steps), element)
    b = _tensor((columns, steps) if "b" in turned else (steps, columns), element)
    kind = _SUMS[element]
    c = _tensor((rows, columns), kind)
    add, multiply, widen = (
        ("addi", "muli", {True: "extui", False: "extsi"})
        if element == "i8"
        else ("addf", "mulf", {False: "extf"})
    )
    op = f"""%r = linalg.generic {{indexing_maps = [
      affine_map<(m, n, k) -> ({"k, m" if "a" in turned else "m, k"})>,
      affine_map<(m, n, k) -> ({"n, k" if "b" in turned else "k, n"})>,
      affine_map<(m, n, k) -> (m, n)>],
    iterator_types = ["parallel", "parallel", "reduction"]}} ins(%a, %b : {a}, {b}) outs(%f : {c}) {{
  ^bb0(%x: {element}, %y: {element}, %o: {kind}):
    %3 = arith.{widen["a" in unsigned]} %x : {element} to {kind}
    %4 = arith.{widen["b" in unsigned]} %y : {element} to {kind}
    %5 = arith.{multiply} %3, %4 : {kind}
    %6 = arith.{add} %o, %5 : {kind}
    linalg.yield %6 : {kind}
  }} -> {c}"""
    return _kernel(a, b, c, op, filled=filled, after=after)


def _named(name: str, element: str, shapes: list[tuple[int, ...]], attributes: str = "") -> str:
    a, b = (_tensor(shape, element) for shape in shapes[:2])
    c = _tensor(shapes[2], _SUMS[element])
    return _kernel(a, b, c, f"%r = linalg.{name} {attributes} ins(%a, %b : {a}, {b}) outs(%f : {c}) -> {c}")


def _conv(element: str, layout: str, images: int, size: int, channels: tuple[int, int], step: int) -> str:
    given, made = channels
    out = (size - 3) // step + 1
    shapes: list[tuple[int, ...]] = [
        (images, size, size, given),
        (3, 3, given, made),
        (images, out, out, made),
    ]
    if layout == "nchw":
        shapes = [(images, given, size, size), (made, given, 3, 3), (images, made, out, out)]
    name = {"nhwc": "conv_2d_nhwc_hwcf", "nchw": "conv_2d_nchw_fchw"}[layout]
    steps = f"{{strides = dense<{step}> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}}"
    return _named(name, element, shapes, steps)


FIXED = [
    _matmul(24, 64, 32),
    _matmul(26, 96, 40, "i8", after=True),
    _matmul(17, 35, 33, after=True),
    _matmul(19, 81, 21, "i8"),
    _matmul(30, 70, 52, "i8", unsigned="a"),
    _matmul(12, 34, 24, "i8", unsigned="b"),
    _matmul(33, 70, 46, turned="b"),
    _matmul(20, 64, 128, "i8", turned="b"),
    _matmul(24, 48, 32, turned="a"),
    _matmul(8, 32, 74, filled=False),
    _named("batch_matmul", "bf16", [(3, 24, 32), (3, 32, 40), (3, 24, 40)]),
    _conv("bf16", "nhwc", 1, 12, (16, 40), 1),
    _conv("i8", "nhwc", 2, 9, (3, 33), 2),
    _conv("bf16", "nchw", 1, 12, (16, 8), 1),
    _conv("i8", "nchw", 2, 9, (5, 8), 1),
]


@needs_dots
@pytest.mark.parametrize("text", FIXED)
def test_candidates_are_right(pool: Pool, text: str) -> None:
    assert assert_legal(pool, text, "dots", 2, 1) == 1


@needs_dots
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_matmuls_of_any_shape_are_right(pool: Pool, data: st.DataObject) -> None:
    rows, columns, steps = (data.draw(st.integers(2, most)) for most in (40, 140, 70))
    element = data.draw(st.sampled_from(["bf16", "i8"]))
    unsigned = data.draw(st.sampled_from(["", "a", "b"])) if element == "i8" else ""
    text = _matmul(
        rows,
        columns,
        steps,
        element,
        turned=data.draw(st.sampled_from(["", "a", "b", "ab"])),
        unsigned=unsigned,
        filled=data.draw(st.booleans()),
        after=data.draw(st.booleans()),
    )
    assert_legal(pool, text, "dots", 1, data.draw(st.integers(0, 99)))


_KINDS = st.one_of(contractions(DOTS), convolutions(DOTS))
_QUICK = settings(
    max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def _assert_dots_are_right(pool: Pool, text: str, draws: int, seed: int) -> None:
    tasks = pool.analyse(text, "kernel.mlir").tasks
    assume(any(of_kind(sketches_for(task, _DOTS), "dots") for task in tasks))
    assert_legal(pool, text, "dots", draws, seed)


@needs_dots
@_QUICK
@given(_KINDS, st.integers(0, 1000))
def test_contractions_of_any_kind_are_right(pool: Pool, nest: LoopNest, seed: int) -> None:
    _assert_dots_are_right(pool, nest.text, 1, seed)


@needs_dots
@pytest.mark.slow
@settings(_QUICK, max_examples=400, derandomize=False)
@given(_KINDS, st.integers(0, 1000))
def test_many_contractions_are_right(pool: Pool, nest: LoopNest, seed: int) -> None:
    _assert_dots_are_right(pool, nest.text, 3, seed)


@pytest.mark.parametrize(
    "text",
    [
        _matmul(24, 64, 32, "f16"),
        _matmul(24, 64, 32, "i8", unsigned="ab"),
        _matmul(24, 64, 1),
        # MLIR would leave out the copy of the argument.
        _matmul(24, 64, 2, filled=False, after=True),
    ],
)
def test_what_has_no_instruction_is_left_alone(pool: Pool, text: str) -> None:
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    assert dots.spaces(task, _DOTS) == ()


def test_sums_in_order_and_other_processors_are_left_alone(pool: Pool) -> None:
    for element, feature in (("bf16", BF16_DOTS), ("i8", I8_DOTS)):
        (task,) = pool.analyse(_matmul(24, 64, 32, element), "kernel.mlir").tasks
        assert dots.spaces(task, replace(_DOTS, features=(feature,)))
        # Integers have no order.
        assert len(dots.spaces(task, _DOTS, "strict")) == (element == "i8")
        assert dots.spaces(task, replace(_DOTS, features=())) == ()


@needs_mlir_opt
@pytest.mark.parametrize("text", [FIXED[0], FIXED[3], FIXED[6], FIXED[11]])
def test_mlir_22_applies_the_library(pool: Pool, tmp_path: Path, text: str) -> None:
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = dots.spaces(task, _DOTS)
    library = tmp_path / "library.mlir"
    load = f"--transform-preload-library=transform-library-paths={library}"
    element = "bf16" if "bf16" in text else "i8"
    for candidate in drawn(space, 1, 1):
        library.write_text(pool.library([(task, candidate)]))
        applied = mlir_opt(text, load, "--transform-interpreter")
        assert "linalg.generic" not in applied
        assert "linalg.conv" not in applied
        columns = task.anchor_op.init.shape[-1]
        width = min(candidate.number("vector"), columns)
        assert f"into vector<{width}x{_SUMS[element]}>" in applied
