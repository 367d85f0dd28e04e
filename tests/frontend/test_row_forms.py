"""Row operations in other spellings become one task, and compute what they computed, to the bit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harl_mlir.export.loaded import load
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.tasks.analyse import analyse
from harl_mlir.tasks.rows import common_rows
from tests.frontend.row_programs import TORCH, keepdims


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(accuracy="strict") as running:
        yield running


def normalised(text: str) -> str:
    with ir.Context(), ir.Location.unknown():
        module = prepare(text, "k.mlir", plain_rows=True).module
        assert module.operation.verify()
        return str(module)


def numbers(pool: Pool, text: str) -> list[np.ndarray]:
    """The results of a text's one function for normally distributed arguments."""
    made = pool.compile(text, "k.mlir")
    (function,) = made.functions
    rng = np.random.default_rng(3)
    arguments = [
        rng.standard_normal(p.type.shape).astype(np.float32) for p in function.parameters if p.role == "in"
    ]
    results = load(made.object, made.functions)[function.name](*arguments)
    return list(results) if isinstance(results, tuple) else [results]


def assert_same_numbers(pool: Pool, text: str, changed: str) -> None:
    for before, after in zip(numbers(pool, text), numbers(pool, changed), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", TORCH)
def test_what_torch_mlir_makes_is_one_row_operation(pool: Pool, name: str) -> None:
    changed = normalised(TORCH[name])
    with ir.Context(), ir.Location.unknown():
        found = analyse(prepare(changed, "k.mlir"), "k.mlir")
    (task,) = found.tasks
    assert not found.skipped
    assert common_rows(member.op for member in task.members if not member.op.is_fill)
    assert normalised(changed) == changed
    assert_same_numbers(pool, TORCH[name], changed)


def test_random_programs(pool: Pool) -> None:
    fewer = 0
    for seed in range(25):
        text = keepdims(seed)
        changed = normalised(text)
        fewer += changed.count("linalg.generic") < text.count("linalg.generic")
        assert normalised(changed) == changed, text
        assert_same_numbers(pool, text, changed)
    assert fewer > 10


def test_a_live_arg_max_stays() -> None:
    text = TORCH["softmax"].replace(
        "return %11 : tensor<4x64x128xf32>", "return %11, %4#1 : tensor<4x64x128xf32>, tensor<4x64xi64>"
    )
    text = text.replace(
        "-> tensor<4x64x128xf32> {\n    %c0", "-> (tensor<4x64x128xf32>, tensor<4x64xi64>) {\n    %c0"
    )
    assert "arith.cmpf ogt" in normalised(text)
    assert "arith.cmpf ogt" not in normalised(TORCH["softmax"])
