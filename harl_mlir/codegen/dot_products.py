"""Dot products of pairs of bf16 and of groups of four i8 by the processor's instructions.

A schedule leaves `C[n] += A[p] * B[n, p]`, for one group of steps `p`, as a `vector.contract`: of two bf16
into f32 (`vdpbf16ps` of AVX512-BF16) or of four i8 into i32 (`vpdpbusd` of AVX512-VNNI). LLVM makes no such
instruction of the widened products; where the processor has none the contraction is lowered as any other.

bf16: the instruction rounds each product's sum to f32, and takes denormals as zero.
i8: the instruction multiplies unsigned by signed numbers; see `unsigned_groups` for what is all signed.
"""

from __future__ import annotations

from collections.abc import Collection

from harl_mlir.codegen.group_contracts import SUMS, GroupContract, group_contracts
from harl_mlir.codegen.group_copies import group_copies
from harl_mlir.codegen.unsigned_groups import unsign_groups
from harl_mlir.codegen.vectors import (
    bitcast,
    extract,
    flattened,
    lanes_from,
    load_row,
    make,
    put_lanes,
    resized,
    row_of,
    splat,
    vector_type,
)
from harl_mlir.frontend.program import constant_number, made_by
from harl_mlir.mlir import arith, ir
from harl_mlir.processor import DOT_PRODUCTS

_LANES = 16
_INTRINSICS = {"bf16": "llvm.x86.avx512bf16.dpbf16ps.512", "i8": "llvm.x86.avx512.vpdpbusd.512"}


def dot_products(module: ir.Module, features: Collection[str], *, reassociate: bool = True) -> int:
    """Put the instructions in the place of contractions of groups, in place; returns how many.

    `features` are the processor's; sums of bf16 are rounded otherwise, which `reassociate` allows. The
    module is past the deallocation of buffers, which refuses calls of intrinsics.
    """
    wanted = {
        element
        for element, dot in DOT_PRODUCTS.items()
        if dot.feature in features and (reassociate or dot.total != "f32")
    }
    if not group_contracts(module, wanted):
        return 0
    group_copies(module)
    if "i8" in wanted:
        unsign_groups(module)
    # Only now: their operands may be others.
    found = [contract for contract in group_contracts(module, wanted) if not contract.is_signed]
    _widen_loops(found)
    lanes: dict[ir.Value, ir.Value] = {}
    for contract in found:
        with ir.InsertionPoint(contract.op), contract.op.location:
            contract.result.replace_all_uses_with(_dots(contract, lanes))
        contract.op.erase()
    return len(found)


def _widen_loops(found: list[GroupContract]) -> None:
    """Carry sums through the loops around contractions in whole registers: LLVM takes others apart."""
    loops: list[ir.Operation] = []
    for contract in found:
        parent = contract.op.parent
        while parent is not None and parent.name not in ("func.func", "builtin.module"):
            if parent.name == "scf.for" and parent not in loops:
                loops.append(parent.operation)
            parent = parent.parent
    totals = {dot.total for dot in DOT_PRODUCTS.values()}
    for loop in loops:
        body = loop.regions[0].blocks[0]
        last = list(body.operations)[-1]
        for number, result in enumerate(loop.results):
            if not isinstance(result.type, ir.VectorType) or str(result.type.element_type) not in totals:
                continue
            count, argument = result.type.shape[0], body.arguments[number + 1]
            if result.type.rank != 1 or _whole(count) == count:
                continue
            wide = vector_type(_whole(count), result.type.element_type)
            with ir.InsertionPoint(loop), loop.location:
                loop.operands[number + 3] = resized(loop.operands[number + 3], _whole(count))
            with ir.InsertionPoint(last), loop.location:
                last.operands[number] = resized(last.operands[number], _whole(count))
            for value, point in (
                (argument, ir.InsertionPoint.at_block_begin(body)),
                (result, ir.InsertionPoint.after(loop)),
            ):
                value.set_type(wide)
                with point, loop.location:
                    narrow = resized(value, count)
                value.replace_all_uses_except(narrow, narrow.owner.operation)


def _whole(count: int) -> int:
    """Lanes of the registers that hold so many: a power of two of a register's."""
    lanes = _LANES
    while lanes < count:
        lanes *= 2
    return lanes


def _dots(contract: GroupContract, lanes: dict[ir.Value, ir.Value]) -> ir.Value:
    """The sums after a contraction; `lanes` holds groups that were put in lanes before."""
    element, groups = contract.element, contract.groups.value
    count, group = groups.type.shape
    whole = _whole(count)
    if groups not in lanes:
        lanes[groups] = _in_lanes(groups, whole)
    shared = _broadcast(contract.shared.value, group)
    given = sums = resized(contract.op.operands[SUMS], whole)
    for first in range(0, whole, _LANES):
        vectors = lanes_from(lanes[groups], first * group, _LANES * group)
        # Unsigned numbers come first.
        pair = (vectors, shared) if contract.shared.signed else (shared, vectors)
        sums = put_lanes(_dot(element, lanes_from(given, first, _LANES), *pair), sums, first)
    return resized(sums, count)


def _dot(element: str, sums: ir.Value, first: ir.Value, second: ir.Value) -> ir.Value:
    return make(
        "llvm.call_intrinsic",
        [sums, first, second],
        sums.type,
        intrin=ir.StringAttr.get(_INTRINSICS[element]),
        op_bundle_sizes=ir.DenseI32ArrayAttr.get([]),
        operandSegmentSizes=ir.DenseI32ArrayAttr.get([3, 0]),
    )


def _broadcast(group: ir.Value, count: int) -> ir.Value:
    """A group in every lane, moved about as one element of 32 bits.

    What is done to each of its numbers is done in the lanes: one instruction reads, broadcasts and does it.
    """
    flipped = made_by(group, "arith.xori")
    if flipped is not None:
        mask = made_by(flipped.operands[1], "arith.constant")
        if mask is not None and constant_number(mask) is not None:
            lanes = _broadcast(flipped.operands[0], count)
            number = ir.IntegerAttr(constant_number(mask)).value
            return arith.XOrIOp(lanes, splat(number, lanes.type)).result
    one = extract(bitcast(group, _vector_of("f32", 1)), 0)
    wide = make("vector.broadcast", [one], _vector_of("f32", _LANES))
    return bitcast(wide, vector_type(count * _LANES, group.type.element_type))


def _in_lanes(value: ir.Value, whole: int) -> ir.Value:
    """The groups of all lanes in one row of `whole` lanes, read as such where they lie so in memory."""
    count, group = value.type.shape
    if isinstance(value, ir.BlockArgument):
        point = ir.InsertionPoint.at_block_begin(value.owner)
    else:
        point = ir.InsertionPoint.after(value.owner)
    with point, value.location:
        read = made_by(value, "vector.transfer_read")
        place = None if read is None else row_of(read)
        if place is not None:
            return load_row(*place, count * group, whole * group)
        return resized(flattened(value), whole * group)


def _vector_of(element: str, count: int) -> ir.VectorType:
    return vector_type(count, ir.Type.parse(element))
