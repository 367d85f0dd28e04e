"""Kernels compute what the references say, which are written in another way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.inputs import arguments, reference
from benchmarks.kernels import kernel_text
from benchmarks.suite import Case
from harl_mlir.export.loaded import load
from harl_mlir.measure.pool import Pool
from tests.benchmarks.cases import FOLLOWED, OPERATIONS, ROWS, TYPED, case_of

CASES = OPERATIONS | FOLLOWED | TYPED


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as pool:
        yield pool


def result(case: Case, pool: Pool) -> np.ndarray:
    compiled = pool.compile(kernel_text(case), "kernel.mlir")
    made = load(compiled.object, compiled.functions)["kernel"](*arguments(case))
    assert isinstance(made, np.ndarray)
    return made


@pytest.mark.parametrize("name", CASES)
def test_kernel_computes_the_reference(name: str, pool: Pool) -> None:
    case = case_of(CASES[name])
    made = result(case, pool)
    found = reference(case, arguments(case))
    assert found.mismatch(made, case) is None
    wrong = made.copy()
    wrong.flat[3] += 1e-3 if case.result_element == "f32" and "16" not in case.elements[0] else 1
    assert "1 of" in (found.mismatch(wrong, case) or "")


def test_softmax_sums_to_one() -> None:
    case = case_of(ROWS, op="softmax")
    np.testing.assert_allclose(reference(case, arguments(case)).value.sum(axis=-1), 1.0, rtol=1e-12)


def test_large_cases_are_checked_on_some_rows() -> None:
    case = case_of(ROWS, op="layer_norm", rows=3000, columns=3000)
    found = reference(case, arguments(case))
    assert found.items is not None
    assert (found.items[0], found.items[-1]) == (0, 2999)
    assert found.value.shape == (len(found.items), 3000)
