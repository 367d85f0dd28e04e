"""The pieces that a loop nest falls into where steps do not divide what they walk over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harl_mlir.space.nest.nest import LoopNest


@dataclass(frozen=True)
class Piece:
    """One combination of whole steps and last, shorter ones.

    Attributes:
        rests: of each loop with a shorter last step here, its number and whether the piece is inside that.
        trips: how many steps each loop of the nest makes here; one that makes a single step is no loop.
        left: for each loop, and at last inside all of them, what each dimension still has to walk over.
    """

    rests: tuple[tuple[int, bool], ...]
    trips: tuple[int, ...]
    left: tuple[tuple[int, ...], ...]


def pieces_of(nest: LoopNest) -> list[Piece]:
    """All pieces of a nest, that of the whole steps first."""
    pieces = [Piece((), (), (nest.dims,))]
    for number, loop in enumerate(nest.loops):
        pieces = [part for piece in pieces for part in _parts(piece, number, loop.dim, loop.step)]
    return pieces


def _parts(piece: Piece, number: int, dim: int, step: int) -> list[Piece]:
    """A piece inside one more loop."""
    extent = piece.left[-1][dim]
    if extent <= step:
        return [replace(piece, trips=(*piece.trips, 1), left=(*piece.left, piece.left[-1]))]
    tail = extent % step
    whole = _inside(piece, dim, step, extent // step)
    if not tail:
        return [whole]
    rest = _inside(piece, dim, tail, 1)
    return [
        replace(part, rests=(*piece.rests, (number, is_rest)))
        for part, is_rest in ((whole, False), (rest, True))
    ]


def _inside(piece: Piece, dim: int, left: int, trips: int) -> Piece:
    inside = list(piece.left[-1])
    inside[dim] = left
    return replace(piece, trips=(*piece.trips, trips), left=(*piece.left, tuple(inside)))
