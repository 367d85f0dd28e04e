"""Steps of a loop as lanes of vectors, where what they read lies some elements apart in memory.

MLIR vectorises reads of neighbours only. A window op with a stride along the contiguous dimension is
scheduled one element at a time, and its innermost loop marked with the number of steps to do at once
(`harl.lanes`). Elements that are two to four apart are taken here from whole registers, read as they lie.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.codegen.buffer_views import root_of
from harl_mlir.codegen.lane_accesses import (
    READS,
    SAME,
    WRITES,
    Access,
    Group,
    accesses_of,
    groups_of,
    is_index,
)
from harl_mlir.codegen.linear import linear
from harl_mlir.codegen.vectors import ANY_LANE, make, shuffle, vector_type
from harl_mlir.frontend.program import LANES, all_ops
from harl_mlir.mlir import arith, ir, scf


def vectorise_lanes(module: ir.Module) -> int:
    """Vectorise the marked loops of a bufferized module; returns how many.

    A loop that holds anything else than arithmetic, reads and writes of elements is left as it is.
    """
    count = 0
    # The inner first: an outer one is erased with what it holds.
    marked = [op for op in all_ops(module.operation) if op.name == "scf.for" and LANES in op.attributes]
    for op in reversed(marked):
        wanted = ir.IntegerAttr(op.attributes[LANES]).value
        del op.attributes[LANES]
        loop = op.opview
        steps = _steps(loop)
        if steps is None or wanted < 2 or steps < 2:
            continue
        accesses = accesses_of(loop)
        if accesses is not None:
            _replace(loop, steps, min(wanted, steps), accesses)
            count += 1
    return count


def _steps(loop: scf.ForOp) -> int | None:
    """The number of steps of a loop by one from zero that carries no values."""
    bounds = [linear(value) for value in (loop.lowerBound, loop.upperBound, loop.step)]
    if len(loop.results) or any(bound.factors for bound in bounds):
        return None
    low, high, step = (bound.constant for bound in bounds)
    return high if low == 0 and step == 1 else None


def _replace(loop: scf.ForOp, steps: int, lanes: int, accesses: Sequence[Access]) -> None:
    """Whole vectors, then what is left; that overlaps with the last of them where no harm comes of it."""
    written = {root_of(access.buffer) for access in accesses if access.writes}
    updates = any(root_of(access.buffer) in written for access in accesses if not access.writes)
    rest = steps % lanes
    with ir.InsertionPoint(loop), loop.location:
        index = ir.IndexType.get()
        if steps > rest:
            step, end = arith.constant(index, lanes), arith.constant(index, steps - rest)
            whole = scf.ForOp(arith.constant(index, 0), end, step)
            with ir.InsertionPoint(whole.body):
                _Lanes(lanes, accesses).body(loop, whole.induction_variable)
                scf.YieldOp([])
        if rest:
            left = rest if updates else lanes
            _Lanes(left, accesses).body(loop, arith.constant(index, steps - left))
    loop.operation.erase()


class _Lanes:
    """Writes the body of a loop for `count` steps at once."""

    def __init__(self, count: int, accesses: Sequence[Access]) -> None:
        self._count = count
        self._reads = {access.op: access for access in accesses}
        self._groups = groups_of(accesses)
        self._new: dict[ir.Value, ir.Value] = {}
        self._registers: dict[ir.Operation, list[tuple[int, ir.Value]]] = {}

    def body(self, loop: scf.ForOp, first: ir.Value) -> None:
        """All ops of the loop at the current place, for the steps from `first` on."""
        self._new[loop.induction_variable] = first
        self._block(loop.body)

    def _block(self, block: ir.Block) -> None:
        for view in block.operations:
            op = view.operation
            if op.name == "scf.yield":
                continue
            if op.name == "scf.for":
                self._inner_loop(op)
            elif is_index(op):
                clone = op.clone()
                for number, operand in enumerate(op.operands):
                    clone.operands[number] = self._index(operand)
                self._new[op.results[0]] = clone.results[0]
            elif op.name in READS:
                self._new[op.results[0]] = self._read(op)
            elif op.name in WRITES:
                value, buffer, *rest = op.operands
                indices = [self._index(index) for index in rest[: ir.MemRefType(buffer.type).rank]]
                ir.Operation.create("vector.store", operands=[self._value(value), buffer, *indices])
            elif op.name in SAME:
                self._new[op.results[0]] = self._value(op.operands[0])
            else:
                attributes = {name: op.attributes[name] for name in op.attributes}
                self._new[op.results[0]] = self._arithmetic(op, attributes)

    def _arithmetic(self, op: ir.Operation, attributes: dict[str, ir.Attribute]) -> ir.Value:
        if op.name == "arith.constant":
            return self._spread(op.clone().results[0])
        operands = [self._value(operand) for operand in op.operands]
        kind = vector_type(self._count, _element(op.results[0].type))
        return make(op.name, operands, kind, **attributes)

    def _inner_loop(self, op: ir.Operation) -> None:
        low, high, step, *starts = op.operands
        bounds = [self._index(value) for value in (low, high, step)]
        made = scf.ForOp(*bounds, [self._value(start) for start in starts])
        block = op.regions[0].blocks[0]
        for old, new in zip(block.arguments, made.body.arguments, strict=True):
            self._new[old] = new
        with ir.InsertionPoint(made.body):
            self._block(block)
            end = list(block.operations)[-1].operation
            scf.YieldOp([self._value(value) for value in end.operands])
        for result, new in zip(op.results, made.results, strict=True):
            self._new[result] = new

    def _index(self, value: ir.Value) -> ir.Value:
        return self._new.get(value, value)

    def _value(self, value: ir.Value) -> ir.Value:
        """A vector of an element that is computed in each step, or is the same in all."""
        found = self._new.get(value)
        return self._spread(value) if found is None else found

    def _spread(self, value: ir.Value) -> ir.Value:
        return make("vector.broadcast", [value], vector_type(self._count, _element(value.type)))

    def _read(self, op: ir.Operation) -> ir.Value:
        access = self._reads[op]
        indices = [self._index(index) for index in list(op.operands)[1 : 1 + len(access.indices)]]
        kind = vector_type(self._count, _element(op.results[0].type))
        match access.stride:
            case 0:
                one = make("memref.load", [access.buffer, *indices], kind.element_type)
                return make("vector.broadcast", [one], kind)
            case 1:
                return make("vector.load", [access.buffer, *indices], kind)
        group = self._groups[op]
        if group.first not in self._registers:
            self._registers[group.first] = self._load(group, access.buffer, indices, group.offsets[op], kind)
        return self._picked(self._registers[group.first], group.offsets[op], group.stride)

    def _load(
        self, group: Group, buffer: ir.Value, indices: list[ir.Value], offset: int, kind: ir.VectorType
    ) -> list[tuple[int, ir.Value]]:
        """Registers with all that a group reads, and where they begin; `indices` are those of `offset`."""
        extent = max(group.offsets.values()) + group.stride * (self._count - 1) + 1
        found: list[tuple[int, ir.Value]] = []
        for start in range(0, extent, self._count):
            # What lies beyond the last element may be no part of the buffer.
            begin = min(start, extent - self._count)
            moved = arith.constant(ir.IndexType.get(), begin - offset)
            place = [*indices[:-1], arith.AddIOp(indices[-1], moved).result]
            found.append((begin, make("vector.load", [buffer, *place], kind)))
        return found

    def _picked(self, registers: Sequence[tuple[int, ir.Value]], offset: int, stride: int) -> ir.Value:
        """Every `stride`-th element from `offset` on."""
        count = self._count
        wanted = [offset + stride * lane for lane in range(count)]
        held = [next(n for n, (start, _) in enumerate(registers) if at < start + count) for at in wanted]
        (begin, made), *others = registers
        lanes = [at - begin if n == 0 else ANY_LANE for at, n in zip(wanted, held, strict=True)]
        for number, (start, register) in enumerate(others, 1):
            own = [count + at - start if n == number else -1 for at, n in zip(wanted, held, strict=True)]
            made = shuffle(made, register, [max(both) for both in zip(lanes, own, strict=True)])
            lanes = [lane if n <= number else ANY_LANE for lane, n in zip(range(count), held, strict=True)]
        return made


def _element(kind: ir.Type) -> ir.Type:
    return ir.VectorType(kind).element_type if isinstance(kind, ir.VectorType) else kind
