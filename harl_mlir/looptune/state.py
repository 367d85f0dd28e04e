"""Where a walk through loop nests stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.space.nest.nest import LoopNest, plain_nest


@dataclass(frozen=True)
class WalkState:
    """A loop nest and the number of the loop that moves are about, counted from the outside."""

    nest: LoopNest
    cursor: int


def start(dims: Sequence[int]) -> WalkState:
    """The nest of an op as it came, with the cursor on its outermost loop."""
    return WalkState(plain_nest(dims), 0)
