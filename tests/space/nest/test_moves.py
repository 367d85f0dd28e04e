"""What one change makes of a nest."""

from __future__ import annotations

from harl_mlir.space.nest.moves import all_moves, mark, merge, split, swap, unmark
from harl_mlir.space.nest.nest import LoopNest, parse


def _nest(text: str) -> LoopNest:
    return parse((64, 96, 80), text)


def _text(nest: LoopNest | None) -> str | None:
    return nest.text() if nest else None


def test_split() -> None:
    assert _text(split(_nest("0/1 1/1 2/1"), 1, 32)) == "0/1 1/32 1/1 2/1"
    assert _text(split(_nest("0/8 0/1 1/1 2/1"), 0, 4)) == "0/32 0/8 0/1 1/1 2/1"
    # A part of eight cannot be made of eight; nor can one of a loop with a mark.
    assert split(_nest("0/8 0/1 1/1 2/1"), 1, 8) is None
    assert split(_nest("0/1 2/1 1/16 1/1v"), 3, 4) is None


def test_merge() -> None:
    assert _text(merge(_nest("0/8 0/1 1/1 2/1"), 0)) == "0/1 1/1 2/1"
    assert _text(merge(_nest("0/32 0/8 0/1 1/1 2/1"), 0)) == "0/8 0/1 1/1 2/1"
    assert merge(_nest("0/8 1/1 0/1 2/1"), 0) is None
    assert merge(_nest("0/1 2/1 1/16 1/1v"), 2) is None
    assert merge(_nest("0/1 1/1 2/1"), 2) is None


def test_swap() -> None:
    assert _text(swap(_nest("0/1 1/1 2/1"), 1)) == "0/1 2/1 1/1"
    assert _text(swap(_nest("1/16 2/1u 0/1u 1/1v"), 1)) == "1/16 0/1u 2/1u 1/1v"
    assert swap(_nest("0/8 0/1 1/1 2/1"), 0) is None
    assert swap(_nest("1/16 0/1 2/1u 1/1v"), 1) is None
    assert swap(_nest("0/1 1/1 2/1"), 2) is None
    assert swap(_nest("0/1 1/1 2/1"), -1) is None


def test_marks_go_from_the_inside_out_and_back() -> None:
    nest = _nest("0/1 2/1 1/16 1/1")
    vector = mark(nest, 3, "v")
    assert vector is not None
    assert mark(nest, 2, "u") is None
    assert _text(mark(vector, 2, "u")) == "0/1 2/1 1/16u 1/1v"
    assert mark(vector, 3, "u") is None
    assert unmark(vector) == nest
    assert unmark(nest) is None


def test_all_moves() -> None:
    made = {nest.text() for nest in all_moves(parse((4, 3), "0/1 1/1"))}
    assert made == {"0/2 0/1 1/1", "0/1 1/2 1/1", "1/1 0/1", "0/1 1/1u", "0/1 1/1v"}
