"""Sums of f16 and bf16 are kept in f32 and rounded once; nothing else changes, and nothing under `strict`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from harl_mlir.accuracy import Accuracy
from harl_mlir.export.loaded import load
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches.legality import processor_with


def _function(arguments: str, result: str, body: str) -> str:
    return f"""func.func @k({arguments}) -> {result} {{
  %z = arith.constant 0.0 : f16
  %e = tensor.empty() : {result}
  %f = linalg.fill ins(%z : f16) outs(%e : {result}) -> {result}
  {body}
  return %r : {result}
}}"""


_MATMUL = _function(
    "%a: tensor<9x300xf16>, %b: tensor<300x20xf16>",
    "tensor<9x20xf16>",
    "%r = linalg.matmul ins(%a, %b : tensor<9x300xf16>, tensor<300x20xf16>) outs(%f : tensor<9x20xf16>)"
    " -> tensor<9x20xf16>",
)
_ADDED = _function(
    "%a: tensor<9x300xf16>, %b: tensor<300x20xf16>, %c: tensor<9x20xf16>",
    "tensor<9x20xf16>",
    "%r = linalg.matmul ins(%a, %b : tensor<9x300xf16>, tensor<300x20xf16>) outs(%c : tensor<9x20xf16>)"
    " -> tensor<9x20xf16>",
)
_ROWS = _function(
    "%a: tensor<9x300xf16>",
    "tensor<9xf16>",
    """%r = linalg.reduce ins(%a : tensor<9x300xf16>) outs(%f : tensor<9xf16>) dimensions = [1]
    (%x: f16, %y: f16) {
      %s = arith.addf %y, %x : f16
      linalg.yield %s : f16
    }""",
)
_SQUARES = _function(
    "%a: tensor<9x300xf16>",
    "tensor<9xf16>",
    """%r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]} ins(%a : tensor<9x300xf16>) outs(%f : tensor<9xf16>) {
  ^bb0(%x: f16, %o: f16):
    %p = arith.mulf %x, %x fastmath<nnan> : f16
    %n = arith.negf %p : f16
    %s = arith.addf %n, %o : f16
    linalg.yield %s : f16
  } -> tensor<9xf16>""",
)
WIDENED = {"matmul": _MATMUL, "added to": _ADDED, "rows": _ROWS, "squares": _SQUARES}
LEFT = {
    "greatest": _ROWS.replace("arith.addf", "arith.maximumf"),
    "no sum of the result": _SQUARES.replace("arith.addf %n, %o", "arith.addf %n, %n"),
    "twice the result": _SQUARES.replace("arith.addf %n, %o", "arith.addf %o, %o"),
    "other arithmetic": _SQUARES.replace("arith.negf %p", "math.exp %p"),
    "branches": _MATMUL.replace("  %z =", "  cf.br ^next\n^next:\n  %z ="),
    "f32": _MATMUL.replace("f16", "f32"),
}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as running:
        yield running


def _normalised(text: str, accuracy: Accuracy | None) -> str:
    with ir.Context(), ir.Location.unknown():
        module = prepare(text, "k.mlir", accuracy=accuracy).module
        assert module.operation.verify()
        return str(module)


@pytest.mark.parametrize("name", WIDENED)
def test_sums_are_of_f32_and_rounded_once(pool: Pool, name: str) -> None:
    text = WIDENED[name]
    changed = _normalised(text, "reassociate")
    assert changed.count("arith.truncf") == 1
    assert "arith.addf" in changed
    assert not re.search(r"(add|mul|neg)f .*: f16", changed)
    assert _normalised(changed, "reassociate") == changed
    for task in pool.analyse(text, "k.mlir").tasks:
        (space, *_) = sketches_for(task, processor_with(64), pool.accuracy)
        assert pool.measure(task, space.default()).ok
    made = pool.compile(changed, "k.mlir")
    rng = np.random.default_rng(3)
    given = [rng.standard_normal(p.type.shape) for p in made.functions[0].parameters if p.role == "in"]
    given = [each.astype(np.float16) for each in given]
    result = load(made.object, made.functions)["k"](*given)
    exact = [each.astype(np.float64) for each in given]
    wanted = {
        "matmul": lambda a, b: a @ b,
        "added to": lambda a, b, c: a @ b + c,
        "rows": lambda a: a.sum(1),
        "squares": lambda a: -(a * a).sum(1),
    }[name](*exact)
    # Half a unit in the last place, and what f32 is off by.
    np.testing.assert_allclose(result.astype(np.float64), wanted, rtol=2**-11, atol=1e-3)


@pytest.mark.parametrize("name", LEFT)
def test_other_ops_are_left_alone(name: str) -> None:
    assert _normalised(LEFT[name], "reassociate") == _normalised(LEFT[name], None)


@pytest.mark.parametrize("name", WIDENED)
def test_strict_accuracy_leaves_sums_alone(name: str) -> None:
    assert _normalised(WIDENED[name], "strict") == _normalised(WIDENED[name], None)
