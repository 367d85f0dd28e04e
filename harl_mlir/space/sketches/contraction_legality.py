"""Which candidates of a contraction are legal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from harl_mlir.space.decision import Value
from harl_mlir.space.sketches.build_cost import MOST_SECONDS, build_seconds, parts
from harl_mlir.space.sketches.contraction_choices import ANY_ORDER, Choices
from harl_mlir.space.sketches.contraction_epilogue import is_on_tiles
from harl_mlir.space.sketches.contraction_tiles import Blocks, tile_loops
from harl_mlir.tasks.linalg_op import loops_of


@dataclass(frozen=True)
class Legality:
    """Which values of the decisions of `choices` go together."""

    choices: Choices

    def is_legal(self, values: Mapping[str, Value]) -> bool:
        """The accumulators fit the registers; tiles fill blocks; a panel is packed where rows reuse it."""
        rows, vector = values["rows"], values["vector"]
        blocks = values["block"], values["width"], values["depth"]
        if not self._suits(rows, vector, values["unroll"], *blocks):
            return False
        on_tiles = self.choices.followed and is_on_tiles(values)
        if on_tiles and values["depth"]:
            return False
        roles = self.choices.roles
        if values["copy"] == "block" and not self._copies(roles.broadcast_operand, on_tiles, *blocks):
            return False
        if values["pack"] == "block":
            return self._copies(roles.vector_operand, on_tiles, *blocks)
        return values["pack"] == "none" or self._shares(rows, vector, values["order"], *blocks)

    # A search asks of tens of thousands of candidates, most of which have these parts in common with others.

    @cached_property
    def _suits(self) -> Callable[..., bool]:
        return cache(self._tiles_suit)

    @cached_property
    def _copies(self) -> Callable[..., bool]:
        return cache(lambda operand, on_tiles, *blocks: self._can_copy(operand, on_tiles, Blocks(*blocks)))

    @cached_property
    def _shares(self) -> Callable[..., bool]:
        sharers = self.choices.sharers
        return cache(lambda rows, vector, order, *blocks: sharers(rows, vector, order, Blocks(*blocks)) >= 2)

    @property
    def _depth(self) -> int:
        """Steps of the innermost contracted loop."""
        return self.choices.op.dims[self.choices.roles.inner]

    def _tiles_suit(self, rows: int, vector: int, unroll: int, block: int, width: int, depth: int) -> bool:
        """Whether tiles fit the registers, compile in time, and fill the blocks."""
        if rows > 1 and not self.choices.fits(rows, vector):
            return False
        if self._build_seconds(rows, vector, Blocks(block, width, depth), unroll) > MOST_SECONDS:
            return False
        if block and (block <= rows or block % rows):
            return False
        if width and (width < vector or width % vector):
            return False
        return not depth or self._unrolls(depth, unroll)

    def _build_seconds(self, rows: int, vector: int, blocks: Blocks, unroll: int) -> float:
        """What a candidate takes to compile, about: a piece for each way in which tiles are cut short."""
        heights = parts(blocks.rows or self.choices.row_extent, rows)
        widths = parts(self.choices.vector_extent, vector)
        depths = parts(self._depth, blocks.depth or self._depth)
        pieces = [(height, width) for height in heights for width in widths for _ in depths]
        roles = self.choices.roles
        return build_seconds(pieces, self.choices.lanes, unroll, by_rows=roles.by_rows, across=roles.across)

    def _unrolls(self, depth: int, factor: int) -> bool:
        """Whether blocks of the contracted loop, the last too, have at least `factor` steps."""
        return factor <= depth and factor <= (self._depth % depth or depth)

    def _can_copy(self, operand: int, on_tiles: bool, blocks: Blocks) -> bool:
        """Whether blocks of an operand can be copied: all alike, and boxes of it of more than one row.

        Not where an epilogue is to pull the contraction, which reads the copies, into its tiles (`on_tiles`).
        """
        if self._depth % (blocks.depth or 1) or on_tiles:
            return False
        op = self.choices.op
        rows = op.operands[operand].map
        if any(len(loops_of(row)) != 1 for row in rows):
            return False
        extents = list(op.dims)
        for loop in tile_loops(op, self.choices.roles, 1, 1, ANY_ORDER, blocks):
            if loop.place != "tile":
                extents[loop.dim] = loop.size
        return any(extents[d] > 1 for row in rows[:-1] for d in loops_of(row))
