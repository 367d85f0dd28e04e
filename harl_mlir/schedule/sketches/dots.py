"""The schedule of a contraction by dot products; its decisions are in `harl_mlir.space.sketches.dots`.

1. The task goes into a shell. There the contracted loop is packed by a group: the operand read as vectors is
   copied, the numbers of a group side by side, and so is the other where they do not lie so already.
2. Loops over panels of columns, into which the copy goes, and over rows. What they do not divide is peeled.
3. In each piece the contracted loops are tiled by one, then the rows, which are unrolled. Everything is
   vectorised. What is left are `vector.contract`s of groups, which the lowering knows
   (`harl_mlir.codegen.dot_products`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import FOLD_UNIT_DIMS, REDUCTIONS_TO_CONTRACTS, ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.schedule.sketches.contraction_blocks import tile_rows
from harl_mlir.schedule.sketches.packing import GENERIC, PACK, lowered_parts, packed
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.dots import LANES, dots_of
from harl_mlir.tasks.contraction import copy_order
from harl_mlir.tasks.linalg_op import Operand
from harl_mlir.tasks.task import Task

_CONTRACTION, _FILL, _AFTER = "harl.contraction", "harl.fill", "harl.after"
_PANEL = "harl.panel"
_COPIED = 128
_SQUARE = 16


@dataclass(frozen=True)
class _Loop:
    """A loop over tiles of `size` steps of loop `dim`, which has `extent`."""

    dim: int
    extent: int
    size: int


@dataclass(frozen=True)
class _Piece:
    """A combination of main loops and peeled rests: its tags, and how far the contraction's loops go."""

    tags: tuple[str, ...]
    extents: tuple[int, ...]


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    _Schedule(builder, task, candidate).emit(root)


