"""What the elementwise, reduction and window schedules share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harl_mlir.frontend.program import VECTOR
from harl_mlir.schedule.builder import ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.sketches.nest import loop_order
from harl_mlir.tasks.task import Task

ROOT = "harl.root"
ANCHOR = "harl.anchor"
_GENERIC = "linalg.generic"
_NEAR = 5
_DROP_UNIT_DIMS = ("linalg.fold_unit_extent_dims_via_slices",)


@dataclass(frozen=True)
class Tile:
    """The tile of one dimension of the result.

    `extent` is the dimension's, `step` the tile's, `decision` the name of the decision that holds the
    step, or None. `tail` is the step of what is left, where that is done in vectors of its own.
    """

    extent: int
    step: int
    decision: str | None = None
    tail: int = 0

    @property
    def has_loop(self) -> bool:
        """Whether the dimension is walked in more than one step."""
        return self.step < self.extent

    @property
    def rest(self) -> int:
        """What is left after the whole steps."""
        return self.extent % self.step

    def options(self) -> list[int]:
        """Steps for which the schedule would be the same but for this number."""
        doubled = {self.step << shift for shift in range(_NEAR)}
        halved = {self.step >> shift for shift in range(_NEAR) if self.step % (1 << shift) == 0}
        steps = {step for step in doubled | halved if step < self.extent}
        return sorted(step for step in steps if self._kind(step) == self._kind(self.step))

    def _kind(self, step: int) -> tuple[bool, bool, bool]:
        rest, tail = self.extent % step, self.tail or self.extent
        return rest == 0, rest <= tail, rest % tail == 0


def generalised(builder: ScheduleBuilder, task: Task, root: Handle) -> dict[int, Handle]:
    """A handle for every member, each made a `linalg.generic` with its loops in `loop_order`.

    Loop `d` of a member is then the loop of dimension `d` of its result, and vectors lie as in memory.
    """
    handles = member_handles(builder, task, root)
    made: dict[int, Handle] = {}
    for number, handle in handles.items():
        made[number] = builder.generalize(handle)
        order = loop_order(task.members[number].op)
        if list(order) != sorted(order):
            made[number] = builder.interchange(made[number], order)
    return made


def into_shell(builder: ScheduleBuilder, task: Task, handles: Mapping[int, Handle]) -> tuple[Handle, Handle]:
    """Put all members into one shell, the root and the anchor tagged. Returns the root and the shell."""
    last = len(task.members) - 1
    builder.tag(handles[last], ROOT)
    builder.tag(handles[task.anchor], ANCHOR)
    return builder.shell(handles[last], [handles[n] for n in range(last - 1, -1, -1)])


def fuse_members(
    builder: ScheduleBuilder,
    root: Handle,
    nest: Handle,
    tiles: Sequence[Tile],
    order: Sequence[int],
    rank: int,
) -> dict[int, Handle]:
    """Tile the root by `tiles`, one for each dimension of the result, with all members fused.

    The root has `rank` loops; `order` lists the dimensions, outermost first. Returns the `scf.for` loops by
    dimension.
    """
    sizes: list[Size] = [0] * rank
    for dimension, tile in enumerate(tiles):
        if tile.has_loop and tile.decision is not None:
            sizes[dimension] = builder.size(tile.decision, tile.step, tile.options())
        else:
            sizes[dimension] = tile.step if tile.has_loop else 0
    _, made = builder.fuse(root, sizes, [*order, *range(len(tiles), rank)])
    builder.dce(nest)
    return dict(zip((d for d in order if tiles[d].has_loop), made, strict=True))


def cut(builder: ScheduleBuilder, op: Handle, loop: int, lengths: Sequence[int]) -> list[Handle]:
    """Split a loop of `op` into pieces of these lengths."""
    found: list[Handle] = []
    for length in lengths[:-1]:
        piece, op = builder.split(op, loop, length)
        found.append(piece)
    return [*found, op]


def make_static(builder: ScheduleBuilder, nest: Handle) -> None:
    """Static shapes everywhere in a nest whose loops were peeled. Drops generics that only copy."""
    builder.patterns(nest, ("linalg.tiling_canonicalization", "canonicalization"))


def peel_vector_loop(
    builder: ScheduleBuilder,
    nest: Handle,
    loop: Handle,
    tile: Tile,
    dimension: int,
    rank: int,
) -> None:
    """Peel a loop along vectors; the rest is done in steps of the tile's tail, then by one short vector.

    Vectors lie along `dimension`; the root has `rank` loops. Ends with static shapes everywhere.
    """
    builder.peel(loop)
    make_static(builder, nest)
    if tile.rest <= tile.tail:
        return
    _, rest = builder.split_handle(builder.tagged(nest, ROOT), 2)
    _, made = builder.fuse(rest, [tile.tail if d == dimension else 0 for d in range(rank)])
    builder.dce(nest)
    if tile.rest % tile.tail:
        builder.peel(made[0])
        make_static(builder, nest)


def peel_block(builder: ScheduleBuilder, nest: Handle, loops: Sequence[Handle]) -> None:
    """Peel several loops of a nest, given innermost first. Ends with static shapes everywhere."""
    for loop in loops:
        builder.peel(loop)
    if loops:
        make_static(builder, nest)


def vectorise_generics(
    builder: ScheduleBuilder, nest: Handle, *, keep_copies: bool = False, marked: bool = False
) -> None:
    """Vectorise every generic of the nest, dimensions of size one dropped first.

    Canonicalization drops a generic that only copies, which `keep_copies` forbids. `marked` ones are left
    to the lowering.
    """
    builder.patterns(nest, _DROP_UNIT_DIMS)
    if not keep_copies:
        builder.patterns(nest, ("canonicalization",))
    generics = builder.match(nest, _GENERIC)
    if marked:
        builder.tag(generics, VECTOR)
    else:
        builder.vectorize(generics)


def keep_accumulators(builder: ScheduleBuilder, loops: Sequence[Handle]) -> None:
    """Keep what reduction loops accumulate in registers; `loops` are given outermost first."""
    for loop in reversed(loops):
        builder.licm(loop)
        builder.hoist_accumulators(loop)


def tidy(builder: ScheduleBuilder, nest: Handle) -> None:
    """Clean up to the end: one application of the patterns stops before its last folds."""
    builder.tidy(nest)
    builder.tidy(nest)
