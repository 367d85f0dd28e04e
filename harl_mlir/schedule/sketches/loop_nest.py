"""The script of a loop nest: a chain of one-dimensional tilings in the nest's order.

1. The root and the members it reads go into a shell. The parallel loops before the first reduction loop are
   around all of them; the loops inside of these around the contraction alone.
2. A loop that its step does not divide is peeled at once, so that all pieces have static shapes.
3. What is left of each op is one vector or one point; it is vectorised, the marked loops are unrolled, and
   the accumulators leave the reduction loops around them.

Loops and ops are found again by tags, which peeling copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from harl_mlir.schedule.builder import FOLD_UNIT_DIMS, ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.nest.nest import Loop, LoopNest, parse
from harl_mlir.space.nest.pieces import Piece, pieces_of
from harl_mlir.space.nest.rules import is_width
from harl_mlir.tasks.task import Task

_ROOT, _ANCHOR, _OTHER = "harl.root", "harl.anchor", "harl.other"
_STATIC_SHAPES = ("linalg.tiling_canonicalization", "scf.for_loop_canonicalization", "canonicalization")


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of the nest that `candidate` holds; the task must be one the sketch applies to."""
    nest = parse(task.anchor_op.dims, candidate.word("nest"))
    _Schedule(builder, task, nest, candidate.number("lanes")).emit(root)


