"""What the parts of a contraction's schedule share."""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.space.sketches.contraction_tiles import Loop
from harl_mlir.tasks.contraction import Contraction
from harl_mlir.tasks.linalg_op import LinalgOp

CONTRACTION = "harl.contraction"
FILL = "harl.fill"
EPILOGUE = "harl.epilogue"


@dataclass(frozen=True)
class Piece:
    """One combination of main loops and peeled rests.

    `dims` are the loops of the contraction that its op still has, `extents` those of all of them,
    `around` the tile loops around it.
    """

    tags: tuple[str, ...]
    dims: tuple[int, ...]
    extents: tuple[int, ...]
    around: tuple[Loop, ...]
    packs: bool


@dataclass(frozen=True)
class Kernel:
    """The contraction being scheduled: its op and roles, the lanes of a register, the handle to its nest.

    `padded` says whether the vector loop of a piece may be padded, `filled` is what C is padded with:
    the value it is filled with, so that padding a filled tile is filling a padded one.
    """

    builder: ScheduleBuilder
    op: LinalgOp
    roles: Contraction
    lanes: int
    padded: bool
    filled: float
    nest: Handle

    def contraction(self, piece: Piece) -> Handle:
        """The contraction of a piece."""
        return self.builder.tagged(self.nest, CONTRACTION, *piece.tags)
