"""The script of the contraction sketch.

1. The root, the contraction and its fill go into a shell; one fuse tiles the root and pulls the
   others into the register tile.
2. Loops that the tile does not divide are peeled: up to four pieces, all of static shape.
3. In each piece the vector loop is padded to a width the processor has, and the operand read as
   vectors is copied into panels where the candidate packs.
4. The contracted loops are tiled by one, everything is vectorised, and the accumulators are hoisted
   out of them.

Ops are found again by tags, never by handles that a later step may have consumed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import (
    FOLD_UNIT_DIMS,
    REDUCTIONS_TO_CONTRACTS,
    Handle,
    ScheduleBuilder,
    Size,
)
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.contraction import Loop, can_pad, tile_loops
from harl_mlir.tasks.contraction import Contraction, contraction_of
from harl_mlir.tasks.linalg_op import AffineRow, LinalgOp
from harl_mlir.tasks.task import Task

_CONTRACTION = "harl.contraction"
_FILL = "harl.fill"
_EPILOGUE = "harl.epilogue"
_LOWER_PADS = ("vector.lower_masked_transfers", "linalg.pad_vectorization")


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate` for the contraction-like task with root op `root`."""
    roles = contraction_of(task.anchor_op)
    if roles is None:
        raise ValueError(f"{task.label()} is not contraction-like")
    _Schedule(builder, task, candidate, roles).emit(root)


@dataclass(frozen=True)
class _Piece:
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
class _Contracted:
    """The contracted loops of a piece, outermost first, and the loop over its strided rows, if any."""

    loops: list[Handle]
    rows: Handle | None = None
    row_count: int = 0


