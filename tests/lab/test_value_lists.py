from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.errors import InputError
from harl_mlir.lab.value_lists import declared, legal_points, thinned
from tests.lab.planted import tiled


def test_lists_restrict_and_their_first_values_are_the_defaults() -> None:
    lists = {"a": {"x": [99, 9, 3], "form": ["packed"], "y": [77]}}
    first, second = declared((tiled("a"), tiled("b")), lists)
    original = tiled("a").decisions
    assert (first.decisions[0].values, first.decisions[0].default) == ((3, 9), 9)
    assert (first.decisions[2].values, first.decisions[2].default) == (("packed",), "packed")
    assert first.decisions[1].values == (original[1].default,)
    assert second.decisions == tiled("b").decisions
    assert first.is_legal(first.default())


def test_lists_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(InputError, match=r"no sketch b applies.*\(a apply\)"):
        declared((tiled("a"),), {"b": {}})
    with pytest.raises(InputError, match=r"sketch a has no decision z.*\(form, x, y\)"):
        declared((tiled("a"),), {"a": {"z": [1]}})


def test_defaults_that_are_illegal_together_are_refused() -> None:
    space = replace(tiled("a"), constraint=lambda values: values["x"] != values["y"])
    with pytest.raises(InputError, match="sketch a are no legal candidate"):
        declared((space,), {"a": {"x": [3], "y": [3]}})


@given(most=st.integers(1, 600))
def test_thinned_spaces_hold_at_most_so_many(most: int) -> None:
    spaces = (tiled("large", 16), tiled("small", 3))
    found = thinned(spaces, most)
    points = [legal_points(space) for space in found]
    assert sum(points) <= max(most, len(spaces))
    assert [space.sketch for space in found] == ["large", "small"]
    for space, original in zip(found, spaces, strict=True):
        assert space.is_legal(original.default())
    if most >= 400:
        assert points[1] == legal_points(spaces[1])
        assert points[0] > 0.6 * most or found[0] == spaces[0]


def test_thinning_spreads_the_values() -> None:
    (found,) = thinned((tiled(count=12),), 60)
    x = found.decisions[0].values
    assert 1 in x
    assert x[-1] == 11
    assert 1 < max(b - a for a, b in itertools.pairwise(x)) <= 4
