"""The loop nests of row operations, seen as one nest over the rows and along them.

Every op goes along the row by a loop of its own; in the nest all of them are one statement, of which each op
has its operands. What passes from op to op along the row lies in a buffer of a row.
"""

from __future__ import annotations

import numpy as np

from harl_mlir.processor import Processor
from harl_mlir.space.loop_nests import Access, Columns, Ints, Nests, NestsOf, Part, Statement, nests
from harl_mlir.space.sketches.statements import operations_of
from harl_mlir.tasks.rows import Rows
from harl_mlir.tasks.task import Member, Task, element_bytes


def row_nests(task: Task, rows: Rows, stepped: int, lanes: int, processor: Processor) -> NestsOf | None:
    """Nests of a row operation, several rows along the dimension `stepped` at a time.

    A `chunk` of the row is a loop of its own, of whole vectors. None where the anchor does not go along rows.
    """
    along = len(rows.counts)
    if task.anchor_op.dims != (*rows.counts, rows.length):
        return None
    statement = Statement(
        dims=task.anchor_op.dims,
        reductions=task.anchor_op.reduction_dims,
        accesses=tuple(access for member in task.members for access in _accesses(task, member, along)),
        vector=along,
        lanes=lanes,
        operations=operations_of(task),
        processor=processor,
    )

    def of(columns: Columns) -> Nests:
        steps: list[Ints | int] = [columns["rows"] if d == stepped else 1 for d in range(along)]
        width: Ints = columns["width"]
        chunk = columns.get("chunk", np.zeros_like(width))
        chunks = np.where(chunk > 0, np.maximum(chunk // width, 1) * width, rows.length)
        return nests(statement, [*range(along), along, along], [*steps, chunks, width], 1, len(width))

    return of


def _accesses(task: Task, member: Member, along: int) -> list[Access]:
    """What an op reads and leaves in memory, and the rows that other ops made for it."""
    found: list[Access] = []
    loops = len(task.anchor_op.dims)
    for place, (operand, source) in enumerate(zip(member.op.operands, member.sources, strict=True)):
        is_init = place == len(member.op.operands) - 1
        is_result = is_init and member is task.root
        if not operand.map or (is_init and not is_result and not member.op.reads_init):
            continue
        map_ = tuple((*row[:-1], *[0] * (loops - len(row) + 1), row[-1]) for row in operand.map)
        moves = any(row[along] for row in map_)
        shape = operand.shape
        if source.kind == "member" and not is_result:
            if not moves or is_init:
                continue
            kept = [d for d, row in enumerate(map_) if row[along]]
            shape, map_ = tuple(shape[d] for d in kept), tuple(map_[d] for d in kept)
        elif source.kind == "constant" and not is_result:
            continue
        part: Part = "result" if is_result else "vector" if moves else "broadcast"
        found.append(Access(shape, element_bytes(operand.element), map_, part))
    return found
