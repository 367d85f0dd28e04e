"""The script of the contraction sketch.

0. A vector operand that is not contiguous along the lanes is copied, transposed (`transposition`).
1. The root, the contraction and its fill go into a shell; fusing tiles the root, by blocks and by
   register tiles, and pulls the others in.
2. Loops that the tile does not divide are peeled: up to four pieces, all of static shape. Where the
   lanes lie across C, each works on a transposed copy of its tile of C (`contraction_turn`).
3. In each piece the vector loop is padded to a width the processor has, and the operand read as
   vectors is copied into panels where the candidate packs (`contraction_panels`).
4. The contracted loops are tiled by one, everything is vectorised, and the accumulators are hoisted
   out of them (`contraction_loops`).

Ops are found again by tags, never by handles that a later step may have consumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

from harl_mlir.schedule.builder import FOLD_UNIT_DIMS, ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.schedule.sketches.contraction_blocks import copy_blocks, tile_rows
from harl_mlir.schedule.sketches.contraction_feeds import feed_steps
from harl_mlir.schedule.sketches.contraction_loops import (
    keep_in_registers,
    tile_contracted,
    tile_steps,
    vectorize,
)
from harl_mlir.schedule.sketches.contraction_nest import CONTRACTION, EPILOGUE, FILL, Kernel, Piece
from harl_mlir.schedule.sketches.contraction_panels import pad_and_pack
from harl_mlir.schedule.sketches.contraction_turn import finish_turning, is_turned, turn_result, write_turned
from harl_mlir.schedule.sketches.producers import producer_handles
from harl_mlir.schedule.sketches.transposition import fold_unit_dims, transpose_vectors
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.contraction import can_pad, fill_value, ways
from harl_mlir.space.sketches.contraction_epilogue import is_on_tiles
from harl_mlir.space.sketches.contraction_tiles import PLACES, Blocks, Loop, tile_loops
from harl_mlir.tasks.contraction import Contraction, with_vectors_last
from harl_mlir.tasks.producers import core_of, producers_of
from harl_mlir.tasks.task import Task


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate` for the contraction-like task with root op `root`."""
    core = core_of(task) if producers_of(task) else task
    roles = ways(core, exact=candidate.word("fused") == "no").get(candidate.word("along"))
    if roles is None:
        raise ValueError(f"{task.label()} cannot be scheduled with vectors along {candidate['along']}")
    feeds = producer_handles(builder, task, root)
    _Schedule(builder, core, candidate, roles, feeds).emit(root)


