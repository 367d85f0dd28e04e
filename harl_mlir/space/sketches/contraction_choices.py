"""What is open in the schedule of a contraction once it is decided along which loop its vectors lie."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.processor import Processor
from harl_mlir.space.decision import Decision, Value, number
from harl_mlir.space.sketches.contraction_tiles import Blocks, Loop, tile_loops
from harl_mlir.tasks.contraction import Contraction, stride_along
from harl_mlir.tasks.linalg_op import LinalgOp, Operand
from harl_mlir.tasks.task import element_bytes

# Tile loops from the outermost: (B)atch, (C)olumns, (V)ector, (R)ows, (O)ther rows.
_ORDERS = ("BCVOR", "BCOVR", "BCORV", "VBCOR", "BVORC", "BORCV", "ORBCV")
ANY_ORDER = _ORDERS[0]
_ROWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 24, 28)
_ROWS_WANTED = 12
_SHARERS_WANTED = 12
_STREAMING = "BCORV"
_LEAST_BLOCK = 16
_MOST_BLOCKS = 8
_WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64, 128)
_STREAMS = 8
_FEW_ROWS = 4
_PAGE_BYTES = 4096
_DEPTHS = (4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512)
_REGISTERS_KEPT_FREE = 3
_VECTOR_MEANING = "elements of the register tile along the vectors, of one or several registers"


@dataclass(frozen=True)
class Choices:
    """The decisions of the contraction sketch with lanes along one loop, and their defaults.

    Attributes:
        op, roles: what is left to schedule, see `with_vectors_last`.
        lanes: of a register.
        padded: whether tiles may be padded to whole registers.
        exact: whether sums keep the order of the source.
        followed: whether an epilogue follows; `filled`, whether a fill comes before.
    """

    op: LinalgOp
    roles: Contraction
    lanes: int
    padded: bool
    processor: Processor
    exact: bool
    followed: bool
    filled: bool

    def decisions(self) -> tuple[Decision, ...]:
        """What is open whatever operands are read from."""
        vector = self.vector_decision()
        rows = self.rows_decision(number(vector.default))
        blocks = self.block_decision(), self.width_decision(), self.depth_decision()
        return rows, vector, self.order_decision(), *blocks, self.unroll_decision(number(blocks[2].default))

    @property
    def vector_extent(self) -> int:
        """Steps of the loop along the lanes."""
        return self.op.dims[self.roles.vector]

    @property
    def vector_bytes(self) -> int:
        """Bytes of the vector operand."""
        return _bytes(self.op.operands[self.roles.vector_operand])

    @property
    def row_extent(self) -> int:
        """Steps of the loop that becomes the rows of the register tile."""
        return 1 if self.roles.row is None else self.op.dims[self.roles.row]

    def vector_decision(self) -> Decision:
        """Powers of two of the lanes up to the first that covers the loop, at most 4 registers, 16
        where there is a single row. Default: two registers, four for a few rows, or where operands are
        read from far or elements have to be widened, of which those of a row are then fewer.

        Where tiles cannot be padded, one width below the lanes stands by for what these leave over.
        """
        extent = self.vector_extent
        values = [self.lanes]
        most, wanted = (4, 1) if self.row_extent > 1 else (16, 2)
        if self.row_extent <= _FEW_ROWS or self._reads_far() or self._widens:
            wanted = 2
        while values[-1] < min(extent, most * self.lanes):
            values.append(2 * values[-1])
        if self.padded:
            return Decision(
                "vector", tuple(values), values[min(wanted, len(values) - 1)], meaning=_VECTOR_MEANING
            )
        values = [value for value in values if self._fits_unpadded(value)]
        if not values:
            below = [w for w in range(self.lanes - 1, 0, -1) if self._fits_unpadded(w)]
            values = below[:1] or [next(w for w in range(self.lanes, extent + 1) if extent % w != 1)]
        return Decision(
            "vector", tuple(values), values[min(wanted, len(values) - 1)], meaning=_VECTOR_MEANING
        )

    def _reads_far(self) -> bool:
        """Whether fewer, wider rows are read faster.

        So where rows of the broadcast operand lie a multiple of a page apart, in the same sets of the L1
        cache, and where panels come from beyond the L2 cache: wider ones are more of a line.
        """
        roles = self.roles
        if roles.row is None or roles.by_rows or roles.window or self.row_extent <= _ROWS_WANTED:
            return False
        operand = self.op.operands[roles.broadcast_operand]
        apart = stride_along(operand, roles.row) * element_bytes(operand.element)
        far = self.vector_bytes > 2 * self.processor.l2_bytes
        return apart % _PAGE_BYTES == 0 or (far and apart > element_bytes(operand.element))

    def rows_decision(self, vector: int) -> Decision:
        """Default: the largest divisor from 6 to 12 that fits the registers, else parts of about 12."""
        extent = self.row_extent
        values = {1} | {min(rows, extent) for rows in _ROWS if self.fits(min(rows, extent), self.lanes)}
        most = max(rows for rows in values if rows <= _ROWS_WANTED and (rows == 1 or self.fits(rows, vector)))
        divisors = [rows for rows in range(max(1, most // 2), most + 1) if extent % rows == 0]
        wanted = divisors[-1] if divisors else -(-extent // -(-extent // most))
        meaning = "rows of the register tile, each with accumulators of its own"
        return Decision("rows", tuple(sorted(values | {wanted})), wanted, meaning=meaning)

    def order_decision(self) -> Decision:
        """Orders of the tile loops that differ for this op.

        Default: rows innermost, vectors around; the other way where the vector operand streams by.
        """
        seen: dict[tuple[Loop, ...], str] = {}
        for order in _ORDERS:
            loops = tuple(tile_loops(self.op, self.roles, 1, 1, order, Blocks()))
            seen.setdefault(loops, order)
        wanted = _STREAMING if self._streams() else ANY_ORDER
        default = seen[tuple(tile_loops(self.op, self.roles, 1, 1, wanted, Blocks()))]
        meaning = "loops over tiles from the outermost: Batch, Columns, Vector, Rows, Other rows"
        return Decision("order", tuple(seen.values()), default, ordered=False, meaning=meaning)

    def _streams(self) -> bool:
        """Whether a convolution's filters leave half the L2 cache, but its result does not.

        They are then read once, in the order in which they lie, while the result stays in the cache.
        """
        if self.roles.by_rows or not self._has_window() or not self._may_block():
            return False
        return self.vector_bytes > self.processor.l2_bytes // 2 >= _bytes(self.op.init)

    def _has_window(self) -> bool:
        return any(self.op.dims[d] > 1 for d in self.roles.window)

    def _may_block(self) -> bool:
        """Whether the contracted loop may be done in blocks.

        They change the order of the sum where other loops are contracted too. Between them C can be
        neither in an argument that an epilogue reads nor turned in registers.
        """
        reordered = self.exact and self.roles.window
        return not (reordered or self.roles.across or (self.followed and not self.filled))

    def block_decision(self) -> Decision:
        """Rows that are finished before the next ones begin: divisors of the extent, 0 for all rows.

        Default: all, since the contracted loops are not blocked and a panel is used by all rows.
        """
        extent = self.row_extent
        divisors = [rows for rows in range(_LEAST_BLOCK, extent) if extent % rows == 0]
        meaning = "rows finished before the next begin, so that a cache holds what they use; 0: all at once"
        return Decision("block", (0, *divisors[-_MOST_BLOCKS:]), 0, meaning=meaning)

    def width_decision(self) -> Decision:
        """Elements of the vector loop that are finished before the next begin: divisors, 0 for all."""
        extent = self.vector_extent
        divisors = [
            n * self.lanes for n in _WIDTHS if extent > n * self.lanes and extent % (n * self.lanes) == 0
        ]
        meaning = "elements along the vectors finished before the next begin; 0: all at once"
        return Decision("width", (0, *divisors), 0, meaning=meaning)

    def depth_decision(self) -> Decision:
        """Steps of the innermost contracted loop that are finished for all tiles before the next begin.

        The window of a convolution is then stepped through outside the tiles, too.
        Equal parts of at most so many steps, 0 for all steps. Default: all, but where C is a single row:
        then a few rows of the vector operand are read from end to end together, C staying in a cache.
        """
        extent = self.op.dims[self.roles.inner]
        offered = _DEPTHS if self._may_block() else ()
        steps = [-(-extent // -(-extent // most)) for most in offered if most < extent]
        if offered and self._has_window() and not self.roles.by_rows:
            steps.append(extent)
        depths = [0, *dict.fromkeys(depth for depth in steps if extent % depth != 1)]
        default = 0
        if self._streams():
            step = self.vector_extent * element_bytes(self.op.init.element)
            default = max(depth for depth in depths if depth * step <= self.processor.l2_bytes // 4)
        elif self.roles.row is None and _STREAMS in depths and not self.roles.window:
            default = _STREAMS
        meaning = "contracted steps finished for all tiles before the next begin; 0: all at once"
        return Decision("depth", tuple(depths), default, meaning=meaning)

    def packs(self, values: Mapping[str, Value]) -> bool:
        """Whether panels are worth their copy: many rows share them and the operand leaves half the L2 cache,
        or its elements have to be widened.

        A copy costs about what some ten tiles gain by it.
        """
        rows, vector = number(values["rows"]), number(values["vector"])
        shared = self.sharers(rows, vector, str(values["order"]), Blocks()) >= _SHARERS_WANTED
        far = self.vector_bytes > self.processor.l2_bytes // 2
        return shared and (far or self._widens) and not self._streams()

    @property
    def _widens(self) -> bool:
        """Whether operands are of a type that the processor only converts; a copy holds them converted."""
        return any(operand.element in ("f16", "bf16") for operand in self.op.inputs)

    def unroll_decision(self, depth: int) -> Decision:
        """Unrolling of the innermost contracted loop. Default: all of up to 4 steps, else 4, or a block."""
        extent = self.op.dims[self.roles.inner]
        values = {factor for factor in (1, 2, 4, 8) if factor < extent} | ({extent} if extent <= 8 else set())
        most = depth if 0 < depth <= 8 and depth in values else 4
        default = max(value for value in values if value <= most)
        meaning = "steps of the innermost contracted loop in its body"
        return Decision("unroll", tuple(sorted(values)), default, meaning=meaning)

    def fits(self, rows: int, vector: int) -> bool:
        """Whether the registers hold a tile's accumulators and what is multiplied."""
        registers = -(-vector // self.lanes)
        return rows * registers + registers <= self.processor.vector_registers - _REGISTERS_KEPT_FREE

    def _fits_unpadded(self, vector: int) -> bool:
        """Whether every vector has at most the lanes of a register, or a power of two of them.

        A single element would be no vector at all: rows computed one by one need two.
        """
        extent = self.op.dims[self.roles.vector]
        widths = {vector, extent % vector} - {0} if vector < extent else {extent}
        powers = {self.lanes << i for i in range(8)}
        least = 2 if self.roles.by_rows else 1
        return all(least <= width and (width <= self.lanes or width in powers) for width in widths)

    def sharers(self, rows: int, vector: int, order: str, blocks: Blocks) -> int:
        """How many register tiles in a row read the same panel of the vector operand."""
        used = self.op.operands[self.roles.vector_operand].map
        count = 1
        for loop in reversed(tile_loops(self.op, self.roles, rows, vector, order, blocks)):
            if any(row[loop.dim] for row in used):
                break
            count *= loop.extent // loop.size
        return count


def _bytes(operand: Operand) -> int:
    return math.prod(operand.shape) * element_bytes(operand.element)
