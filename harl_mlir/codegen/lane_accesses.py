"""What a step of a loop reads and writes, and whether steps may be done at once, in the lanes of vectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harl_mlir.codegen.buffer_views import root_of
from harl_mlir.codegen.linear import Linear, linear
from harl_mlir.mlir import ir, scf

FARTHEST = 4
"""Elements that are farther apart are not worth reading with what lies between."""
READS = ("vector.transfer_read", "memref.load")
WRITES = ("vector.transfer_write", "memref.store")
SAME = ("vector.extract", "vector.broadcast")
"""Of an element they make the element."""


@dataclass(frozen=True)
class Access:
    """One read or write of an element: the buffer, the indices, elements between those of two steps."""

    op: ir.Operation
    buffer: ir.Value
    indices: tuple[Linear, ...]
    stride: int
    writes: bool


@dataclass(frozen=True)
class Group:
    """Reads that take what they need from the same registers.

    `first` is the read of the lowest address; `offsets` the distances of all from it, less than the stride.
    """

    first: ir.Operation
    stride: int
    offsets: Mapping[ir.Operation, int]


def accesses_of(loop: scf.ForOp) -> list[Access] | None:
    """What is read and written, or None where a step is not done with vectors or not apart from others."""
    found: list[Access] = []
    for op in _inside(loop.body):
        if op.name in (*READS, *WRITES):
            access = _access(op, loop)
            if access is None:
                return None
            found.append(access)
        elif not (is_index(op) or _is_arithmetic(op) or _is_inner_loop(op, loop)):
            return None
    for number, access in enumerate(found):
        for other in found[:number] if access.writes else ():
            if root_of(other.buffer) == root_of(access.buffer) and not _is_same_place(other, access):
                return None
        for other in found[number + 1 :] if access.writes else ():
            if root_of(other.buffer) == root_of(access.buffer):
                return None
    return found


def _inside(block: ir.Block) -> Iterator[ir.Operation]:
    for op in block.operations:
        if op.operation.name == "scf.yield":
            continue
        yield op.operation
        if op.operation.name == "scf.for":
            yield from _inside(op.operation.regions[0].blocks[0])


def _access(op: ir.Operation, loop: scf.ForOp) -> Access | None:
    writes = op.name in WRITES
    operands = list(op.operands)
    value = operands[0] if writes else op.results[0]
    buffer = operands[1] if writes else operands[0]
    if not _is_element(value.type) or not isinstance(buffer.type, ir.MemRefType):
        return None
    kind = ir.MemRefType(buffer.type)
    given = operands[1 + writes :][: kind.rank]
    strides, _ = kind.get_strides_and_offset()
    if op.name.startswith("vector.") and len(operands) != kind.rank + 2:
        return None  # a mask
    indices = tuple(linear(index) for index in given)
    moved = [index.moves_with(loop.induction_variable) for index in indices]
    if (
        not moved
        or not all(_is_known(index, loop) for index in indices)
        or any(moved[:-1])
        or not 0 <= moved[-1] <= FARTHEST
        or (moved[-1] and strides[-1] != 1)
    ):
        return None
    if writes and moved[-1] != 1:
        return None
    return Access(op, buffer, indices, moved[-1], writes)


def is_index(op: ir.Operation) -> bool:
    """Whether it computes positions."""
    return bool(len(op.results)) and all(isinstance(result.type, ir.IndexType) for result in op.results)


def _is_arithmetic(op: ir.Operation) -> bool:
    """Whether it computes an element of elements, or passes one on; none of these has an effect."""
    return (
        (op.name in SAME or op.name.startswith(("arith.", "math.")))
        and len(op.results) == 1
        and all(_is_element(value.type) for value in (*op.operands, *op.results))
    )


def _is_element(kind: ir.Type) -> bool:
    """Whether it is a number, or a vector of no dimension; positions are no elements."""
    if isinstance(kind, ir.VectorType):
        return not kind.rank
    return not isinstance(kind, ir.IndexType)


def _is_inner_loop(op: ir.Operation, loop: scf.ForOp) -> bool:
    """Whether all lanes go through it alike."""
    if op.name != "scf.for":
        return False
    bounds = [linear(bound) for bound in list(op.operands)[:3]]
    return all(_is_known(b, loop) and not b.moves_with(loop.induction_variable) for b in bounds)


def _is_known(index: Linear, loop: scf.ForOp) -> bool:
    """Whether nothing in it moves with the loop, but its induction variable itself."""
    return all(_is_position(value) or not _is_made_in(value, loop) for value in index.factors)


def _is_position(value: ir.Value) -> bool:
    """Whether it is a loop's induction variable."""
    return isinstance(value, ir.BlockArgument) and value.arg_number == 0


def _is_made_in(value: ir.Value, loop: scf.ForOp) -> bool:
    around = value.owner.owner if isinstance(value, ir.BlockArgument) else value.owner.operation.parent
    while around is not None and around.operation != loop.operation:
        around = around.operation.parent
    return around is not None


def _is_same_place(read: Access, write: Access) -> bool:
    return not read.writes and read.buffer == write.buffer and read.indices == write.indices


def groups_of(accesses: Sequence[Access]) -> dict[ir.Operation, Group]:
    """The group of each read of elements that lie apart."""
    alike: list[list[Access]] = []
    for access in accesses:
        if access.writes or access.stride < 2:
            continue
        for others in alike:
            if _reads_beside(others[0], access):
                others.append(access)
                break
        else:
            alike.append([access])
    found: dict[ir.Operation, Group] = {}
    for reads in alike:
        by_place = sorted(reads, key=lambda read: read.indices[-1].constant)
        lowest = by_place[0].indices[-1].constant
        for number in {(r.indices[-1].constant - lowest) // r.stride for r in by_place}:
            members = [r for r in by_place if (r.indices[-1].constant - lowest) // r.stride == number]
            start = members[0].indices[-1].constant
            offsets = {r.op: r.indices[-1].constant - start for r in members}
            group = Group(members[0].op, members[0].stride, offsets)
            found.update((r.op, group) for r in members)
    return found


def _reads_beside(one: Access, other: Access) -> bool:
    """Whether two reads are as far from each other in every step."""
    return (
        one.buffer == other.buffer
        and one.op.block == other.op.block
        and one.indices[:-1] == other.indices[:-1]
        and one.indices[-1].differs_in_constant(other.indices[-1])
    )
