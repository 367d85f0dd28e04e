"""Chains: products and row operations on their results that share the loops over rows.

An attention is one: the scores are a product, a softmax goes along their rows, and another product sums
over these. Done for a block of rows at a time, the scores need not go through memory.

A chain is looked at from its root. The root's loops over rows are common to all members: each is a loop
of its own, a dimension of the result, in whatever makes an operand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harl_mlir.tasks.contraction import is_multiply_add
from harl_mlir.tasks.linalg_op import LinalgOp, Operand, is_leading, plain_loop
from harl_mlir.tasks.rows import common_rows, rows_of
from harl_mlir.tasks.subtask import subtask
from harl_mlir.tasks.task import Task

Links = Sequence[Mapping[int, int]]
"""For each op, by operand number, the op that makes the operand."""

_ELEMENTS = frozenset({"f32", "f64"})


@dataclass(frozen=True)
class Part:
    """Members of a chain that are scheduled together, in program order, and the one that decides how."""

    members: tuple[int, ...]
    anchor: int

    @property
    def root(self) -> int:
        """The member whose result leaves the part."""
        return self.members[-1]


@dataclass(frozen=True)
class Chain:
    """The common loops of a chain and its parts.

    Attributes:
        row: the root's loop over rows, of which blocks are done together.
        batch: its other common loops of more than one step.
        loops: for each member its own loop for each of these, by the root's.
        parts: in program order.
    """

    row: int
    batch: tuple[int, ...]
    loops: tuple[Mapping[int, int], ...]
    parts: tuple[Part, ...]


def is_product(op: LinalgOp) -> bool:
    """Whether it is a product of two tensors with plain loops, each of which has one to itself."""
    if not op.reduction_dims or not is_multiply_add(op) or not _is_plain(op):
        return False
    alone = [[d for d in op.parallel_dims if op.dims[d] > 1 and _is_row(op, d, i)] for i in (0, 1)]
    return all(alone)


def chain_of(ops: Sequence[LinalgOp], links: Links) -> Chain | None:
    """The chain that `ops` make, in program order and the last one its root; None where they make none."""
    products = [op for op in ops if is_product(op)]
    reducing = [op for op in ops if op.reduction_dims and not is_product(op)]
    if not products or not reducing or any(rows_of(op) is None for op in reducing):
        return None
    if not all(op.is_fill or _is_plain(op) for op in ops):
        return None
    loops = _common_loops(ops, links)
    common = [d for d in loops[-1] if ops[-1].dims[d] > 1 and all(d in of for of in loops)]
    numbers = [i for i, op in enumerate(ops) if is_product(op)]
    rows = [d for d in common if all(_is_row(ops[i], loops[i][d]) for i in numbers)]
    if not rows:
        return None
    row = max(rows, key=lambda d: loops[numbers[0]][d])
    return Chain(row, tuple(d for d in common if d != row), loops, _parts(ops, links))


def chain_of_task(task: Task) -> Chain | None:
    """The chain that a task is, or None."""
    links = [
        {number: source.index for number, source in enumerate(member.sources) if source.kind == "member"}
        for member in task.members
    ]
    if task.results != (len(task.members) - 1,):
        return None
    return chain_of([member.op for member in task.members], links)


def cuts_of(task: Task, chain: Chain, block: int) -> dict[int, int]:
    """Into how many parts dimensions of the result are cut for `block` rows of a batch; 0: for all rows."""
    op = task.root.op
    if not block:
        return {op.result_loops.index(chain.row): 1}
    parts = {chain.row: op.dims[chain.row] // block, **{d: op.dims[d] for d in chain.batch}}
    return {op.result_loops.index(loop): count for loop, count in parts.items() if count > 1}


def task_of(task: Task, part: Part) -> Task:
    """A part of a chain as a task of its own."""
    return subtask(task, part.members, part.anchor)


def _common_loops(ops: Sequence[LinalgOp], links: Links) -> tuple[dict[int, int], ...]:
    """For each op its loop for each parallel loop of the last, as far as all that use it agree."""
    found: list[dict[int, int] | None] = [None] * len(ops)
    found[-1] = {d: d for d in ops[-1].parallel_dims}
    # Consumers come after producers.
    for consumer in range(len(ops) - 1, -1, -1):
        loops = found[consumer] or {}
        for number, producer in links[consumer].items():
            passed = _passed(loops, ops[consumer].operands[number], ops[producer])
            known = found[producer]
            found[producer] = (
                passed if known is None else {d: k for d, k in known.items() if passed.get(d) == k}
            )
    return tuple(loops or {} for loops in found)


def _passed(loops: Mapping[int, int], operand: Operand, producer: LinalgOp) -> dict[int, int]:
    """The loops of `producer` that step through the dimensions in which an operand moves with `loops`."""
    passed: dict[int, int] = {}
    for root, loop in loops.items():
        moved = [i for i, row in enumerate(operand.map) if row[loop]]
        if len(moved) == 1 and plain_loop(operand.map[moved[0]]) == loop:
            passed[root] = producer.result_loops[moved[0]]
    return passed


def _is_row(product: LinalgOp, loop: int, operand: int | None = None) -> bool:
    """Whether a loop moves in one operand of a product alone, or in this one alone."""
    moved = [i for i, each in enumerate(product.inputs) if any(row[loop] for row in each.map)]
    return len(moved) == 1 and operand in (None, *moved)


def _is_plain(op: LinalgOp) -> bool:
    """Whether all is floating-point, each dimension a loop of its own, and the body reads no loop number."""
    return all(operand.element in _ELEMENTS and _has_plain_map(operand) for operand in op.operands) and not (
        any(body.name == "linalg.index" for body in op.body)
    )


def _has_plain_map(operand: Operand) -> bool:
    loops = [plain_loop(row) for row in operand.map]
    return None not in loops and len(set(loops)) == len(loops)


def _parts(ops: Sequence[LinalgOp], links: Links) -> tuple[Part, ...]:
    """Products with what follows each, row operations, and what is left, each with its fills."""
    uses: list[list[tuple[int, int]]] = [[] for _ in ops]
    for consumer, made in enumerate(links):
        for number, producer in made.items():
            uses[producer].append((consumer, number))
    parts: list[Part] = []
    taken = {i for i, op in enumerate(ops) if op.is_fill}
    for anchor in reversed(range(len(ops))):
        if is_product(ops[anchor]):
            followed = _followed(ops, uses, anchor, taken)
            taken.update(followed)
            parts.append(_with_fills(ops, links, followed, anchor))
    for root in reversed(range(len(ops))):
        if root in taken:
            continue
        inside = {root}
        for producer in range(root - 1, -1, -1):
            users = {consumer for consumer, _ in uses[producer]}
            if producer not in taken and users and users <= inside:
                inside.add(producer)
        if common_rows(ops[i] for i in inside) is None:
            inside = {root}
        taken |= inside
        reducing = [i for i in inside if ops[i].reduction_dims]
        parts.append(_with_fills(ops, links, sorted(inside), max(reducing, default=root)))
    return tuple(sorted(parts, key=lambda part: part.root))


def _followed(
    ops: Sequence[LinalgOp], uses: Sequence[Sequence[tuple[int, int]]], start: int, taken: set[int]
) -> list[int]:
    """`start` and the elementwise ops that follow it, each the only use of the one before."""
    chain = [start]
    while len(uses[chain[-1]]) == 1:
        [(consumer, number)] = uses[chain[-1]]
        op = ops[consumer]
        identity = is_leading(op.operands[number], len(op.dims)) and is_leading(op.init, len(op.dims))
        if consumer in taken or op.reduction_dims or not identity:
            break
        chain.append(consumer)
    return chain


def _with_fills(ops: Sequence[LinalgOp], links: Links, members: Sequence[int], anchor: int) -> Part:
    fills = {producer for member in members for producer in links[member].values() if ops[producer].is_fill}
    return Part(tuple(sorted({*fills, *members})), anchor)