class _Schedule:
    """`given` are the roles in the task's op; `op` and `roles` are what is left to schedule."""

    def __init__(
        self,
        builder: ScheduleBuilder,
        task: Task,
        candidate: Candidate,
        given: Contraction,
        feeds: Mapping[int, Sequence[Handle]],
    ) -> None:
        self.builder = builder
        self.task = task
        self.candidate = candidate
        self.given = given
        self.feeds = feeds
        self.op, self.roles = with_vectors_last(task.anchor_op, given)
        self.lanes = candidate.number("lanes")
        rows, vector = candidate.number("rows"), candidate.number("vector")
        blocks = Blocks(*(candidate.number(name) for name in ("block", "width", "depth")))
        self.on_tiles = is_on_tiles(candidate.assignment)
        self.loops = tile_loops(self.op, self.roles, rows, vector, candidate.word("order"), blocks)

    def emit(self, root: Handle) -> None:
        b = self.builder
        inner, nest = self._shell(self._members(root))
        handles = self._tile(inner, nest)
        split = self._peel(handles)
        b.patterns(nest, ("canonicalization",))
        b.cse(nest)
        b.dce(nest)
        pieces = self._pieces(split)
        turned = [piece for piece in pieces if is_turned(self.op, piece, self.roles)]
        for piece in turned:
            turn_result(b, b.tagged(nest, CONTRACTION, *piece.tags), self.op, piece, self.roles)
        if turned:
            finish_turning(b, nest)
        if len(self.op.dims) > 3:
            pieces = self._fold(nest, pieces)
        padded = can_pad(self.task, self.op, self.roles)
        kernel = Kernel(b, self.op, self.roles, self.lanes, padded, fill_value(self.task) or 0, nest)
        for piece in pieces:
            pad_and_pack(kernel, piece, self.feeds.get(self.roles.vector_operand, ()))
        b.cse(nest)
        b.patterns(nest, ("canonicalization",))  # turns a padded fill into a fill of the padded tile
        if self._has_fill():
            b.generalize(b.match(nest, "linalg.fill"))
        contracted = [tile_contracted(kernel, piece) for piece in pieces]
        inner = tile_steps(kernel)
        steps = [op for operand, ops in self.feeds.items() if operand not in self._copied() for op in ops]
        if steps:
            nest, inner, contracted = feed_steps(b, nest, steps, inner, contracted)
            kernel = replace(kernel, nest=nest)
        vectorize(kernel)
        if turned:
            write_turned(kernel, turned, fill_value(self.task) is not None)
        keep_in_registers(kernel, inner, contracted, self.candidate.number("unroll"))
        if turned:
            b.lower_transposes(nest, blocks=False)

    # Tiling.

    def _members(self, root: Handle) -> dict[int, Handle]:
        """A handle for each member; the anchor is a generic that is `op`, what follows it are generics."""
        b, anchor = self.builder, self.task.anchor
        last = len(self.task.members) - 1
        handles = member_handles(b, self.task, root)
        for number in range(anchor, last + 1):
            # By their iterators, as generics, ops are found again and vectorised.
            handles[number] = b.generalize(handles[number])
        if not self.given.transposed:
            return handles
        handles[anchor], idle = transpose_vectors(b, handles[anchor], self.task.anchor_op, self.given)
        producers = [handles[number] for number in sorted(handles, reverse=True) if number != last]
        _, nest = b.shell(handles[last], [*producers, *idle])
        fold_unit_dims(b, nest)
        # What is inside now reads from outside with no slice between: another shell keeps that out.
        handles = {anchor: b.with_iterators(nest, self.op.iterators)}
        for number in range(anchor + 1, last + 1):
            handles[number] = b.consumer(handles[number - 1])
        if self._has_fill():
            handles[0] = b.producer(handles[anchor], len(self.op.inputs))
        return handles

    def _shell(self, handles: dict[int, Handle]) -> tuple[Handle, Handle]:
        b = self.builder
        fused = self.candidate.word("fused") == "yes"
        if fused and self.roles.by_rows and self.op.init.element.startswith("f"):
            # Without vector.contract nothing else makes one instruction of the multiply and the add.
            b.allow_contraction(handles[self.task.anchor])
        for number, handle in handles.items():
            b.tag(handle, self._tag_of(number))
        last = len(self.task.members) - 1
        producers = [handles[number] for number in sorted(handles, reverse=True) if number != last]
        inner, nest = b.shell(handles[last], producers)
        if fill_value(self.task) is not None:
            # With the fill's value inside, padding a filled tile folds into filling a padded one.
            _, nest = b.fuse_into(b.producer(b.tagged(nest, FILL), 0), nest)
        return inner, nest

    def _tag_of(self, member: int) -> str:
        if member == self.task.anchor:
            return CONTRACTION
        return FILL if member < self.task.anchor else EPILOGUE

    def _copied(self, *ways: str) -> set[int]:
        """The operands that are copied, in one of these ways if any are given."""
        both = {self.roles.vector_operand: "pack", self.roles.broadcast_operand: "copy"}
        return {
            operand for operand, name in both.items() if self.candidate[name] in (ways or ("block", "panels"))
        }

    def _has_fill(self) -> bool:
        return self.task.anchor > 0

    def _has_epilogue(self) -> bool:
        return self.task.anchor < len(self.task.members) - 1

    def _tile(self, root: Handle, nest: Handle) -> list[Handle]:
        """Tile the root and pull in the other members; the loops, outermost first."""
        # All before any canonicalization: operand slices then come from the shell, so that producers
        # of other tasks stay outside.
        at = {place: [loop for loop in self.loops if loop.place == place] for place in PLACES}
        b, count = self.builder, len(self.op.dims)
        root, handles = self._fuse(root, at["block"])
        extents = list(self.op.dims)
        for loop in at["block"]:
            extents[loop.dim] = loop.size
        if at["block"]:
            b.dce(nest)  # what was pulled into the blocks is dead outside
        target = b.tagged(nest, CONTRACTION)
        # What works on C in memory: between blocks of the contracted loop that is where C is.
        apart = [EPILOGUE] if self._has_epilogue() and not self.on_tiles else []
        for tag in self._tags() if at["depth"] else apart:
            if tag != CONTRACTION:
                tile_rows(b, b.tagged(nest, tag), [extents[d] for d in self.op.result_loops], self.lanes)
        if at["depth"]:
            target, depth = b.tile(target, *self._sizes(at["depth"], count))
            handles += depth
        for loop in at["depth"]:
            extents[loop.dim] = loop.size
        copied = sorted(self._copied("block"))
        if copied:
            feeds = [self.feeds.get(operand, ()) for operand in copied]
            target = copy_blocks(b, target, self.op, self.roles, extents, copied, feeds)
        if at["depth"]:
            return [*handles, *b.tile(target, *self._sizes(at["tile"], count))[1]]
        if self._has_epilogue() and self.on_tiles:
            return [*handles, *self._fuse(root, at["tile"])[1]]
        return [*handles, *b.fuse(target, *self._sizes(at["tile"], count))[1]]

    def _fuse(self, root: Handle, loops: list[Loop]) -> tuple[Handle, list[Handle]]:
        if not self._has_epilogue():
            return self.builder.fuse(root, *self._sizes(loops, len(self.op.dims)))
        # An epilogue's loops are the dimensions of C.
        inside = [replace(loop, dim=self.op.result_loops.index(loop.dim)) for loop in loops]
        return self.builder.fuse(root, *self._sizes(inside, len(self.op.init.map)))

    def _sizes(self, loops: list[Loop], count: int) -> tuple[list[Size], list[int] | None]:
        """Tile sizes and order of the loops of an op that has `count` loops."""
        sizes: list[Size] = [0] * count
        order = [loop.dim for loop in loops]
        for loop in loops:
            sizes[loop.dim] = self._size(loop)
        order += [d for d in range(count) if d not in order]
        return sizes, order if order != sorted(order) else None

    def _size(self, loop: Loop) -> Size:
        """The step of a loop; as a knob it may become any that leaves the script's form as it is."""
        if loop.decision is None:
            return loop.size
        if loop.place != "tile":
            return self.builder.size(loop.decision, loop.size, [loop.size])
        extent = loop.extent
        others = [size for size in range(2, extent) if extent % size == 0] if extent % loop.size == 0 else []
        if loop.decision == "vector":
            others = [size for size in others if size % self.lanes == 0 and size & (size - 1) == 0]
        return self.builder.size(loop.decision, loop.size, sorted({loop.size, *others}))

    def _peel(self, handles: list[Handle]) -> list[int]:
        """Peel every loop its tile does not divide, inner ones first; returns their numbers."""
        b = self.builder
        numbers = [i for i, loop in enumerate(self.loops) if loop.extent % loop.size]
        for number in reversed(numbers):
            for part, handle in enumerate(b.peel(handles[number])):
                for tag in self._tags():
                    b.tag(b.tagged(handle, tag), _part_tag(number, part))
        return numbers

    def _tags(self) -> list[str]:
        return sorted({self._tag_of(number) for number in range(len(self.task.members))})

    def _pieces(self, split: list[int]) -> list[Piece]:
        pieces = []
        for parts in product((0, 1), repeat=len(split)):
            part = dict(zip(split, parts, strict=True))
            extents = list(self.op.dims)
            around = []
            for number, loop in enumerate(self.loops):
                extents[loop.dim] = loop.extent % loop.size if part.get(number) else loop.size
                if not part.get(number) and loop.extent // loop.size > 1:
                    around.append(loop)
            whole = all(not part.get(n) for n in split if self.loops[n].dim == self.roles.row)
            packs = self.candidate["pack"] == "panels" and whole
            tags = tuple(_part_tag(number, which) for number, which in part.items())
            dims = tuple(range(len(extents)))
            pieces.append(Piece(tags, dims, tuple(extents), tuple(around), packs))
        return pieces

    def _fold(self, nest: Handle, pieces: list[Piece]) -> list[Piece]:
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
        alike: dict[tuple[str, ...], list[Piece]] = {}
        for piece in folded:
            alike.setdefault(tuple(self.op.iterators[d] for d in piece.dims), []).append(piece)
        for iterators, group in alike.items():
            ops = b.with_iterators(nest, iterators)
            for piece, op in zip(group, b.split_handle(ops, len(group)), strict=True):
                for tag in (CONTRACTION, *piece.tags):
                    b.tag(op, tag)
        return folded


def _part_tag(loop: int, part: int) -> str:
    return f"harl.loop{loop}.{'rest' if part else 'main'}"