class _Schedule:
    def __init__(self, builder: ScheduleBuilder, task: Task, candidate: Candidate) -> None:
        dots = dots_of(task)
        if dots is None:
            raise ValueError(f"{task.label()} cannot be made of dot products")
        self.builder, self.task, self.candidate = builder, task, candidate
        self.dots, self.roles, self.row, self.op = dots, dots.roles, dots.row, task.anchor_op
        self.followed = task.anchor < len(task.members) - 1
        extents = [*self.op.dims, dots.group]
        extents[dots.along] = -(-extents[dots.along] // dots.group)
        self.extents = tuple(extents)

    def emit(self, root: Handle) -> None:
        b, anchor = self.builder, self.task.anchor
        handles = member_handles(b, self.task, root)
        last = len(self.task.members) - 1
        for number in handles:
            if number >= anchor:
                handles[number] = b.generalize(handles[number])
            b.tag(handles[number], _CONTRACTION if number == anchor else _FILL if number < anchor else _AFTER)
        inner, nest = b.shell(handles[last], [handles[n] for n in sorted(handles, reverse=True) if n != last])
        self._pack(inner if anchor == last else b.tagged(nest, _CONTRACTION))
        pieces = self._tile(nest, inner)
        # A peeled loop's values are of static shape once nothing asks for their size.
        b.patterns(nest, ("canonicalization",))
        b.patterns(nest, ("scf.for_loop_canonicalization", "canonicalization"))
        b.cse(nest)
        b.dce(nest)
        b.vectorize(b.tagged(nest, _PANEL))
        contracted, rows = [], []
        for piece in pieces:
            contracted.append(self._tile_contracted(nest, piece))
            rows += self._tile_rows(nest, piece)
        self._vectorise(nest, contracted, rows)

    # Copies.

    def _pack(self, target: Handle) -> None:
        """Make the contracted loop two loops, the inner one of a group, and tile the copies for that."""
        b, op, roles, along = self.builder, self.op, self.roles, self.dots.along
        generic = packed(b, target, [self.dots.group if d == along else 0 for d in range(len(op.dims))])
        pack = b.producer(generic, roles.vector_operand, PACK)
        if roles.transposed:
            generic, pack, _ = b.op(
                "transform.structured.pack_transpose",
                [pack, generic],
                (GENERIC, PACK, ""),
                outer_perm=ir.DenseI64ArrayAttr.get(list(copy_order(op, roles))),
                inner_perm=ir.DenseI64ArrayAttr.get([]),
            )
        vectors = self._lowered(pack)
        broadcast = self._lowered(b.producer(generic, roles.broadcast_operand, PACK))
        b.tag(b.cast(generic), _CONTRACTION)
        if not op.operands[roles.broadcast_operand].map[-1][along]:
            self._copy(broadcast, op.operands[roles.broadcast_operand])
        if self.dots.panels:
            b.tag(vectors, _PANEL)
        else:
            self._copy(vectors, op.operands[roles.vector_operand])

    def _lowered(self, pack: Handle) -> Handle:
        """A pack as a transposition; what it pads with zeros becomes a copy."""
        b = self.builder
        pad, _, transpose = lowered_parts(b, pack)
        if self.op.dims[self.dots.along] % self.dots.group:
            b.into_destination(b.cast(pad))
        return b.cast(transpose)

    def _copy(self, copy: Handle, operand: Operand) -> None:
        """Make vectors of the copy of a whole operand, where it stands."""
        along = next(n for n, row in enumerate(operand.map) if row[self.dots.along])
        shape = [-(-e // self.dots.group) if n == along else e for n, e in enumerate(operand.shape)]
        sizes = [int(extent > 1) for extent in shape]
        sizes[-1] = next(size for size in range(min(_COPIED, shape[-1]), 0, -1) if shape[-1] % size == 0)
        sizes[-1] = 0 if sizes[-1] == shape[-1] else sizes[-1]
        row, _ = self.builder.tile(copy, [*sizes, 0])
        self.builder.vectorize(row)

    def _tile_panel(self, nest: Handle) -> None:
        """Tile the copy of a panel, so that no later step pulls it into its loops."""
        b, op, roles = self.builder, self.op, self.roles
        order = (
            copy_order(op, roles) if roles.transposed else range(len(op.operands[roles.vector_operand].map))
        )
        rows = [op.operands[roles.vector_operand].map[dimension] for dimension in order]
        extents = [next((self._inside(d) for d, step in enumerate(row[:-1]) if step), 1) for row in rows]
        sizes = [int(extent > 1) for extent in extents]
        lanes = next(n for n, row in enumerate(rows) if row[roles.vector])
        vector, steps = self.candidate.number("vector"), self.extents[self.dots.along]
        sizes[lanes] = 0
        whole = vector % _SQUARE == 0 and self.op.dims[roles.vector] % vector == 0
        if roles.transposed and whole and steps % _SQUARE == 0:
            at = next(n for n, row in enumerate(rows) if row[self.dots.along])
            for place, extent in ((lanes, vector), (at, steps)):
                sizes[place] = _SQUARE if extent > _SQUARE else 0
        b.tile(b.tagged(nest, _PANEL), [*sizes, 0])

    def _inside(self, loop: int) -> int:
        """Steps of a loop in a panel."""
        return self.extents[loop] if loop in self.op.reduction_dims or loop == self.roles.vector else 1

    # Loops.

    def _tile(self, nest: Handle, inner: Handle) -> list[_Piece]:
        """Tile the task by panels, then by rows, and peel what they do not divide."""
        b, op, roles, depth = self.builder, self.op, self.roles, self.candidate.number("depth")
        vector, rows = self.candidate.number("vector"), self.candidate.number("rows")
        around = [_Loop(d, op.dims[d], 1) for d in (*roles.batch, *roles.columns)]
        panels = [
            loop
            for loop in (*around, _Loop(roles.vector, op.dims[roles.vector], vector))
            if loop.size < loop.extent
        ]
        single = [_Loop(d, op.dims[d], 1) for d in roles.rows if d != self.row]
        tiles = [
            loop for loop in (*single, _Loop(self.row, op.dims[self.row], rows)) if loop.size < loop.extent
        ]
        root = inner if self.followed else b.tagged(nest, _CONTRACTION)
        root, loops = self._fuse(root, panels)
        b.dce(nest)  # what was pulled in is dead outside
        # A panel has a buffer of its own, in which its rows lie side by side.
        b.patterns(nest, ("tensor.fold_tensor_empty",))
        if self.dots.panels:
            self._tile_panel(nest)
        if depth:
            extents = [1 if d in roles.batch else op.dims[d] for d in op.result_loops]
            extents[op.result_loops.index(roles.vector)] = vector
            tile_rows(b, b.tagged(nest, _FILL), extents, LANES)
            tiles = [_Loop(self.dots.along, self.extents[self.dots.along], depth), *tiles]
            loops += self._loops(b.tagged(nest, _CONTRACTION), tiles)
        else:
            loops += self._fuse(root, tiles)[1]
        return self._peeled([*panels, *tiles], loops)

    def _fuse(self, root: Handle, loops: list[_Loop]) -> tuple[Handle, list[Handle]]:
        dims = [self.op.result_loops.index(loop.dim) if self.followed else loop.dim for loop in loops]
        count = len(self.op.result_loops) if self.followed else len(self.extents)
        return self.builder.fuse(root, *_sizes(dims, loops, count))

    def _loops(self, target: Handle, loops: list[_Loop]) -> list[Handle]:
        return self.builder.tile(target, *_sizes([loop.dim for loop in loops], loops, len(self.extents)))[1]

    def _peeled(self, loops: list[_Loop], handles: list[Handle]) -> list[_Piece]:
        b = self.builder
        split = [n for n, loop in enumerate(loops) if loop.extent % loop.size]
        for number in reversed(split):
            for part, handle in enumerate(b.peel(handles[number])):
                for tag in (_CONTRACTION, _FILL, _AFTER):
                    b.tag(b.tagged(handle, tag), f"harl.loop{number}.{part}")
        pieces = []
        for parts in product((0, 1), repeat=len(split)):
            rest = dict(zip(split, parts, strict=True))
            extents = list(self.extents)
            for number, loop in enumerate(loops):
                extents[loop.dim] = loop.extent % loop.size if rest.get(number) else loop.size
            tags = tuple(f"harl.loop{number}.{part}" for number, part in rest.items())
            pieces.append(_Piece(tags, tuple(extents)))
        return pieces

    def _tile_contracted(self, nest: Handle, piece: _Piece) -> list[Handle]:
        """Tile a piece's contracted loops by one; these, outermost first."""
        b, along = self.builder, self.dots.along
        target = b.tagged(nest, _CONTRACTION, *piece.tags)
        made: list[Handle] = []
        for dim in (*(d for d in self.op.reduction_dims if d != along), along):
            if piece.extents[dim] > 1:
                target, loops = b.tile(target, [int(d == dim) for d in range(len(self.extents))])
                made += loops
        return made

    def _tile_rows(self, nest: Handle, piece: _Piece) -> list[tuple[Handle, int]]:
        """Tile a piece by single rows; the loops, to be unrolled, and how many rows they have."""
        count = piece.extents[self.row]
        if count == 1:
            return []
        found = [
            self._rows_of(
                nest, (_CONTRACTION, *piece.tags), [int(d == self.row) for d in range(len(self.extents))]
            )
        ]
        of_result = [int(d == self.row) for d in self.op.result_loops]
        tags = [_FILL] if self.task.anchor and not self.candidate.number("depth") else []
        tags += [_AFTER] if self.followed else []
        found += [self._rows_of(nest, (tag, *piece.tags), of_result) for tag in tags]
        return [(loop, count) for loop in found]

    def _rows_of(self, nest: Handle, tags: tuple[str, ...], sizes: list[int]) -> Handle:
        return self.builder.tile(self.builder.tagged(nest, *tags), sizes)[1][0]

    # Vectors.

    def _vectorise(
        self, nest: Handle, contracted: list[list[Handle]], rows: list[tuple[Handle, int]]
    ) -> None:
        b, unroll = self.builder, self.candidate.number("unroll")
        if self.task.anchor:
            b.generalize(b.tagged(nest, _FILL))
        b.patterns(nest, FOLD_UNIT_DIMS)
        b.cse(nest)
        b.vectorize(b.with_iterators(nest, ("parallel", "reduction")))
        for parallel in range(4):
            b.vectorize(b.with_iterators(nest, ["parallel"] * parallel))
        b.patterns(nest, REDUCTIONS_TO_CONTRACTS)
        # The widening casts stand between the broadcasts and the contraction.
        b.patterns(nest, ("vector.fold_arith_extension",))
        b.patterns(nest, REDUCTIONS_TO_CONTRACTS)
        b.tidy(nest)
        for loop, count in rows:
            b.unroll(loop, count)
        b.tidy(nest)
        for loops in contracted:
            for loop in reversed(loops):
                b.licm(loop)
                b.hoist_accumulators(loop)
            if unroll > 1:
                b.unroll(loops[-1], unroll)
        b.tidy(nest)


def _sizes(dims: list[int], loops: list[_Loop], count: int) -> tuple[list[int], list[int] | None]:
    """Tile sizes and order of the loops of an op that has `count` loops."""
    sizes = [0] * count
    for dim, loop in zip(dims, loops, strict=True):
        sizes[dim] = loop.size
    order = [*dims, *(d for d in range(count) if d not in dims)]
    return sizes, order if order != sorted(order) else None
