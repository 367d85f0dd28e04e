"""The pieces of nests whose steps leave something over."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.pieces import Piece, pieces_of


def test_even_nests_are_one_piece() -> None:
    (piece,) = pieces_of(parse((64, 96), "0/8 1/32 0/1 1/1"))
    assert piece == Piece((), (8, 3, 8, 32), ((64, 96), (8, 96), (8, 32), (1, 32), (1, 1)))


def test_a_tail_makes_two() -> None:
    whole, rest = pieces_of(parse((70, 96), "0/32 1/32 0/8 0/1 1/1"))
    assert (whole.rests, whole.trips) == (((0, False),), (2, 3, 4, 8, 32))
    # Six rows are less than a part of eight, which is no loop for them.
    assert (rest.rests, rest.trips) == (((0, True),), (1, 3, 1, 6, 32))
    assert rest.left == ((70, 96), (6, 96), (6, 32), (6, 32), (1, 32), (1, 1))


def test_tails_of_two_dimensions_make_four() -> None:
    pieces = pieces_of(parse((70, 100), "0/32 1/32 0/1 1/1"))
    assert [piece.rests for piece in pieces] == [
        ((0, whole), (1, rest)) for whole in (False, True) for rest in (False, True)
    ]
    assert [piece.trips for piece in pieces] == [(2, 3, 32, 32), (2, 1, 32, 4), (1, 3, 6, 32), (1, 1, 6, 4)]


@given(st.integers(2, 200), st.integers(2, 200), st.integers(1, 64), st.integers(1, 64), st.integers(1, 9))
def test_pieces_cover_the_op_once(m: int, n: int, outer: int, columns: int, inner: int) -> None:
    nest = parse((m, n), f"0/{outer * inner} 1/{columns} 0/{inner} 0/1 1/1")
    points = sum(math.prod(piece.trips) for piece in pieces_of(nest))
    assert points == m * n
