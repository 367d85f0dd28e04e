"""The schedule of a row operation; its decisions are in `harl_mlir.space.sketches.rows`."""

from __future__ import annotations

from harl_mlir.frontend.program import ONLINE
from harl_mlir.schedule.builder import ScheduleBuilder, Size
from harl_mlir.schedule.handles import Handle, i64
from harl_mlir.schedule.members import members_and_fills
from harl_mlir.schedule.sketches import nest
from harl_mlir.schedule.sketches.nest import Tile
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.nest import pieces
from harl_mlir.space.sketches.rows import in_vectors, roles_of, stepped
from harl_mlir.tasks.linalg_op import LinalgOp
from harl_mlir.tasks.rows import Rows
from harl_mlir.tasks.task import Task

_FILL = "harl.row_fill"
_FOLD = ("tensor.fold_tensor_subset_ops_into_vector_transfers", "canonicalization")


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    rows = roles_of(task)
    if rows is None:
        raise ValueError("the sketch of row operations does not apply to the task")
    ops, shell = _fused(builder, task, candidate, rows, root)
    vectors = [builder.tagged(shell, _FILL)]
    loops: list[Handle] = []
    for number in ops:
        op, facts = builder.tagged(shell, _tag(number)), task.members[number].op
        if facts.reduction_dims:
            if in_vectors(facts, candidate.word("sums")):
                parts, made = _partial_results(builder, candidate, rows, op, facts)
                vectors += parts
                loops += made
        elif rows.is_along(facts):
            vectors += _along(builder, candidate, rows, op)
        else:
            vectors.append(op)
    for op in vectors:
        builder.vectorize(op)
    _tidy(builder, shell)
    for loop in loops:
        nest.keep_accumulators(builder, [loop])
    _tidy(builder, shell)
    builder.run_alone(shell)
    if candidate.assignment.get("chunk"):
        builder.mark(shell, ONLINE, i64(candidate.number("chunk")))


def _fused(
    builder: ScheduleBuilder, task: Task, candidate: Candidate, rows: Rows, root: Handle
) -> tuple[list[int], Handle]:
    """Put all members into one loop over rows, each once. Returns those that are no fills, and the loop."""
    last = len(task.members) - 1
    handles, fills = members_and_fills(builder, task, root)
    for number in handles:
        handles[number] = builder.generalize(handles[number])
        builder.tag(handles[number], _tag(number))
    for own in fills.values():
        for fill in own:
            builder.tag(fill, _FILL)
    _, shell = builder.tile_forall(handles[last], _sizes(builder, candidate, rows, len(task.root.op.dims)))
    for number in sorted(handles, reverse=True):
        if number != last:
            _, shell = builder.fuse_into(handles[number], shell)
            # Several uses of what comes next read the same rows of it, and shall read one slice.
            builder.cse(shell)
        for fill in fills.get(number, ()):
            _, shell = builder.fuse_into(fill, shell)
            builder.cse(shell)
    # Rows of an empty tensor are an empty tensor of a few rows.
    builder.patterns(shell, ("tensor.fold_tensor_empty",))
    return sorted(handles), shell


def _sizes(builder: ScheduleBuilder, candidate: Candidate, rows: Rows, rank: int) -> list[Size]:
    sizes: list[Size] = [int(count > 1) for count in rows.counts] + [0] * (rank - len(rows.counts))
    dimension, step = stepped(rows), candidate.number("rows")
    sizes[dimension] = builder.size("rows", step, Tile(rows.counts[dimension], step).options())
    return sizes


def _along(builder: ScheduleBuilder, candidate: Candidate, rows: Rows, op: Handle) -> list[Handle]:
    """Cut an elementwise op into vectors along the row. Returns the ops of one vector's size."""
    loop = len(rows.counts)
    cuts = pieces(rows.length, candidate.number("width"), candidate.number("tail"))
    made: list[Handle] = []
    for piece, (length, step) in zip(
        nest.cut(builder, op, loop, [length for length, _ in cuts]), cuts, strict=True
    ):
        made.append(piece if length == step else builder.tile(piece, [0] * loop + [step])[0])
    return made


def _partial_results(
    builder: ScheduleBuilder, candidate: Candidate, rows: Rows, op: Handle, facts: LinalgOp
) -> tuple[list[Handle], list[Handle]]:
    """Give a reduction of rows as many partial results as a vector has elements. Returns ops and loops.

    One that uses its place in the row is reduced vector by vector; the lowering gives it partial results.
    """
    loop = len(rows.counts)
    cuts = pieces(rows.length, candidate.number("width"), candidate.number("tail"))
    parts: list[Handle] = []
    loops: list[Handle] = []
    for piece, (length, step) in zip(
        nest.cut(builder, op, loop, [length for length, _ in cuts]), cuts, strict=True
    ):
        if length == step:
            parts.append(piece)
            continue
        if facts.tells_place(loop):
            inner, over_vectors = builder.tile(piece, [0] * loop + [step])
            parts.append(inner)
            loops += over_vectors
            continue
        fill, partial, combining, over = builder.tile_reduction(piece, [0] * loop + [step])
        parts += [fill, partial, combining]
        loops.append(over)
    return parts, loops


def _tidy(builder: ScheduleBuilder, shell: Handle) -> None:
    """Clean up to the end, slices of slices left as they are.

    The pieces of a row are slices of the row's slice of the result. Made slices of the result itself, they
    would be read as other values than the row is, and be copied.
    """
    for _ in range(2):
        builder.patterns(shell, _FOLD)
        builder.cse(shell)


def _tag(number: int) -> str:
    return f"harl.row_{number}"
