"""What `online_sums` makes loops over chunks of rows of, and the loops that read what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.codegen.row_loops import reduced_to, same_steps, splat, spread_from
from harl_mlir.codegen.row_pieces import Ranges, are_apart, ranges_of, touched
from harl_mlir.codegen.tensor_places import is_plain
from harl_mlir.codegen.vectors import make
from harl_mlir.frontend.program import made_by
from harl_mlir.mlir import arith, ir, scf

_READ, _WRITE = "vector.transfer_read", "vector.transfer_write"
_SPREADING = ("vector.broadcast", "vector.transpose", "vector.shape_cast")


def of_two(name: str, one: ir.Value, other: ir.Value) -> ir.Value:
    """An `arith` op of two operands of its result's type, at the insertion point."""
    return make(f"arith.{name}", [one, other], one.type)


def exp_of(value: ir.Value) -> ir.Value:
    """The exponential, at the insertion point."""
    return make("math.exp", [value], value.type)


@dataclass(frozen=True)
class Reader:
    """A loop that reads kept vectors, once a step, where they were written."""

    loop: ir.Operation
    read: ir.Operation


@dataclass(frozen=True)
class Chunks:
    """A loop's way cut into chunks: `count` of `size` numbers, the last perhaps shorter."""

    lower: ir.Value
    upper: ir.Value
    inner: ir.Value
    step: ir.Value
    size: int
    first: int
    count: int
    whole: bool

    @staticmethod
    def of(loop: ir.Operation, elements: int) -> Chunks | None:
        """Chunks of about so many elements; None where there is one only, or nothing is known of the loop."""
        lower, upper, inner = list(loop.operands)[:3]
        first, last, step = splat(lower), splat(upper), splat(inner)
        if not isinstance(first, int) or not isinstance(last, int) or not isinstance(step, int):
            return None
        size = max(elements // step, 1) * step
        if size >= last - first:
            return None
        with ir.InsertionPoint(loop), loop.location:
            made = arith.ConstantOp(ir.IndexType.get(), size).result
        count, rest = -(-(last - first) // size), (last - first) % size
        return Chunks(lower, upper, inner, made, size, first, count, not rest)

    def end(self, first: ir.Value) -> ir.Value:
        """Where the chunk from `first` on ends."""
        end = of_two("addi", first, self.step)
        return end if self.whole else of_two("minsi", end, self.upper)

    def empty(self, vector: ir.VectorType) -> ir.Value:
        """A tensor of a vector for each chunk."""
        kind = ir.RankedTensorType.get([self.count, *vector.shape], vector.element_type)
        return make("tensor.empty", [], kind)

    def _place(self, vector: ir.VectorType, first: ir.Value) -> list[ir.Value]:
        zero = arith.ConstantOp(ir.IndexType.get(), 0).result
        begin = first if self.first == 0 else of_two("subi", first, self.lower)
        return [of_two("divui", begin, self.step), *[zero] * vector.rank]

    def put(self, vector: ir.Value, into: ir.Value, first: ir.Value) -> ir.Value:
        """Put a vector into a tensor as that of the chunk from `first` on."""
        place = self._place(vector.type, first)
        operands = [vector, into, *place]
        return make(_WRITE, operands, into.type, **_transfer(vector.type, [1, 1, len(place), 0]))

    def get(self, kind: ir.VectorType, tensor_: ir.Value, first: ir.Value) -> ir.Value:
        """The vector of the chunk from `first` on."""
        poison = make("ub.poison", [], kind.element_type, value=ir.Attribute.parse("#ub.poison"))
        place = self._place(kind, first)
        return make(_READ, [tensor_, *place, poison], kind, **_transfer(kind, [1, len(place), 1, 0]))

    def scale(self, reader: Reader, greatest: ir.Value, total: ir.Value, bases: ir.Value) -> None:
        """Have `reader` multiply what it takes to be relative to `greatest`.

        `total` are the sums of the lanes, `bases` what each chunk is relative to.
        """
        loop, read = reader.loop, reader.read
        old = loop.regions[0].blocks[0]
        kind = ir.VectorType(read.results[0].type)
        dividing = division_of(read, total)
        assert dividing is not None
        with ir.InsertionPoint(loop), loop.location:
            wanted = spread_anew(greatest)
            by = spread_anew(dividing.operands[1])
            made = scf.ForOp(self.lower, self.upper, self.step, list(loop.operands)[3:])
        with ir.InsertionPoint(made.body), loop.location:
            first, *carried = made.body.arguments
            power = exp_of(of_two("subf", self.get(kind, bases, first), wanted))
            factor = of_two("divf", power, by)
            inner = scf.ForOp(first, self.end(first), self.inner, carried)
            scf.YieldOp(list(inner.results))
        for name in loop.attributes:
            inner.operation.attributes[name] = loop.attributes[name]
        values = dict(zip(old.arguments, inner.body.arguments, strict=True))
        with ir.InsertionPoint(inner.body):
            for op in [each.operation for each in old.operations]:
                if op == dividing:
                    values[op.results[0]] = values[read.results[0]]
                    continue
                copy = op.clone()
                for place, value in enumerate(copy.operands):
                    copy.operands[place] = values.get(value, value)
                values.update(zip(op.results, copy.results, strict=True))
                if op == read:
                    values[op.results[0]] = of_two("mulf", copy.results[0], factor)
        for result, new in zip(loop.results, made.results, strict=True):
            result.replace_all_uses_with(new)
        loop.erase()


def _transfer(kind: ir.VectorType, segments: Sequence[int]) -> dict[str, ir.Attribute]:
    """The attributes of a transfer of a whole vector, the last dimensions of a tensor of one more."""
    rank = kind.rank
    return {
        "permutation_map": ir.AffineMapAttr.get(ir.AffineMap.get_minor_identity(rank + 1, rank)),
        "in_bounds": ir.ArrayAttr.get([ir.BoolAttr.get(True)] * rank),
        "operandSegmentSizes": ir.DenseI32ArrayAttr.get(list(segments)),
    }


def division_of(read: ir.Operation, total: ir.Value) -> ir.Operation | None:
    """What divides all that is read by the rows' sums, and alone uses it; `total` are those of the lanes."""
    uses = list(read.results[0].uses)
    op = uses[0].owner.operation if len(uses) == 1 else None
    if op is None or op.name != "arith.divf" or op.block != read.block or uses[0].operand_number:
        return None
    sums = spread_from(op.operands[1])
    return op if sums is not None and total in reduced_to(sums, "arith.addf") else None


def readers_of(writer: ir.Operation, without: ir.Operation) -> tuple[ir.Operation, tuple[Reader, ...]] | None:
    """The write of a loop that writes vectors apart from one another, and the loops that read them.

    None where anything else is done with what is written, or it is read in other steps. The read `without`
    must be such, too, and is left out. What is read and written beside is of no concern.
    """
    block = writer.regions[0].blocks[0]
    if len(writer.results) != 1 or len(list(block.arguments[1].uses)) != 1:
        return None
    write = made_by(list(block.operations)[-1].operands[0], _WRITE)
    if write is None or write.block != block or write.operands[1] != block.arguments[1]:
        return None
    vector, _, *place = write.operands
    step, own = splat(writer.operands[2]), block.arguments[0]
    if place.count(own) != 1 or len(vector.type.shape) != len(place) or not is_plain(write):
        return None
    if not isinstance(step, int) or step < vector.type.shape[place.index(own)]:
        return None
    found: list[Reader] = []
    for use in _uses_of(writer.results[0], ranges_of(write)):
        reader = _reader(use, write)
        if reader is None:
            return None
        if reader.read != without:
            found.append(reader)
    loops = [reader.loop for reader in found]
    apart = len(set(loops)) == len(loops) and all(same_steps(loop, writer) for loop in loops)
    return (write, tuple(found)) if apart else None


def _uses_of(tensor: ir.Value, place: Ranges | None) -> list[ir.OpOperand]:
    """The uses of a tensor at a place, of the tensors, too, that differ from it elsewhere alone."""
    found: list[ir.OpOperand] = []
    tensors = [tensor]
    for value in tensors:
        for use in value.uses:
            other = None if place is None else touched(use)
            if place is None or other is None or not are_apart(place, other):
                found.append(use)
            elif use.operand_number == 1:
                tensors += list(use.owner.results)
    return found


def _reader(use: ir.OpOperand, write: ir.Operation) -> Reader | None:
    """The loop that reads what `write` wrote in its own, if it does nothing else with it."""
    user = use.owner.operation
    if user.name == "scf.for" and use.operand_number > 2:
        carried = user.regions[0].blocks[0].arguments[use.operand_number - 2]
        users = [other.owner.operation for other in carried.uses]
        reads = [other for other in users if other.name == _READ]
        alike = len(reads) == 1 and all(_is_at(each, write, user) for each in users)
        return Reader(user, reads[0]) if alike else None
    loop = user.block.owner.operation if user.name == _READ else None
    if loop is None or loop.name != "scf.for" or not _is_at(user, write, loop):
        return None
    return Reader(loop, user)


def _is_at(transfer: ir.Operation, write: ir.Operation, loop: ir.Operation) -> bool:
    """Whether a transfer in a loop is at the place where `write` wrote in its own, and alike."""
    if transfer.name not in (_READ, _WRITE) or transfer.block != loop.regions[0].blocks[0]:
        return False
    own, number = write.block.arguments[0], transfer.block.arguments[0]
    wanted = [number if index == own else index for index in list(write.operands)[2:]]
    if transfer.name == _READ:
        given, vector = list(transfer.operands)[1:-1], transfer.results[0]
    else:
        given, vector = list(transfer.operands)[2:], transfer.operands[0]
    return is_plain(transfer) and given == wanted and vector.type == write.operands[0].type


def spread_anew(value: ir.Value) -> ir.Value:
    """`value` spread again at the insertion point, from what it is spread from."""
    if isinstance(value.owner, ir.Block) or value.owner.name not in _SPREADING:
        return value
    source = spread_anew(value.owner.operands[0])
    copy = value.owner.operation.clone()
    copy.operands[0] = source
    return copy.results[0]


def stands(op: ir.Operation, before: ir.Operation) -> bool:
    """Whether an op stands before another of its block."""
    first = next(each.operation for each in op.block.operations if each.operation in (op, before))
    return bool(first == op)


def may_stand(value: ir.Value, before: ir.Operation) -> bool:
    """Whether a value from outside of a loop is known before an op of its block, or can be."""
    maker = None if isinstance(value.owner, ir.Block) else value.owner.operation
    if maker is None or maker.block != before.block or stands(maker, before):
        return True
    known = (
        isinstance(operand.owner, ir.Block)
        or operand.owner.operation.block != before.block
        or stands(operand.owner.operation, before)
        for operand in maker.operands
    )
    return maker.name in ("tensor.empty", "tensor.extract_slice", "arith.constant") and all(known)
