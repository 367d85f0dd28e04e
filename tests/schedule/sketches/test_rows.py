"""Row operations are one task, and every candidate of their sketch is right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.accuracy import ACCURACIES, Accuracy
from harl_mlir.measure.operands import seeded_arguments
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.reference import reference
from harl_mlir.space.sketches import sketches_for
from tests.frontend.test_row_forms import arg_max
from tests.schedule.sketches import row_kernels as k
from tests.schedule.sketches.legality import assert_legal, drawn, of_kind, processor_with

_KERNELS = {
    "softmax": k.softmax((12,), 128),
    "softmax of heads": k.softmax((2, 6), 67),
    "softmax of a prime number of long rows": k.softmax((7,), 1009),
    "softmax of short rows": k.softmax((10,), 3),
    "softmax of doubles": k.softmax((6,), 45, "f64"),
    "softmax beside unit dimensions": k.softmax((1, 4, 1), 40),
    "log-sum-exp": k.log_sum_exp((9,), 100),
    "layer norm": k.layer_norm((8,), 768),
    "layer norm of a remainder": k.layer_norm((3, 5), 131),
    "layer norm of doubles": k.layer_norm((4,), 33, "f64"),
    "RMS norm": k.rms_norm((16,), 96),
    "integers": k.distance_from_most((5,), 70),
}


@pytest.mark.parametrize("name", _KERNELS)
def test_row_operations(pool: Pool, name: str) -> None:
    text = _KERNELS[name]
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    assert len(task.members) > 2
    assert assert_legal(pool, text, "rows", 3, 1) == 1


@pytest.mark.parametrize("name", ["softmax of heads", "layer norm of a remainder", "integers"])
def test_row_operations_to_the_bit(strict_pool: Pool, name: str) -> None:
    assert assert_legal(strict_pool, _KERNELS[name], "rows", 2, 1) == 1


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("shape", [(6, 96), (2, 4, 37), (5, 1009)])
def test_places_of_the_greatest(pool: Pool, shape: tuple[int, ...], both: bool) -> None:
    assert assert_legal(pool, arg_max(shape, least=False, both=both), "rows", 3, 1) == 1


def test_places_of_the_greatest_integers_to_the_bit(strict_pool: Pool) -> None:
    """They are searched apart from the greatest integers, which are a result, too."""
    text = arg_max((6, 131), least=False, of="i32")
    assert assert_legal(strict_pool, text, "rows", 3, 1) == 1


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[Accuracy, Pool]]:
    with ExitStack() as stack:
        yield {accuracy: stack.enter_context(Pool(accuracy=accuracy)) for accuracy in ACCURACIES}


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_random_programs(pools: dict[Accuracy, Pool], accuracy: Accuracy) -> None:
    _check(pools[accuracy], examples=30)


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_many_random_programs(pools: dict[Accuracy, Pool], accuracy: Accuracy) -> None:
    _check(pools[accuracy], examples=300)


def _check(pool: Pool, examples: int) -> None:
    row_operations = 0

    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(text=k.programs(), seed=st.integers(0, 1 << 30))
    def are_right(text: str, seed: int) -> None:
        nonlocal row_operations
        row_operations += assert_legal(pool, text, "rows", 2, seed)

    are_right()
    assert row_operations > examples / 8


@pytest.mark.parametrize("accuracy", ["reassociate", "approximate"])
def test_chunks_of_rows(pools: dict[Accuracy, Pool], accuracy: Accuracy) -> None:
    _check_chunks(pools[accuracy], examples=15)


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", ["reassociate", "approximate"])
def test_many_chunks_of_rows(pools: dict[Accuracy, Pool], accuracy: Accuracy) -> None:
    _check_chunks(pools[accuracy], examples=200)


def _check_chunks(pool: Pool, examples: int) -> None:
    chunked = 0

    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(text=k.exponentials(), seed=st.integers(0, 1 << 30))
    def are_right(text: str, seed: int) -> None:
        nonlocal chunked
        for task in pool.analyse(text, "kernel.mlir").tasks:
            for space in of_kind(sketches_for(task, processor_with(64, l1_bytes=256), pool.accuracy), "rows"):
                for candidate in drawn(space, 2, seed):
                    measurement = pool.measure(task, candidate)
                    assert measurement.ok, f"{measurement.failure}\n{candidate.values}\n{text}"
                    chunked += bool(candidate.assignment.get("chunk"))

    are_right()
    assert chunked > examples / 2


def test_what_is_used_elsewhere_is_no_member(pool: Pool) -> None:
    kernel = k.RowKernel((8,), 64)
    doubled = kernel.along("%y = arith.addf %a0, %a1 : f32", "%x", "%w")
    most = kernel.reduce("0xFF800000", "%y = arith.maximumf %a0, %o : f32", doubled)
    kernel.along("%y = arith.subf %a0, %a1 : f32", doubled, most)
    text = kernel.text(doubled)
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    assert [member.op.dims for member in task.members] == [(8, 64)]


def test_what_follows_a_product_of_integers_is_not_the_beginning_of_the_row_operation_after_it(
    pool: Pool,
) -> None:
    """It is the product's epilogue; of floating-point numbers all would be a chain."""
    head, body = k.distance_from_most((16,), 32).split("{", 1)
    product = (
        "\n  %a = arith.constant dense<2> : tensor<16x8xi32>\n"
        "  %b = arith.constant dense<3> : tensor<8x32xi32>\n"
        "  %z = arith.constant 0 : i32\n  %e = tensor.empty() : tensor<16x32xi32>\n"
        "  %fp = linalg.fill ins(%z : i32) outs(%e : tensor<16x32xi32>) -> tensor<16x32xi32>\n"
        "  %p = linalg.matmul ins(%a, %b : tensor<16x8xi32>, tensor<8x32xi32>) outs(%fp : tensor<16x32xi32>)"
        " -> tensor<16x32xi32>\n"
        "  %in = linalg.add ins(%p, %x : tensor<16x32xi32>, tensor<16x32xi32>)"
        " outs(%e : tensor<16x32xi32>) -> tensor<16x32xi32>"
    )
    used = body.replace("ins(%x", "ins(%in")
    tasks = pool.analyse(f"{head}{{{product}{used}", "kernel.mlir").tasks
    assert [len(task.members) for task in tasks] == [3, 3]


def test_the_numbers_of_a_softmax_have_a_bound(pool: Pool) -> None:
    """That maxima start from minus infinity must not make every result pass the check."""
    (task,) = pool.analyse(k.softmax((4,), 16), "kernel.mlir").tasks
    (result,) = reference(task, seeded_arguments(task)).results
    assert 0 < np.max(result.error) < 1e-4
