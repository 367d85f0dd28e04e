"""What the elementwise, reduction and window schedules share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harl_mlir.schedule.builder import Handle, ScheduleBuilder, Size
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.sketches.nest import is_copy
from harl_mlir.tasks.task import Task

ROOT = "harl.root"
ANCHOR = "harl.anchor"
_GENERIC = "linalg.generic"
_TILING = ("linalg.tiling_canonicalization",)
_DROP_UNIT_DIMS = ("linalg.fold_unit_extent_dims_via_slices",)


@dataclass(frozen=True)
class Tile:
    """The tile of one dimension of the result.

    `step` is its size, `size` the number or knob that holds it, `extent` the dimension's.
    """

    extent: int
    step: int
    size: Size

    @property
    def has_loop(self) -> bool:
        """Whether the dimension is walked in more than one step."""
        return self.step < self.extent

    @property
    def rest(self) -> int:
        """What is left after the whole steps."""
        return self.extent % self.step


def generalised(builder: ScheduleBuilder, task: Task, root: Handle) -> dict[int, Handle]:
    """A handle for every member, each made a `linalg.generic`."""
    handles = member_handles(builder, task, root)
    return {number: builder.generalize(handle) for number, handle in handles.items()}


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
    loops: Sequence[int],
    tiles: Sequence[Tile],
    order: Sequence[int],
) -> dict[int, Handle]:
    """Tile the root by `tiles`, one for each dimension of the result, with all members fused.

    `loops` are the root's loops by dimension; `order` lists the dimensions, outermost first. Returns the
    `scf.for` loops by dimension.
    """
    sizes: list[Size] = [0] * len(loops)
    for dimension, tile in enumerate(tiles):
        sizes[loops[dimension]] = tile.size if tile.has_loop else 0
    _, made = builder.fuse(root, sizes, [loops[d] for d in order])
    builder.dce(nest)
    return dict(zip((d for d in order if tiles[d].has_loop), made, strict=True))


def make_static(builder: ScheduleBuilder, task: Task, nest: Handle) -> None:
    """Static shapes everywhere in a nest whose loops were peeled."""
    # Canonicalization proper would drop a generic that only copies.
    builder.patterns(nest, _TILING if is_copy(task.root.op) else (*_TILING, "canonicalization"))


def peel_vector_loop(
    builder: ScheduleBuilder,
    task: Task,
    nest: Handle,
    loop: Handle,
    tile: Tile,
    tail: Size,
    sizes: Sequence[int],
) -> None:
    """Peel a loop along vectors; the rest is done in steps of `tail`, then by one short vector.

    `sizes` is the tiling of the rest: the tail's length at the vectors' loop of the root, else 0. Ends
    with static shapes everywhere.
    """
    builder.peel(loop)
    make_static(builder, task, nest)
    step = max(sizes)
    if tile.rest <= step:
        return
    _, rest = builder.split_handle(builder.tagged(nest, ROOT), 2)
    _, made = builder.fuse(rest, [tail if size else 0 for size in sizes])
    builder.dce(nest)
    if tile.rest % step:
        builder.peel(made[0])
        make_static(builder, task, nest)


def peel_block(builder: ScheduleBuilder, task: Task, nest: Handle, loops: Sequence[Handle]) -> None:
    """Peel several loops of a nest, given innermost first. Ends with static shapes everywhere."""
    for loop in loops:
        builder.peel(loop)
    if loops:
        make_static(builder, task, nest)


def vectorise_generics(builder: ScheduleBuilder, task: Task, nest: Handle) -> None:
    """Vectorise every generic of the nest, dimensions of size one dropped first."""
    builder.patterns(nest, _DROP_UNIT_DIMS)
    if not is_copy(task.root.op):
        builder.patterns(nest, ("canonicalization",))
    builder.vectorize(builder.match(nest, _GENERIC))
