"""Loop nests as values."""

from __future__ import annotations

import pytest

from harl_mlir.space.nest.nest import Loop, LoopNest, parse, plain_nest


def test_text_round_trip() -> None:
    text = "0/8 1/32 2/4 2/1u 0/1u 1/1v"
    nest = parse((64, 96, 80), text)
    assert nest.text() == text
    assert nest.loops[0] == Loop(0, 8)
    assert nest.loops[3:] == (Loop(2, 1, "u"), Loop(0, 1, "u"), Loop(1, 1, "v"))


@pytest.mark.parametrize("text", ["3/1", "0/0", "0/-1", "0", "0/1w", "a/1", "0/1,1/1"])
def test_what_is_no_nest(text: str) -> None:
    with pytest.raises(ValueError, match="is no loop of a nest over 3 dimensions"):
        parse((64, 96, 80), text)


def test_extents_trips_and_tails() -> None:
    nest = parse((70, 96, 80), "0/24 1/96 0/8 1/32 2/1 0/1u 1/1v")
    assert nest.extents == (70, 96, 24, 96, 80, 8, 32)
    assert nest.trips == (3, 1, 3, 3, 80, 8, 32)
    assert nest.tails == (22, 0, 0, 0, 0, 0, 0)
    assert nest.marked == 2


def test_plain_nests_have_no_loops_of_one_step() -> None:
    nest = plain_nest((1, 64, 1, 3))
    assert nest.text() == "1/1 3/1"
    assert nest.marked == 0


def test_equal_nests_are_one_key() -> None:
    assert len({plain_nest((4, 4)), parse((4, 4), "0/1 1/1"), plain_nest((4, 5))}) == 2


def test_spelling_for_people() -> None:
    nest = parse((64, 96, 80), "0/8 1/32 2/1 0/1u 1/1v")
    assert nest.spelled("mnk") == "m/8, n/32, k, m:8 unrolled, n:32 vector"
    assert LoopNest((1,), ()).spelled("m") == ""
