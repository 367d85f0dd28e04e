"""The schedule of a matmul by dot products of pairs; its decisions are in `harl_mlir.space.sketches.pairs`.

1. The matmul and its fill go into a shell. There the contracted loop is packed by two: A is seen as pairs,
   B is to be copied, pairs of rows interleaved.
2. A loop over panels of columns, into which the copy and the fill go: each element of B is copied once.
3. Blocks of pairs, rows, then single pairs; everything is vectorised. What is left is a `vector.contract` of
   pairs, which the lowering knows (`harl_mlir.codegen.dot_products`).
"""

from __future__ import annotations

from harl_mlir.mlir import ir
from harl_mlir.schedule.builder import FOLD_UNIT_DIMS, REDUCTIONS_TO_CONTRACTS, ScheduleBuilder
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.members import member_handles
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches.pairs import LANES
from harl_mlir.tasks.task import Task

_GENERIC, _PACK = "linalg.generic", "linalg.pack"
_CONTRACTION = "harl.contraction"
_LOWERED_PACK = ("tensor.pad", "tensor.expand_shape", "linalg.transpose")


def emit(builder: ScheduleBuilder, task: Task, candidate: Candidate, root: Handle) -> None:
    """Append the schedule of `candidate`; the task must be one the sketch applies to."""
    b = builder
    rows, vector, depth, unroll = (candidate.number(name) for name in ("rows", "vector", "depth", "unroll"))
    handles = member_handles(b, task, root)
    inner, nest = b.shell(root, [handles[n] for n in sorted(handles, reverse=True) if n != task.anchor])
    _pack_pairs(b, inner, nest)
    _tile(b, task, nest, rows, vector, depth)
    _vectorise(b, nest, unroll, has_fill=task.anchor > 0)


def _pack_pairs(b: ScheduleBuilder, matmul: Handle, nest: Handle) -> None:
    """Make the contracted loop two loops, the inner one of two steps, and B's copy a transposition."""
    packed = b.op(
        "transform.structured.pack",
        [matmul],
        [_GENERIC],
        static_packed_sizes=ir.DenseI64ArrayAttr.get([0, 0, 2]),
    )[0]
    b.tag(packed, _CONTRACTION)
    for pack in b.split_handle(b.match(nest, _PACK), 2):
        b.op("transform.structured.lower_pack", [b.cast(pack, _PACK)], _LOWERED_PACK)
    b.patterns(nest, ("canonicalization",))  # A's transposition is none


def _tile(b: ScheduleBuilder, task: Task, nest: Handle, rows: int, vector: int, depth: int) -> None:
    op, steps = task.anchor_op, task.anchor_op.dims[2]
    target = b.tagged(nest, _CONTRACTION)
    if vector < op.dims[1]:
        b.fuse(target, [0, vector, 0, 0])
        b.dce(nest)  # what was pulled in is dead outside
        b.patterns(nest, ("tensor.fold_tensor_empty",))
    copied, _ = b.tile(b.match(nest, "linalg.transpose"), [1, 0, 0])
    b.vectorize(copied)
    sizes = [rows if rows < op.dims[0] else 0, 0, depth if depth < steps // 2 else 0, 0]
    order = [d for d in (2, 0) if sizes[d]]
    target, _ = b.tile(
        b.tagged(nest, _CONTRACTION), sizes, [*order, *(d for d in range(4) if d not in order)]
    )
    b.tile(target, [0, 0, 1, 0])


def _vectorise(b: ScheduleBuilder, nest: Handle, unroll: int, *, has_fill: bool) -> None:
    b.patterns(nest, FOLD_UNIT_DIMS)
    op = b.with_iterators(nest, ("parallel", "parallel", "reduction"))
    loop = b.parent_loop(op)
    b.vectorize(op)
    if has_fill:
        row, _ = b.tile(b.match(nest, "linalg.fill"), [1, LANES])
        b.vectorize(row)
    b.patterns(nest, REDUCTIONS_TO_CONTRACTS)
    # The widening casts stand between the broadcasts and the contraction.
    b.patterns(nest, ("vector.fold_arith_extension",))
    b.patterns(nest, REDUCTIONS_TO_CONTRACTS)
    b.tidy(nest)
    b.licm(loop)
    b.hoist_accumulators(loop)
    if unroll > 1:
        b.unroll(loop, unroll)
    b.tidy(nest)
