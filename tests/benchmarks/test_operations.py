"""Kernels of the cases without multiply-adds compute what their references say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.inputs import arguments, reference
from benchmarks.kernels import kernel_text
from benchmarks.suite import Case
from harl_mlir.export.loaded import load
from harl_mlir.measure.pool import Pool
from tests.benchmarks.cases import OPERATIONS, ROWS, case_of


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as pool:
        yield pool


def result(case: Case, pool: Pool) -> np.ndarray:
    compiled = pool.compile(kernel_text(case), "kernel.mlir")
    made = load(compiled.object, compiled.functions)["kernel"](*arguments(case))
    assert isinstance(made, np.ndarray)
    return made


@pytest.mark.parametrize("name", OPERATIONS)
def test_kernel_computes_the_reference(name: str, pool: Pool) -> None:
    case = case_of(OPERATIONS[name])
    made = result(case, pool)
    found = reference(case, arguments(case))
    assert found.mismatch(made, case) is None
    wrong = made.copy()
    wrong.flat[3] += 1 if case.result_element == "i64" else 1e-3
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
