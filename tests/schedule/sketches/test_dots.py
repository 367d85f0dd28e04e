"""Matmuls of bf16 by dot products of pairs: every candidate is right, and both MLIRs make the same of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import BF16_DOTS, this_processor
from harl_mlir.space.sketches import pairs
from tests.mlir_opt import mlir_opt, needs_mlir_opt
from tests.schedule.sketches.legality import assert_legal, drawn, processor_with

needs_dots = pytest.mark.skipif(
    BF16_DOTS not in this_processor().features, reason="the processor has no bf16 dot products"
)
_DOTS = replace(processor_with(64), features=(BF16_DOTS,))


def _matmul(rows: int, columns: int, steps: int, *, filled: bool = True, element: str = "bf16") -> str:
    a, b, c = (
        f"tensor<{rows}x{steps}x{element}>",
        f"tensor<{steps}x{columns}x{element}>",
        f"tensor<{rows}x{columns}xf32>",
    )
    fill = f"""%z = arith.constant 0.0 : f32
  %e = tensor.empty() : {c}
  %f = linalg.fill ins(%z : f32) outs(%e : {c}) -> {c}"""
    return f"""func.func @k(%a: {a}, %b: {b}{"" if filled else f", %f: {c}"}) -> {c} {{
  {fill if filled else ""}
  %r = linalg.matmul ins(%a, %b : {a}, {b}) outs(%f : {c}) -> {c}
  return %r : {c}
}}"""


@needs_dots
@pytest.mark.parametrize(
    ("rows", "columns", "steps", "filled"),
    [(24, 64, 32, True), (3, 48, 6, True), (14, 16, 4, False), (26, 96, 40, True), (8, 32, 74, False)],
)
def test_candidates_are_right(pool: Pool, rows: int, columns: int, steps: int, filled: bool) -> None:
    assert assert_legal(pool, _matmul(rows, columns, steps, filled=filled), "pairs", 4, 1) == 1


@pytest.mark.parametrize(
    ("rows", "columns", "steps", "element"),
    [(24, 64, 33, "bf16"), (24, 40, 32, "bf16"), (17, 64, 32, "bf16"), (24, 64, 32, "f16")],
)
def test_what_pairs_do_not_divide_is_left_alone(
    pool: Pool, rows: int, columns: int, steps: int, element: str
) -> None:
    (task,) = pool.analyse(_matmul(rows, columns, steps, element=element), "kernel.mlir").tasks
    assert pairs.spaces(task, _DOTS) == ()


def test_sums_in_order_and_other_processors_are_left_alone(pool: Pool) -> None:
    (task,) = pool.analyse(_matmul(24, 64, 32), "kernel.mlir").tasks
    assert pairs.spaces(task, _DOTS)
    assert pairs.spaces(task, _DOTS, "strict") == ()
    assert pairs.spaces(task, replace(_DOTS, features=())) == ()


@needs_mlir_opt
def test_mlir_22_applies_the_library(pool: Pool, tmp_path: Path) -> None:
    text = _matmul(24, 64, 32)
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = pairs.spaces(task, _DOTS)
    library = tmp_path / "library.mlir"
    load = f"--transform-preload-library=transform-library-paths={library}"
    for candidate in drawn(space, 3, 1):
        library.write_text(pool.library([(task, candidate)]))
        applied = mlir_opt(text, load, "--transform-interpreter")
        assert "linalg." not in applied, candidate.values
        rows, vector = candidate.number("rows"), candidate.number("vector")
        pairs_into = f"vector<{rows}x2xbf16>, vector<{vector}x2xbf16> into vector<{rows}x{vector}xf32>"
        assert pairs_into in applied
