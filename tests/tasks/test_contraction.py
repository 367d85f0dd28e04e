"""The roles that the loops of a contraction-like op get."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harl_mlir.tasks.contraction import contraction_of, copy_order, stride_along, ways_of, with_vectors_last
from harl_mlir.tasks.linalg_op import AffineRow, BodyOp, IteratorKind, LinalgOp, Operand

_MULTIPLY_ADD = (("arith.mulf", 0, 1), ("arith.addf", 2, 3))


def _op(
    dims: dict[str, int],
    reductions: str,
    maps: Sequence[Sequence[str]],
    body: Sequence[tuple[str, int, int]] = _MULTIPLY_ADD,
    inputs: str = "f32",
) -> LinalgOp:
    """An op whose loops are named by letters; a map's result is like `m` or `2o+k`."""
    loops = list(dims)
    kinds: list[IteratorKind] = ["reduction" if name in reductions else "parallel" for name in loops]
    operands = []
    for number, results in enumerate(maps):
        rows = [_row(loops, result) for result in results]
        shape = tuple(
            1 + sum(c * (dims[name] - 1) for c, name in zip(row, loops, strict=False)) for row in rows
        )
        operands.append(Operand(shape, inputs if number < len(maps) - 1 else "f32", tuple(rows)))
    ops = tuple(BodyOp(name, (a, b), "f32") for name, a, b in body)
    yields = len(operands) + len(ops) - 1
    return LinalgOp("linalg.generic", tuple(dims.values()), tuple(kinds), tuple(operands), ops, yields)


def _row(loops: Sequence[str], result: str) -> AffineRow:
    coefficients = {term[-1]: int(term[:-1] or 1) for term in result.split("+")}
    return (*(coefficients.get(name, 0) for name in loops), 0)


_MNK = {"m": 33, "n": 45, "k": 20}
_MATMUL = _op(_MNK, "k", ["mk", "kn", "mn"])
_MATMUL_TB = _op(_MNK, "k", ["mk", "nk", "mn"])
_NCHW = {"n": 1, "f": 32, "o": 8, "p": 14, "c": 5, "k": 3, "l": 3}


def _nchw(stride: int) -> LinalgOp:
    image = ["n", "c", f"{stride}o+k", f"{stride}p+l"]
    return _op(_NCHW, "ckl", [image, ["f", "c", "k", "l"], ["n", "f", "o", "p"]])


def test_matmul() -> None:
    roles = contraction_of(_MATMUL)
    assert roles is not None
    assert (roles.vector, roles.row, roles.inner, roles.vector_operand) == (1, 0, 2, 1)
    assert not roles.transposed
    assert not roles.by_rows
    assert with_vectors_last(_MATMUL, roles) == (_MATMUL, roles)


def test_operands_may_change_places() -> None:
    roles = contraction_of(_op(_MNK, "k", ["kn", "mk", "mn"]))
    assert roles is not None
    assert (roles.vector_operand, roles.broadcast_operand) == (0, 1)


def test_b_transposed_is_copied() -> None:
    roles = contraction_of(_MATMUL_TB)
    assert roles is not None
    assert roles.transposed
    op, left = with_vectors_last(_MATMUL_TB, roles)
    assert op == _MATMUL
    assert left == contraction_of(_MATMUL)


def test_batches_of_one_vanish_with_the_copy() -> None:
    op = _op({"b": 1, **_MNK}, "k", ["bmk", "bnk", "bmn"])
    roles = contraction_of(op)
    assert roles is not None
    assert roles.batch == (0,)
    assert with_vectors_last(op, roles)[0] == _MATMUL


def test_channels_first_has_lanes_along_the_window() -> None:
    roles = contraction_of(_nchw(1))
    assert roles is not None
    assert (roles.vector, roles.row, roles.inner) == (3, 1, 4)
    assert not roles.transposed


