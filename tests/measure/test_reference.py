"""The reference and its bounds: against NumPy written by hand, and against planted errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.measure.approx import Approx
from harl_mlir.measure.body_values import CannotCheckError
from harl_mlir.measure.op_reference import evaluate, product_of, reduction_of
from harl_mlir.measure.operands import seeded_arguments, stored
from harl_mlir.measure.reference import can_check, mismatch, reference
from harl_mlir.tasks.linalg_op import AffineRow, BodyOp, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task, TensorType

EPS = 2.0**-23


def rows(*loops: int, of: int) -> tuple[AffineRow, ...]:
    """A map that takes these loops, in a nest of `of` loops."""
    return tuple((*(int(d == loop) for d in range(of)), 0) for loop in loops)


def matmul(m: int, n: int, k: int, element: str = "f32") -> LinalgOp:
    kind = "f" if element.startswith("f") else "i"
    return LinalgOp(
        "linalg.matmul",
        (m, n, k),
        ("parallel", "parallel", "reduction"),
        (
            Operand((m, k), element, rows(0, 2, of=3)),
            Operand((k, n), element, rows(2, 1, of=3)),
            Operand((m, n), element, rows(0, 1, of=3)),
        ),
        (BodyOp(f"arith.mul{kind}", (0, 1), element), BodyOp(f"arith.add{kind}", (2, 3), element)),
        4,
    )


def reducing(name: str, element: str = "f32", shape: tuple[int, int] = (5, 9)) -> LinalgOp:
    """Reduces the second axis by the body op `name`."""
    return LinalgOp(
        "linalg.generic",
        shape,
        ("parallel", "reduction"),
        (Operand(shape, element, rows(0, 1, of=2)), Operand(shape[:1], element, rows(0, of=2))),
        (BodyOp(name, (0, 1), element),),
        2,
    )


def unary(*body: BodyOp, element: str = "f32", size: int = 7) -> LinalgOp:
    operand = Operand((size,), element, rows(0, of=1))
    return LinalgOp("linalg.generic", (size,), ("parallel",), (operand, operand), body, 1 + len(body))


def exact(array: np.ndarray) -> Approx:
    return Approx(array.astype(np.float64 if array.dtype.kind == "f" else np.int64))


@settings(max_examples=30, deadline=None)
@given(m=st.integers(1, 7), n=st.integers(1, 7), k=st.integers(1, 9), seed=st.integers(0, 99))
def test_matmul_and_its_bound_are_the_formula(m: int, n: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = (rng.random(s, dtype=np.float32) - 0.5 for s in ((m, k), (k, n), (m, n)))
    got = evaluate(matmul(m, n, k), [exact(a), exact(b), exact(c)])
    a, b, c = (x.astype(np.float64) for x in (a, b, c))
    np.testing.assert_allclose(got.value, a @ b + c, rtol=0, atol=1e-14)
    np.testing.assert_allclose(got.error, 2 * (k + 2) * EPS * (abs(a) @ abs(b) + abs(c)), rtol=1e-12)


@pytest.mark.parametrize("element", ["i8", "i16", "i32", "i64"])
def test_integer_matmul_wraps_in_its_width(element: str) -> None:
    rng = np.random.default_rng(1)
    low, high = (-128, 128) if element == "i8" else (-(2**15), 2**15)
    a, b = rng.integers(low, high, (4, 50)), rng.integers(low, high, (50, 3))
    got = evaluate(matmul(4, 3, 50, element), [exact(a), exact(b), exact(np.zeros((4, 3), np.int64))])
    assert got.exact
    wide = [[sum(int(x) * int(y) for x, y in zip(row, column, strict=True)) for column in b.T] for row in a]
    bits = int(element[1:])
    expected = [[(v + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1) for v in row] for row in wide]
    assert got.value.tolist() == expected


def test_strided_and_dilated_convolution() -> None:
    # 1-D, one channel: out[i] += in[2 i + 3 k + 1] * w[k]
    op = LinalgOp(
        "linalg.generic",
        (4, 3),
        ("parallel", "reduction"),
        (
            Operand((14,), "f32", ((2, 3, 1),)),
            Operand((3,), "f32", rows(1, of=2)),
            Operand((4,), "f32", rows(0, of=2)),
        ),
        (BodyOp("arith.mulf", (0, 1), "f32"), BodyOp("arith.addf", (2, 3), "f32")),
        4,
    )
    x, w = np.arange(14.0), np.array([1.0, 10.0, 100.0])
    got = evaluate(op, [exact(x), exact(w), exact(np.zeros(4))])
    assert got.value.tolist() == [sum(x[2 * i + 3 * k + 1] * w[k] for k in range(3)) for i in range(4)]
    with pytest.raises(ValueError, match="is accessed in"):
        evaluate(op, [exact(x[:13]), exact(w), exact(np.zeros(4))])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("arith.addf", np.sum),
        ("arith.mulf", np.prod),
        ("arith.maximumf", np.max),
        ("arith.minnumf", np.min),
    ],
)
def test_float_reductions(name: str, function: object) -> None:
    x = np.random.default_rng(0).random((5, 9)) + 0.5
    start = np.full(5, 1.5)
    got = evaluate(reducing(name), [exact(x), exact(start)])
    assert callable(function)
    expected = function(np.concatenate([start[:, None], x], axis=1), axis=1)
    np.testing.assert_allclose(got.value, expected, rtol=1e-14)
    if name in ("arith.maximumf", "arith.minnumf"):
        assert got.exact
    else:
        slack = np.broadcast_to(got.error, (5,)) / (EPS * np.abs(expected))
        assert (slack > 10).all()
        assert (slack < 40).all()


def test_integer_reductions_read_unsigned_where_the_op_does() -> None:
    x = np.array([[-1, 1, 5, 3]])
    for name, expected in (
        ("arith.maxsi", 5), ("arith.maxui", -1), ("arith.minsi", -1), ("arith.minui", 1),
        ("arith.andi", 1), ("arith.ori", -1), ("arith.xori", ~1 ^ 5 ^ 3 ^ 1),
    ):  # fmt: skip
        got = evaluate(reducing(name, "i8", (1, 4)), [exact(x), exact(x[:, 1])])
        assert got.value.tolist() == [expected], name


def test_large_nests_are_evaluated_in_parts() -> None:
    x = np.random.default_rng(0).random((3, 1_500_001)) - 0.5
    op = reducing("arith.addf", shape=x.shape)
    got = evaluate(op, [exact(x), exact(np.zeros(3))])
    np.testing.assert_allclose(got.value, x.sum(axis=1), atol=1e-8)
    largest = evaluate(reducing("arith.maximumf", shape=x.shape), [exact(x), exact(np.full(3, -np.inf))])
    assert largest.value.tolist() == x.max(axis=1).tolist()


def test_bounds_cover_single_precision_and_not_much_more() -> None:
    body = (
        BodyOp("math.exp", (0,), "f32"),
        BodyOp("arith.addf", (2, 0), "f32"),
        BodyOp("arith.divf", (2, 3), "f32"),
        BodyOp("math.tanh", (4,), "f32"),
    )
    x = (np.random.default_rng(0).random(1000) - 0.5).astype(np.float32)
    got = evaluate(unary(*body, size=1000), [exact(x), exact(x)])
    e = np.exp(x)
    single = np.tanh(e / (e + x))
    assert mismatch(single, got, "f32") is None
    assert np.max(got.error) < 2e-5
    assert mismatch(single + np.float32(4e-5), got, "f32") is not None


def test_a_compare_within_the_bound_allows_both_outcomes() -> None:
    third = BodyOp("arith.constant", (), "f32", (("value", repr(float(np.float32(1 / 3)))),))
    three = BodyOp("arith.constant", (), "f32", (("value", "3.0"),))
    one = BodyOp("arith.constant", (), "f32", (("value", "1.0"),))
    hundred = BodyOp("arith.constant", (), "f32", (("value", "100.0"),))
    op = unary(
        third, three, one, hundred,
        BodyOp("arith.mulf", (2, 3), "f32"),
        BodyOp("arith.mulf", (6, 0), "f32"),
        BodyOp("arith.cmpf", (7, 4), "i1", (("predicate", "2"),)),
        BodyOp("arith.select", (8, 5, 0), "f32"),
        size=2,
    )  # fmt: skip
    got = evaluate(op, [exact(np.array([1.0, 0.5])), None])
    for first in (1.0, 100.0):
        assert mismatch(np.array([first, 0.5], np.float32), got, "f32") is None
    assert mismatch(np.array([1.0, 100.0], np.float32), got, "f32") is not None


def test_the_worst_element_is_named() -> None:
    expected = Approx(np.zeros((2, 3)), 0.5)
    got = np.array([[0, 0.6, 0], [0, 0, -7]], np.float32)
    assert mismatch(got, expected, "f32") == (
        "2 of 6 elements are wrong; element [1][2] is -7, should be 0 +- 0.5"
    )
    got[0, 0] = math.nan
    message = mismatch(got, expected, "f32")
    assert message is not None
    assert "3 of 6 elements are wrong; element [0][0] is nan" in message


@pytest.mark.parametrize(("element", "precision"), [("bf16", 2.0**-8), ("f16", 2.0**-11)])
def test_results_in_half_precision_may_be_off_by_their_rounding(element: str, precision: float) -> None:
    values = np.array([0.75, -1.0, 1.5, 3.0])
    double = BodyOp("arith.addf", (0, 0), element)
    expected = evaluate(unary(double, element=element, size=4), [exact(values), None])
    assert mismatch(stored(2 * values, element), expected, element) is None
    assert mismatch(stored(2 * values * (1 + precision), element), expected, element) is None
    assert mismatch(stored(2 * values * (1 + 6 * precision), element), expected, element) is not None


def test_products_that_underflow_may_be_off_by_the_smallest_number() -> None:
    near = np.array([[1.3 * 2.0**-20]])
    expected = evaluate(
        matmul(1, 1, 1, "f16"), [exact(near), exact(np.ones((1, 1))), exact(np.zeros((1, 1)))]
    )
    assert mismatch(near.astype(np.float16), expected, "f16") is None
    assert mismatch(near.astype(np.float16) + np.float16(4 * 2.0**-24), expected, "f16") is not None


def test_nothing_can_be_said_beyond_the_range() -> None:
    op = unary(BodyOp("math.exp", (0,), "f32"), size=2)
    got = evaluate(op, [exact(np.array([100.0, 1.0])), None])
    assert mismatch(np.array([np.inf, math.e], np.float32), got, "f32") is None


def task(op: LinalgOp, init: Source) -> Task:
    members = (Member(op, (*(Source("argument", i) for i in range(len(op.inputs))), init)),)
    arguments = tuple(TensorType(o.shape, o.element) for o in op.inputs)
    return Task("key", "", arguments, members, 0, (0,))


def test_what_cannot_be_checked_says_why() -> None:
    zero = Source("constant", value=0.0)
    assert can_check(task(matmul(2, 2, 2), zero)) is None
    assert can_check(task(matmul(2, 2, 2), Source("empty"))) == "a body reads a tensor that holds nothing yet"
    unknown = replace(unary(BodyOp("math.ctpop", (0,), "f32")))
    assert can_check(task(unknown, Source("empty"))) == "math.ctpop in a body cannot be checked"
    odd = replace(
        matmul(2, 2, 2), operands=tuple(replace(o, element="f80") for o in matmul(2, 2, 2).operands)
    )
    assert can_check(task(odd, zero)) == "elements of type f80 cannot be checked"
    strange = replace(reducing("arith.divf"))
    assert can_check(task(strange, zero)) is not None
    assert can_check(replace(task(matmul(2, 2, 2), zero), unchecked="it calls another")) == "it calls another"
    with pytest.raises(CannotCheckError):
        reference(task(strange, zero), seeded_arguments(task(strange, zero)))


def test_structure_of_bodies() -> None:
    assert product_of(matmul(2, 3, 4)) == (0, 1, 1)
    assert product_of(reducing("arith.addf")) is None
    assert reduction_of(reducing("arith.addf")).terms == ((0, 1),)
    square = replace(reducing("arith.mulf"), body=(BodyOp("arith.mulf", (1, 1), "f32"),))
    with pytest.raises(CannotCheckError, match="more than one way"):
        reduction_of(square)


def test_arguments_depend_on_the_key_alone() -> None:
    given_task = task(matmul(4, 5, 6), Source("constant"))
    first, again = (seeded_arguments(given_task).values for _ in range(2))
    other = seeded_arguments(replace(given_task, key="other")).values
    for x, y, z in zip(first, again, other, strict=True):
        assert isinstance(x, np.ndarray)
        assert np.array_equal(x, y)
        assert not np.array_equal(x, z)
        assert x.dtype == np.float32
        assert x.min() >= -0.5
        assert x.max() < 0.5