class _Schedule:
    def __init__(self, builder: ScheduleBuilder, task: Task, nest: LoopNest, lanes: int) -> None:
        self.builder = builder
        self.task = task
        self.op = task.anchor_op
        self.nest = nest
        self.lanes = lanes
        self.pieces = pieces_of(nest)

    def emit(self, root: Handle) -> None:
        b = self.builder
        shell = self._shell(root)
        for number in range(self._around_all):
            self._make_loops(shell, [number], around_all=True)
        for number in range(self._around_all, self._together.start):
            self._make_loops(shell, [number], around_all=False)
        # At once: slices of slices would hide from each other that they do not overlap.
        self._make_loops(shell, list(self._together), around_all=False)
        b.patterns(shell, ("canonicalization",))
        b.cse(shell)
        b.dce(shell)
        self._tile_others(shell)
        b.patterns(shell, FOLD_UNIT_DIMS)
        b.cse(shell)
        b.vectorize(b.match(shell, "linalg.generic"))
        b.tidy(shell)
        self._unroll(shell)
        b.tidy(shell)
        self._hoist(shell)
        b.tidy(shell)
        b.tidy(shell)

    def _shell(self, root: Handle) -> Handle:
        b, last = self.builder, len(self.task.members) - 1
        handles = {n: b.generalize(op) for n, op in member_handles(b, self.task, root).items()}
        if self.op.init.element.startswith("f"):
            # Nothing else makes one instruction of the multiply and the add.
            b.allow_contraction(handles[self.task.anchor])
        for number, handle in handles.items():
            b.tag(handle, _ANCHOR if number == self.task.anchor else _OTHER)
        b.tag(handles[last], _ROOT)
        return b.shell(handles[last], [handles[n] for n in sorted(handles, reverse=True) if n != last])[1]

    # Loops.

    @cached_property
    def _count(self) -> int:
        """How many loops of the nest are loops of the script: all but a vector."""
        loops = self.nest.loops
        return len(loops) - (bool(loops) and loops[-1].mark == "v")

    @cached_property
    def _together(self) -> range:
        """The loops that are unrolled."""
        return range(len(self.nest.loops) - self.nest.marked, self._count)

    @cached_property
    def _around_all(self) -> int:
        """How many loops, the outermost, are around all members."""
        kinds = [self._is_reduction(number) for number in range(self._together.start)]
        return kinds.index(True) if True in kinds else len(kinds)

    def _make_loops(self, shell: Handle, numbers: list[int], *, around_all: bool) -> None:
        """Tile what is inside all loops so far by these loops, in every piece that has them."""
        b = self.builder
        if not numbers:
            return
        for piece in pieces_of(replace(self.nest, loops=self.nest.loops[: numbers[0]])):
            left = piece.left[-1]
            loops = {
                n: self.nest.loops[n]
                for n in numbers
                if left[self.nest.loops[n].dim] > self.nest.loops[n].step
            }
            if not loops:
                continue
            tags = _tags(piece)
            if around_all:
                op = b.tagged(shell, _ROOT, *tags)
                _, handles = b.fuse(op, *self._sizes(list(loops.values()), of_root=True))
                b.dce(shell)
            else:
                op = b.tagged(shell, _ANCHOR, *tags)
                _, handles = b.tile(op, *self._sizes(list(loops.values()), of_root=False))
            for number, handle in zip(loops, handles, strict=True):
                for tag in (_loop_tag(number), *tags):
                    b.tag(handle, tag)
            (number, loop), *_ = loops.items()
            if left[loop.dim] % loop.step:
                self._peel(shell, number, handles[0])

    def _sizes(self, loops: Sequence[Loop], *, of_root: bool) -> tuple[list[Size], list[int]]:
        """Tile sizes and the order of the loops, as the root or the contraction numbers its own."""
        places = {d: d for d in range(len(self.op.dims))}
        if of_root and self.task.anchor < len(self.task.members) - 1:
            # An epilogue's loops are the dimensions of the result.
            places = {d: place for place, d in enumerate(self.op.result_loops)}
        sizes: list[Size] = [0] * len(places)
        order = [places[loop.dim] for loop in loops]
        for loop in loops:
            sizes[places[loop.dim]] = loop.step
        return sizes, order + [place for place in range(len(places)) if place not in order]

    def _peel(self, shell: Handle, number: int, loop: Handle) -> None:
        b = self.builder
        for rest, handle in enumerate(b.peel(loop)):
            inside = b.match(handle, "scf.for", "linalg.generic")
            b.tag(b.merge(handle, inside), _part_tag(number, bool(rest)))
        b.patterns(shell, _STATIC_SHAPES)
        b.cse(shell)
        b.dce(shell)

    # What is inside them.

    def _tile_others(self, shell: Handle) -> None:
        """Rows of vectors for what comes before and after the contraction.

        Where a tile of the result stays in registers they are unrolled like the contraction's own.
        """
        b = self.builder
        if len(self.task.members) == 1:
            return
        inside = range(self._around_all, self._count)
        stays = all(self.nest.loops[n].mark for n in inside if not self._is_reduction(n))
        for piece in pieces_of(replace(self.nest, loops=self.nest.loops[: self._around_all])):
            extents = [piece.left[-1][d] for d in self.op.result_loops]
            rows = _tile_rows(b, b.tagged(shell, _OTHER, *_tags(piece)), extents, self._width(extents[-1]))
            for handle, trips in reversed(rows):
                if stays:
                    b.unroll(handle, trips)

    def _width(self, extent: int) -> int:
        """The length of vectors along the rows of a tile of the result."""
        return max(n for n in range(1, extent + 1) if extent % n == 0 and is_width(n, self.lanes))

    def _unroll(self, shell: Handle) -> None:
        """Unroll the marked parallel loops, so that every vector of the tile has a place of its own."""
        for piece in self.pieces:
            for number in reversed(self._together):
                if not self._is_reduction(number) and piece.trips[number] > 1:
                    self.builder.unroll(self._loop(shell, number, piece), piece.trips[number])

    def _hoist(self, shell: Handle) -> None:
        """Keep accumulators in registers over the reduction loops directly around what is unrolled.

        Marked ones are unrolled after that: their steps then pass the accumulators on.
        """
        b = self.builder
        for piece in self.pieces:
            for number in reversed(range(self._count)):
                if piece.trips[number] == 1:
                    continue
                marked = number in self._together
                if not self._is_reduction(number):
                    if marked:
                        continue
                    break
                loop = self._loop(shell, number, piece)
                b.licm(loop)
                b.hoist_accumulators(loop)
                if marked:
                    b.unroll(loop, piece.trips[number])

    def _is_reduction(self, number: int) -> bool:
        return self.op.iterators[self.nest.loops[number].dim] == "reduction"

    def _loop(self, shell: Handle, number: int, piece: Piece) -> Handle:
        return self.builder.tagged(shell, _loop_tag(number), *_tags(piece))


def _loop_tag(number: int) -> str:
    return f"harl.loop{number}"


def _part_tag(number: int, rest: bool) -> str:
    return f"harl.loop{number}.{'rest' if rest else 'main'}"


def _tags(piece: Piece) -> list[str]:
    return [_part_tag(*rest) for rest in piece.rests]


def _tile_rows(
    builder: ScheduleBuilder, op: Handle, extents: Sequence[int], width: int
) -> list[tuple[Handle, int]]:
    """Tile elementwise ops to vectors of `width`; the loops, outermost first, and their steps."""
    steps = [*(1 for _ in extents[:-1]), width]
    trips = [extent // step for extent, step in zip(extents, steps, strict=True)]
    sizes = [step if count > 1 else 0 for step, count in zip(steps, trips, strict=True)]
    _, loops = builder.tile(op, sizes)
    return list(zip(loops, (count for count in trips if count > 1), strict=True))
