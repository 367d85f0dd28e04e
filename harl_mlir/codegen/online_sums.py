"""Rows' sums of exponentials found with the rows' greatest elements, in one go (online).

A softmax goes through its rows for their greatest elements, then for exp(x - greatest) and the sums of these.
In an `scf.forall` over rows that a schedule marks with `harl.online`, a chunk of the row is gone through for
both, the second time out of the nearest cache: each lane has a greatest element of its own so far, and the
sum of the chunks before is multiplied by exp(before - now) where that grows (Milakov and Gimelshein, Online
normalizer calculation for softmax, 2018, arXiv 1805.02867). Exponentials that are kept are relative to what
the greatest element was in their chunk, which is kept too; the loop that divides them by the sum multiplies
them by exp(then - greatest) / sum instead.

What vectors leave over at the end of a row is done after it, as without it: the greatest element is known
then.
Rows with infinities and NaNs come out as without it. `passes/lib/OnlineSums.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.codegen.online_loops import (
    Chunks,
    Reader,
    division_of,
    exp_of,
    may_stand,
    of_two,
    readers_of,
    spread_anew,
    stands,
)
from harl_mlir.codegen.row_loops import (
    is_same,
    only_result,
    other_operand,
    reduced_to,
    same_steps,
    splat,
    spread_from,
)
from harl_mlir.codegen.row_pieces import before_at, carry_whole_rows, ranges_of
from harl_mlir.frontend.program import ONLINE, all_ops, made_by
from harl_mlir.mlir import arith, ir, scf

_OEQ = 1
_GREATEST = "arith.maximumf"


@dataclass(frozen=True)
class _Sum:
    """A row's sum of exp(element - greatest), and what it is found with.

    Attributes:
        loop: adds the exponentials up.
        most: the loop that finds the greatest elements.
        greatest: what is subtracted, in each lane.
        written: the loop that keeps the exponentials, if they are kept, and its write.
        readers: the loops that divide what is kept by the sum.
    """

    loop: ir.Operation
    most: ir.Operation
    greatest: ir.Value
    written: tuple[ir.Operation, ir.Operation] | None
    readers: tuple[Reader, ...]


def online_sums(module: ir.Module) -> None:
    """Join, in place, the loops of marked rows that find greatest elements and sums; take the marks away."""
    found = [op for op in all_ops(module.operation) if op.name == "scf.forall" and ONLINE in op.attributes]
    for forall in found:
        elements = int(ir.IntegerAttr(forall.attributes[ONLINE]).value)
        del forall.attributes[ONLINE]
        carry_whole_rows(forall.regions[0].blocks[0])
        while _join_one(forall.regions[0].blocks[0], elements):
            pass


def _join_one(block: ir.Block, elements: int) -> bool:
    """Join the first loops that can be; returns whether there were any."""
    for loop in [op.operation for op in block.operations]:
        found = _sum_of(loop) if loop.name == "scf.for" else None
        chunks = None if found is None or not _may_join(found) else Chunks.of(found.most, elements)
        if found is not None and chunks is not None:
            _join(found, chunks)
            return True
    return False


def _sum_of(loop: ir.Operation) -> _Sum | None:
    adding, before = only_result(loop)
    if adding is None or adding.name != "arith.addf" or splat(loop.operands[3]) != 0:
        return None
    element = other_operand(adding, before)
    if element is None or len(list(loop.regions[0].blocks[0].arguments[1].uses)) != 1:
        return None
    written, readers, within = None, tuple[Reader, ...](), loop
    read = made_by(element, "vector.transfer_read")
    writer = None if read is None else _writer_of(read)
    if writer is not None and read is not None:
        kept = readers_of(writer, without=read)
        if kept is None or not same_steps(writer, loop):
            return None
        write, readers = kept
        if not all(division_of(reader.read, loop.results[0]) for reader in readers):
            return None
        written, within, element = (writer, write), writer, write.operands[0]
    power = made_by(element, "math.exp")
    less = None if power is None else made_by(power.operands[0], "arith.subf")
    if power is None or less is None or {power.block, less.block} != {within.regions[0].blocks[0]}:
        return None
    most = _greatest(less.operands[1], less.operands[0], within)
    return None if most is None else _Sum(loop, most, less.operands[1], written, readers)


def _writer_of(read: ir.Operation) -> ir.Operation | None:
    """The loop that writes what is read, which other ops may have written beside since."""
    place = ranges_of(read)
    return None if place is None else made_by(before_at(read.operands[0], place), "scf.for")


def _greatest(wanted: ir.Value, element: ir.Value, within: ir.Operation) -> ir.Operation | None:
    """The loop that finds the greatest of these elements, of which each row of `wanted` is full."""
    kept = spread_from(wanted)
    for value in [] if kept is None else reduced_to(kept, _GREATEST):
        loop = made_by(value, "scf.for")
        keeping, before = only_result(loop) if loop is not None else (None, None)
        if loop is None or keeping is None or keeping.name != _GREATEST or not same_steps(loop, within):
            continue
        found = other_operand(keeping, before)
        steps = [each.regions[0].blocks[0].arguments[0] for each in (loop, within)]
        if (
            splat(loop.operands[3]) == float("-inf")
            and found is not None
            and is_same(found, element, {steps[0]: steps[1]})
        ):
            return loop
    return None


def _may_join(found: _Sum) -> bool:
    """Whether what is needed to write the exponentials is known where the greatest elements are found."""
    if found.written is None:
        return True
    writer, write = found.written
    own = writer.regions[0].blocks[0].arguments[0]
    needed = [writer.operands[3], *list(write.operands)[2:]]
    return all(value == own or may_stand(value, found.most) for value in needed)


def _join(found: _Sum, chunks: Chunks) -> None:
    """Make one loop of those that find the greatest elements and the sums, and write the exponentials."""
    most, start = found.most, found.loop.operands[3]
    kept: list[ir.Value] = []
    if found.written is not None:
        writer, write = found.written
        for value in [writer.operands[3], *list(write.operands)[2:]]:
            _move_up(value, most)
    with ir.InsertionPoint(most), most.location:
        zero = arith.ConstantOp(start.type, ir.DenseElementsAttr.get_splat(start.type, _number(start, 0.0)))
        if found.written is not None:
            kept = [found.written[0].operands[3], chunks.empty(start.type)]
        below = [most.operands[3], zero.result, *kept]
        made = scf.ForOp(chunks.lower, chunks.upper, chunks.step, below)
    with ir.InsertionPoint(made.body), most.location:
        scf.YieldOp(_step(found, chunks, made.body.arguments))
    with ir.InsertionPoint(found.loop), found.loop.location:
        wanted = spread_anew(found.greatest)
        factor = exp_of(of_two("subf", made.results[0], wanted))
        total = of_two("mulf", made.results[1], factor)
    found.loop.results[0].replace_all_uses_with(total)
    found.loop.erase()
    if found.written is not None:
        found.written[0].results[0].replace_all_uses_with(made.results[2])
    for reader in found.readers:
        chunks.scale(reader, found.greatest, total, made.results[3])
    most.results[0].replace_all_uses_with(made.results[0])
    most.erase()
    if found.written is not None:
        found.written[0].erase()


def _move_up(value: ir.Value, before: ir.Operation) -> None:
    """Have what makes a value stand before an op of its block; it may."""
    maker = None if isinstance(value.owner, ir.Block) else value.owner.operation
    if maker is not None and maker.block == before.block and not stands(maker, before):
        maker.move_before(before)


def _number(like: ir.Value, number: float) -> ir.Attribute:
    return ir.FloatAttr.get(ir.ShapedType(like.type).element_type, number)


def _step(found: _Sum, chunks: Chunks, carried: Sequence[ir.Value]) -> list[ir.Value]:
    """A chunk's share of all that is carried: the greatest elements, the sums, and what is kept, at the
    insertion point."""
    first, before, total, *kept = carried
    end = chunks.end(first)
    finding = scf.ForOp(first, end, chunks.inner, [before])
    with ir.InsertionPoint(finding.body):
        element = _element(found.most, finding.body.arguments[0])
        scf.YieldOp([of_two("maximumf", element, finding.body.arguments[1])])
    now = finding.results[0]
    # Of infinities alone: exp(x - 0) is zero, and exp(x - x) were no number.
    lowest, zero = (
        arith.ConstantOp(now.type, ir.DenseElementsAttr.get_splat(now.type, _number(now, number))).result
        for number in (float("-inf"), 0.0)
    )
    base = arith.SelectOp(arith.CmpFOp(_OEQ, now, lowest).result, zero, now).result
    total = of_two("mulf", total, exp_of(of_two("subf", before, base)))
    adding = scf.ForOp(first, end, chunks.inner, [total, *kept[:1]])
    with ir.InsertionPoint(adding.body):
        number, sums, *tensors = adding.body.arguments
        power = exp_of(of_two("subf", _element(found.most, number), base))
        results = [of_two("addf", power, sums)]
        if found.written is not None:
            writer, write = found.written
            own = writer.regions[0].blocks[0].arguments[0]
            copy = write.clone()
            copy.operands[0], copy.operands[1] = power, tensors[0]
            for place, index in enumerate(list(write.operands)[2:], 2):
                copy.operands[place] = number if index == own else index
            results.append(copy.results[0])
        scf.YieldOp(results)
    bases = [chunks.put(now, kept[1], first)] if kept else []
    return [now, *adding.results, *bases]


def _element(loop: ir.Operation, number: ir.Value) -> ir.Value:
    """The element of which `loop` finds the greatest, anew for another number, at the insertion point."""
    keeping, before = only_result(loop)
    element = None if keeping is None else other_operand(keeping, before)
    assert element is not None
    block = loop.regions[0].blocks[0]
    values = {block.arguments[0]: number}
    for op in list(block.operations)[:-1]:
        if op.operation != keeping:
            copy = op.operation.clone()
            for place, value in enumerate(copy.operands):
                copy.operands[place] = values.get(value, value)
            values.update(zip(op.results, copy.results, strict=True))
    return values.get(element, element)
