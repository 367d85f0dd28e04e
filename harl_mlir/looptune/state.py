"""Where a walk through loop nests stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from harl_mlir.space.nest.nest import LoopNest, plain_nest
from harl_mlir.tasks.linalg_op import LinalgOp

_MATMUL = ("parallel", "parallel", "reduction")


@dataclass(frozen=True)
class WalkState:
    """A loop nest and the number of the loop that moves are about, counted from the outside."""

    nest: LoopNest
    cursor: int


def start(dims: Sequence[int]) -> WalkState:
    """The nest of an op as it came, with the cursor on its outermost loop."""
    return WalkState(plain_nest(dims), 0)


def dimension_names(op: LinalgOp) -> tuple[str, ...]:
    """A name for each dimension of an op: `m n k` of a matmul, else letters in order."""
    return ("m", "n", "k") if op.iterators == _MATMUL else tuple(ascii_lowercase[: len(op.dims)])
