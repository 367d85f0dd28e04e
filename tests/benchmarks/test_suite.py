"""The suite is what it says: its kernels parse and do the operations counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.kernels import kernel_text
from benchmarks.suite import Case, load_suite
from harl_mlir.measure.pool import Pool

SUITE = load_suite()
CONTRACTIONS = [
    case
    for case in SUITE
    if case.multiply_adds
    and case.kind != "chain"
    and case.category != "types"
    and case.fields.get("epilogue", "") in ("", "bias_relu")
]


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as pool:
        yield pool


def test_names_are_unique_and_fit_in_file_names() -> None:
    names = [case.name for case in SUITE]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() for name in names)


def test_quick_is_a_few_cases_of_nearly_every_class() -> None:
    quick = Counter(case.category for case in SUITE if case.quick)
    assert max(quick.values()) <= 4
    assert len(quick) >= len({case.category for case in SUITE}) - 2


@pytest.mark.parametrize("case", SUITE, ids=[case.name for case in SUITE])
def test_kernel_is_one_function_of_the_shapes_said(case: Case, pool: Pool) -> None:
    (function,) = pool.functions(kernel_text(case), f"{case.name}.mlir").tasks
    assert tuple(argument.shape for argument in function.arguments) == case.inputs
    # An op with several results is none that the tuner knows.
    shapes = [function.result_type(result).shape for result in function.results]
    assert shapes in ([case.output], [])


@pytest.mark.parametrize("case", CONTRACTIONS, ids=[case.name for case in CONTRACTIONS])
def test_kernel_is_one_contraction_of_the_operations_counted(case: Case, pool: Pool) -> None:
    found = pool.analyse(kernel_text(case), f"{case.name}.mlir")
    assert {skipped.op for skipped in found.skipped} <= (
        {"linalg.copy"} if case.kind == "transposed_conv" else set()
    )
    # A transposed convolution has the filling and the copying of its padded image beside it.
    working = [task for task in found.tasks if task.flops]
    assert [task.flops for task in working] == [case.flops]
    assert math.prod(working[0].anchor_op.dims) == case.multiply_adds
    (function,) = pool.functions(kernel_text(case), f"{case.name}.mlir").tasks
    assert function.flops == case.flops
