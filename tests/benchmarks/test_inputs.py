"""References: right by a loop of scalars, and they find what is wrong."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs import arguments, reference
from benchmarks.suite import Case
from tests.benchmarks.cases import CONV, MATMUL, TRANSPOSED_CONV, case_of


def conv(**fields: object) -> Case:
    return case_of(CONV | {"spatial": [6, 5], "channels": 4, "filters": 6}, **fields)


def test_same_arguments_every_time() -> None:
    case = conv()
    for one, other in zip(arguments(case), arguments(case), strict=True):
        assert one.dtype == np.float32
        assert np.array_equal(one, other)
        assert np.abs(one).max() <= 0.5


@pytest.mark.parametrize("batch", [0, 2])
@pytest.mark.parametrize("a_transposed", [False, True])
@pytest.mark.parametrize("b_transposed", [False, True])
def test_matmul(batch: int, a_transposed: bool, b_transposed: bool) -> None:
    turned = {"a_transposed": a_transposed, "b_transposed": b_transposed}
    case = case_of(MATMUL, batch=batch, **turned, epilogue="bias_relu")
    a, b, bias = (value.astype(np.float64) for value in arguments(case))
    a = a.swapaxes(-1, -2) if a_transposed else a
    b = b.swapaxes(-1, -2) if b_transposed else b
    expected = np.maximum((a[..., :, :, None] * b[..., None, :, :]).sum(-2) + bias, 0)
    found = reference(case, arguments(case))
    assert found.value.shape == case.output
    np.testing.assert_allclose(found.value, expected, atol=1e-12)


def windows(case: Case) -> list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Output place, tap and image place of every multiplication of a convolution with channels last."""
    f = case.fields
    places = itertools.product(*(range(extent) for extent in case.output[1:3]))
    taps = list(itertools.product(range(f["kernel"]), repeat=2))
    return [(o, t, (o[0] * f["stride"] + t[0], o[1] * f["stride"] + t[1])) for o in places for t in taps]


def test_conv_channels_last() -> None:
    case = conv()
    image, filters = (value.astype(np.float64) for value in arguments(case))
    expected = np.zeros(case.output)
    for out, tap, place in windows(case):
        expected[:, *out] += (image[:, *place, :, None] * filters[tap]).sum(1)
    np.testing.assert_allclose(reference(case, arguments(case)).value, expected, atol=1e-12)


def test_depthwise_and_grouped_channels_last() -> None:
    for case in (conv(depthwise=True, filters=4), conv(groups=2)):
        image, filters = (value.astype(np.float64) for value in arguments(case))
        expected = np.zeros(case.output)
        for out, tap, place in windows(case):
            if case.fields["depthwise"]:
                expected[:, *out] += image[:, *place] * filters[tap]
            else:
                expected[:, *out] += (image[:, *place, :, :, None] * filters[tap]).sum(2)
        np.testing.assert_allclose(reference(case, arguments(case)).value, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("fields", "image", "filters", "result"),
    [
        ({"spatial": [7]}, (0, 2, 1), (2, 1, 0), (0, 2, 1)),
        ({}, (0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2)),
        ({"spatial": [4, 6, 5]}, (0, 4, 1, 2, 3), (4, 3, 0, 1, 2), (0, 4, 1, 2, 3)),
        ({"depthwise": True, "filters": 4}, (0, 3, 1, 2), (2, 0, 1), (0, 3, 1, 2)),
        ({"groups": 2}, (0, 3, 4, 1, 2), (2, 4, 3, 0, 1), (0, 3, 4, 1, 2)),
        ({"epilogue": "bias_relu"}, (0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2)),
    ],
)
def test_channels_first_is_channels_last_transposed(
    fields: dict[str, Any], image: tuple[int, ...], filters: tuple[int, ...], result: tuple[int, ...]
) -> None:
    last, first = conv(**fields), conv(**fields, layout="channels_first")
    given = arguments(last)
    turned = [given[0].transpose(image), given[1].transpose(filters), *given[2:]]
    assert tuple(value.shape for value in turned) == first.inputs
    expected, found = reference(last, given), reference(first, turned)
    assert found.value.shape == first.output
    np.testing.assert_allclose(found.value, expected.value.transpose(result), atol=1e-12)
    np.testing.assert_allclose(found.error, expected.error.transpose(result), atol=1e-12)


def test_transposed_conv_is_a_conv_of_the_image_spread_among_zeros() -> None:
    case = case_of(TRANSPOSED_CONV, spatial=[3, 4], channels=3, filters=2)
    image, filters = arguments(case)
    spread = np.zeros((2, 2 * 2 + 1 + 4, 2 * 3 + 1 + 4, 3), np.float32)
    spread[:, 2:-2:2, 2:-2:2] = image
    direct = conv(spatial=spread.shape[1:3], channels=3, filters=2, kernel=4, stride=1, padding=0)
    assert direct.output == case.output
    expected = reference(direct, [spread, filters]).value
    np.testing.assert_allclose(reference(case, [image, filters]).value, expected, atol=1e-12)


def test_what_is_wrong_is_found_and_rounding_is_not() -> None:
    case = conv()
    found = reference(case, arguments(case))
    right = found.value.astype(np.float32)
    assert found.mismatch(right, case) is None
    for wrong in (right + np.float32(1e-4), np.full_like(right, np.nan)):
        assert "elements are wrong" in (found.mismatch(wrong, case) or "")
    assert "not float32" in (found.mismatch(right.astype(np.float64), case) or "")
    assert "not float32" in (found.mismatch(right[..., :-1], case) or "")


def test_large_cases_are_checked_on_some_items_with_the_first_and_last() -> None:
    case = case_of(MATMUL, batch=6, m=1200, n=1200, k=1)
    found = reference(case, arguments(case))
    assert found.items is not None
    assert (found.items[0], found.items[-1]) == (0, 5)
    assert len(found.items) < 6
    output = np.zeros(case.output, np.float32)
    output[list(found.items)] = found.value
    assert found.mismatch(output, case) is None
    output[5, 7, 7] += 1
    assert "1 of" in (found.mismatch(output, case) or "")