def test_channels_first_with_stride_has_lanes_along_the_filters() -> None:
    op = _nchw(2)
    roles = contraction_of(op)
    assert roles is not None
    assert (roles.vector, roles.row, roles.vector_operand) == (1, 3, 1)
    assert roles.transposed
    assert roles.by_rows
    # The image is read front to back, and the filters in the same order, filters last.
    assert (*roles.window, roles.inner) == (4, 5, 6)
    assert copy_order(op, roles) == (1, 2, 3, 0)
    left, left_roles = with_vectors_last(op, roles)
    assert stride_along(left.operands[1], left_roles.vector) == 1
    assert left.operands[1].shape == (5, 3, 3, 32)


def test_lanes_may_lie_across_a_result_of_rows_of_windows() -> None:
    assert [(roles.vector, roles.across) for roles in ways_of(_nchw(1))] == [(3, False), (1, True)]
    assert [roles.across for roles in ways_of(_nchw(2))] == [True]
    assert [roles.across for roles in ways_of(_MATMUL_TB)] == [False, True]


def test_strided_rows_are_computed_one_by_one() -> None:
    dims = {"n": 1, "o": 8, "f": 32, "k": 3, "c": 5}
    for stride, alone in ((1, False), (2, True)):
        roles = contraction_of(_op(dims, "kc", [["n", f"{stride}o+k", "c"], "kcf", "nof"]))
        assert roles is not None
        assert roles.by_rows == alone
        assert (roles.window, roles.inner) == ((3,), 4)


def test_one_channel_leaves_rows_one_by_one() -> None:
    dims = {"n": 1, "o": 8, "f": 32, "k": 3, "c": 1}
    roles = contraction_of(_op(dims, "kc", [["n", "o+k", "c"], "kcf", "nof"]))
    assert roles is not None
    assert roles.by_rows
    assert roles.inner == 3


def test_widened_elements_leave_rows_one_by_one() -> None:
    body = (("arith.extf", 0, 0), ("arith.extf", 1, 1), ("arith.mulf", 3, 4), ("arith.addf", 2, 5))
    roles = contraction_of(_op(_MNK, "k", ["mk", "kn", "mn"], body, "f16"))
    assert roles is not None
    assert roles.by_rows


@pytest.mark.parametrize(
    "op",
    [
        _op({"m": 33, "k": 20}, "k", ["mk", "k", "m"]),
        _op({"m": 1, "n": 45, "k": 20}, "k", ["mk", "nk", "mn"]),
        _op({"n": 1, "o": 8, "c": 32, "k": 3}, "k", [["n", "o+k", "c"], "kc", "noc"]),
        _op({"m": 33, "n": 45, "k": 1}, "k", ["mk", "kn", "mn"]),
        _op({"k": 20}, "k", ["k", "k", ""]),
        _op(_MNK, "k", ["mk", "kn", "mn"], (("arith.addf", 0, 1), ("arith.addf", 2, 3))),
        _op(_MNK, "k", ["mk", "kn", "mn"], (("arith.mulf", 0, 0), ("arith.addf", 2, 3))),
    ],
    ids=[
        "matvec",
        "one row, B transposed",
        "depthwise",
        "nothing to contract",
        "dot",
        "no product",
        "square",
    ],
)
def test_other_sketches_ops(op: LinalgOp) -> None:
    assert contraction_of(op) is None


def test_lanes_may_lie_across_few_filters_of_a_window() -> None:
    def conv(filters: int, kernel: int) -> LinalgOp:
        dims = {"n": 1, "o": 32, "p": 32, "f": filters, "k": kernel, "l": kernel, "c": 8}
        return _op(dims, "klc", [["n", "o+k", "p+l", "c"], ["k", "l", "c", "f"], ["n", "o", "p", "f"]])

    assert [(roles.vector, roles.transposed) for roles in ways_of(conv(3, 5))] == [(3, False), (2, True)]
    assert [roles.vector for roles in ways_of(conv(16, 5))] == [3]
    assert [roles.vector for roles in ways_of(conv(3, 2))] == [3]