class _Schedule:
    def __init__(
        self, builder: ScheduleBuilder, task: Task, candidate: Candidate, roles: Contraction
    ) -> None:
        self.builder = builder
        self.task = task
        self.candidate = candidate
        self.roles = roles
        self.op: LinalgOp = task.anchor_op
        self.lanes = candidate.number("lanes")
        self.loops = tile_loops(
            self.op, roles, candidate.number("rows"), candidate.number("vector"), candidate.word("order")
        )

    def emit(self, root: Handle) -> None:
        b = self.builder
        inner, nest = self._shell(root)
        handles = self._tile(inner)
        split = self._peel(handles)
        b.patterns(nest, ("canonicalization",))
        b.cse(nest)
        b.dce(nest)
        pieces = self._pieces(split)
        if len(self.op.dims) > 3:
            pieces = self._fold(nest, pieces)
        for piece in pieces:
            self._pad_and_pack(nest, piece)
        b.cse(nest)
        b.patterns(nest, ("canonicalization",))  # turns a padded fill into a fill of the padded tile
        if self._has_fill():
            b.generalize(b.match(nest, "linalg.fill"))
        contracted = [self._tile_contracted(nest, piece) for piece in pieces]
        self._finish(nest, self._vectorize(nest), contracted)

    # Tiling.

    def _shell(self, root: Handle) -> tuple[Handle, Handle]:
        b = self.builder
        handles = member_handles(b, self.task, root)
        anchor = self.task.anchor
        handles[anchor] = b.generalize(handles[anchor])
        if self.roles.strided and self.op.init.element.startswith("f"):
            # Without vector.contract nothing else makes one instruction of the multiply and the add.
            b.allow_contraction(handles[anchor])
        for number, handle in handles.items():
            b.tag(handle, self._tag_of(number))
        last = len(self.task.members) - 1
        producers = [handles[number] for number in sorted(handles, reverse=True) if number != last]
        inner, nest = b.shell(handles[last], producers)
        if self._has_fill() and self.task.members[0].sources[0].kind == "constant":
            # With the fill's value inside, padding a filled tile folds into filling a padded one.
            _, nest = b.fuse_into(b.producer(b.tagged(nest, _FILL), 0), nest)
        return inner, nest

    def _tag_of(self, member: int) -> str:
        if member == self.task.anchor:
            return _CONTRACTION
        return _FILL if member < self.task.anchor else _EPILOGUE

    def _has_fill(self) -> bool:
        return self.task.anchor > 0

    def _has_epilogue(self) -> bool:
        return self.task.anchor < len(self.task.members) - 1

    def _root_loop(self, dim: int) -> int:
        """Which loop of the root runs over loop `dim` of the contraction."""
        if not self._has_epilogue():
            return dim
        return next(i for i, row in enumerate(self.op.init.map) if row[dim])

    def _tile(self, root: Handle) -> list[Handle]:
        # One fuse before any canonicalization: operand slices then come from the shell, so that
        # producers of other tasks stay outside.
        count = len(self.task.root.op.dims)
        sizes: list[Size] = [0] * count
        order = [self._root_loop(loop.dim) for loop in self.loops]
        for position, loop in zip(order, self.loops, strict=True):
            sizes[position] = self._size(loop)
        order += [d for d in range(count) if d not in order]
        _, handles = self.builder.fuse(root, sizes, order if order != sorted(order) else None)
        return handles

    def _size(self, loop: Loop) -> Size:
        """The step of a loop; as a knob it may become any that leaves the script's form as it is."""
        if loop.decision is None:
            return loop.size
        extent = self.op.dims[loop.dim]
        others = [size for size in range(2, extent) if extent % size == 0] if extent % loop.size == 0 else []
        if loop.decision == "vector":
            others = [size for size in others if size % self.lanes == 0 and size & (size - 1) == 0]
        return self.builder.size(loop.decision, loop.size, sorted({loop.size, *others}))

    def _peel(self, handles: list[Handle]) -> list[int]:
        """Peel every loop its tile does not divide, inner ones first; returns their numbers."""
        b = self.builder
        numbers = [i for i, loop in enumerate(self.loops) if self.op.dims[loop.dim] % loop.size]
        for number in reversed(numbers):
            for part, handle in enumerate(b.peel(handles[number])):
                for tag in self._tags():
                    b.tag(b.tagged(handle, tag), _part_tag(number, part))
        return numbers

    def _tags(self) -> list[str]:
        return sorted({self._tag_of(number) for number in range(len(self.task.members))})

    def _pieces(self, split: list[int]) -> list[_Piece]:
        pieces = []
        for parts in product((0, 1), repeat=len(split)):
            part = dict(zip(split, parts, strict=True))
            extents = list(self.op.dims)
            around = []
            for number, loop in enumerate(self.loops):
                extent = self.op.dims[loop.dim]
                extents[loop.dim] = extent % loop.size if part.get(number) else loop.size
                if not part.get(number) and extent // loop.size > 1:
                    around.append(loop)
            whole = all(not part.get(n) for n in split if self.loops[n].dim != self.roles.vector)
            packs = self.candidate["pack"] == "vector" and whole
            tags = tuple(_part_tag(number, which) for number, which in part.items())
            dims = tuple(range(len(extents)))
            pieces.append(_Piece(tags, dims, tuple(extents), tuple(around), packs))
        return pieces

    def _fold(self, nest: Handle, pieces: list[_Piece]) -> list[_Piece]:
        """Fold loops of one step. It loses the tags: tell the ops by their loops and order again."""
        b = self.builder
        if self._has_fill():
            b.generalize(b.match(nest, "linalg.fill"))
        b.patterns(nest, FOLD_UNIT_DIMS)
        b.cse(nest)
        folded = []
        for number, piece in enumerate(pieces):
            dims = tuple(d for d in piece.dims if piece.extents[d] > 1)
            folded.append(replace(piece, tags=(*piece.tags, f"harl.piece{number}"), dims=dims))
        alike: dict[tuple[str, ...], list[_Piece]] = {}
        for piece in folded:
            alike.setdefault(tuple(self.op.iterators[d] for d in piece.dims), []).append(piece)
        for iterators, group in alike.items():
            ops = b.with_iterators(nest, iterators)
            for piece, op in zip(group, b.split_handle(ops, len(group)), strict=True):
                for tag in (_CONTRACTION, *piece.tags):
                    b.tag(op, tag)
        return folded

    # Padding and packing.

    def _pad_and_pack(self, nest: Handle, piece: _Piece) -> None:
        b = self.builder
        if self.roles.vector not in piece.dims:
            return
        extent = piece.extents[self.roles.vector]
        width = self._width(extent) if can_pad(self.task, self.roles) else extent
        if width == extent and not piece.packs:
            return
        vectors = self.roles.vector_operand
        grows = [width != extent and self._holds_vector(i) for i in range(3)]
        copied = [i == vectors and piece.packs for i in range(3)]
        _, pads = b.pad(
            b.tagged(nest, _CONTRACTION, *piece.tags),
            [piece.dims.index(self.roles.vector)],
            [width if width != extent else 1],
            copied,
            [_zero(operand.element) for operand in self.op.operands],
        )
        made = [i for i in range(3) if grows[i] or copied[i]]
        each = dict(zip(made, b.split_handle(pads, len(made)) if len(made) > 1 else [pads], strict=True))
        self._hoist_panel(each[vectors], piece)
        if grows[vectors]:
            self._copy_by_rows(each[vectors], piece, width)
        else:
            self._copy_by_rows(b.into_destination(each[vectors]), piece, None)

    def _width(self, extent: int) -> int:
        """The least power of two of the lanes that holds `extent`: LLVM legalises others badly."""
        width = self.lanes
        while width < extent:
            width *= 2
        return width

    def _holds_vector(self, operand: int) -> bool:
        return any(row[self.roles.vector] for row in self.op.operands[operand].map)

    def _hoist_panel(self, pad: Handle, piece: _Piece) -> None:
        # The copy leaves the inner loops that do not change what it copies.
        b = self.builder
        used = self.op.operands[self.roles.vector_operand]
        for loop in reversed(piece.around):
            if any(row[loop.dim] for row in used.map):
                break
            b.licm(b.parent_loop(pad))

    def _copy_by_rows(self, copy: Handle, piece: _Piece, width: int | None) -> None:
        b = self.builder
        rank = len(self._rows_of_map(piece))
        row, _ = b.tile(copy, [1] * (rank - 1))
        b.vectorize(row, [*([1] * (rank - 1)), width] if width else None)

    def _rows_of_map(self, piece: _Piece) -> list[AffineRow]:
        """The dimensions of the vector operand that the piece's op still has."""
        rows = self.op.operands[self.roles.vector_operand].map
        return [row for row in rows if any(row[d] for d in piece.dims)]

    # Vectorising.

    def _tile_contracted(self, nest: Handle, piece: _Piece) -> _Contracted:
        """Tile the contracted loops by one, but for the innermost where it becomes an outer product.

        Rows that the broadcast operand is strided along cannot be read as one vector: they are
        tiled by one too, inside of all others, and unrolled later.
        """
        b = self.builder
        op = b.tagged(nest, _CONTRACTION, *piece.tags)
        dims = [*self.roles.window, *([self.roles.inner] if self.roles.strided else [])]
        loops: list[Handle] = []
        for dim in dims:
            if dim in piece.dims and self.op.dims[dim] > 1:
                op, made = b.tile(op, [int(d == dim) for d in piece.dims])
                loops += made
        if self.roles.strided and self.roles.row in piece.dims:
            _, (rows,) = b.tile(op, [int(d == self.roles.row) for d in piece.dims])
            return _Contracted(loops, rows, piece.extents[self.roles.row])
        return _Contracted(loops)

    def _vectorize(self, nest: Handle) -> Handle:
        """Tile the innermost contracted loop by one and vectorise everything.

        Returns the innermost loops of all pieces. Folding has lost the tags again; what is left is
        known by its iterators.
        """
        b = self.builder
        b.patterns(nest, FOLD_UNIT_DIMS)
        b.cse(nest)
        inner = []
        for parallel in (2, 1, 0):
            op = b.with_iterators(nest, (*(["parallel"] * parallel), "reduction"))
            if parallel == 2 and self._lhs_comes_second():
                op = b.interchange(op, [1, 0, 2])
            op, made = b.tile(op, [*([0] * parallel), 1])
            b.vectorize(op)
            inner += made
        for parallel in (2, 1, 0):
            b.vectorize(b.with_iterators(nest, ["parallel"] * parallel))
        return b.merge(*inner)

    def _lhs_comes_second(self) -> bool:
        """Whether operand 0 has the second of the two loops of the tile: outer products want the first."""
        row, vector = self.roles.row, self.roles.vector
        if row is None:
            return False
        first = vector if self.roles.vector_operand == 0 else row
        return first != min(row, vector)

    def _finish(self, nest: Handle, inner: Handle, contracted: list[_Contracted]) -> None:
        b = self.builder
        b.patterns(nest, REDUCTIONS_TO_CONTRACTS)
        b.patterns(nest, _LOWER_PADS)
        b.tidy(nest)
        if self.roles.strided:
            inner = b.merge(*(each.loops.pop() for each in contracted))
            for each in contracted:
                if each.rows is not None:
                    b.unroll(each.rows, each.row_count)
            b.tidy(nest)
        for loop in (inner, *(loop for each in contracted for loop in reversed(each.loops))):
            b.licm(loop)
            b.hoist_accumulators(loop)
        unroll = self.candidate.number("unroll")
        if unroll > 1:
            b.unroll(inner, unroll)
        b.tidy(nest)
        # A padded C tile is read and written outside the loops now: make that transfers out of bounds.
        # One application rewrites one user of a pad.
        b.patterns(nest, ("linalg.pad_vectorization",))
        b.patterns(nest, ("linalg.pad_vectorization",))
        b.tidy(nest)


def _part_tag(loop: int, part: int) -> str:
    return f"harl.loop{loop}.{'rest' if part else 'main'}"


def _zero(element: str) -> ir.Attribute:
    kind = ir.Type.parse(element)
    if isinstance(kind, ir.IntegerType):
        return ir.IntegerAttr.get(kind, 0)
    return ir.FloatAttr.get(kind, 0.0)
