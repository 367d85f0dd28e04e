"""Dot products of pairs of bf16 and of groups of four i8 by the processor's instructions.

A schedule leaves `C[n] += A[p] * B[n, p]`, for one group of steps `p`, as a `vector.contract`: of two bf16
into f32 (`vdpbf16ps` of AVX512-BF16) or of four i8 into i32 (`vpdpbusd` of AVX512-VNNI). LLVM makes no such
instruction of the widened products; where the processor has none the contraction is lowered as any other.

bf16: the instruction rounds each product's sum to f32, and takes denormals as zero.
i8: the instruction multiplies unsigned by signed numbers. Where all are signed 128 is added to those of `B`,
and 128 times the sums of `A`'s are taken away after a run of contractions. That is exact, as i32 wraps.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from harl_mlir.codegen.group_copies import group_copies
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
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import arith, ir
from harl_mlir.processor import DOT_PRODUCTS

_LANES = 16
_INTRINSICS = {"bf16": "llvm.x86.avx512bf16.dpbf16ps.512", "i8": "llvm.x86.avx512.vpdpbusd.512"}
_BIAS = -128
_SHARED, _ALL, _RESULT = "(d0, d1) -> (d1)", "(d0, d1) -> (d0, d1)", "(d0, d1) -> (d0)"
_WIDENED = ("arith.extui", "arith.extsi", "arith.extf")


@dataclass(frozen=True)
class _Factor:
    """A vector of narrow numbers that are widened, and whether they are signed."""

    value: ir.Value
    signed: bool


@dataclass(frozen=True)
class _Contract:
    """A contraction of the group that all lanes share with the groups of all lanes."""

    op: ir.Operation
    shared: _Factor
    groups: _Factor

    @property
    def element(self) -> str:
        return str(self.groups.value.type.element_type)

    @property
    def is_biased(self) -> bool:
        """Whether 128 is added to the groups of all lanes."""
        return self.element == "i8" and self.shared.signed and self.groups.signed

    @property
    def result(self) -> ir.Value:
        return self.op.results[0]


@dataclass(frozen=True)
class _Run:
    """The sums after some contractions, and what is to be taken away from each of their lanes."""

    sums: ir.Value
    excess: ir.Value | None = None


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
    if not _contracts(module, wanted):
        return 0
    group_copies(module)
    # Only now: their operands may be others.
    found = _contracts(module, wanted)
    _widen_loops(found)
    lanes: dict[tuple[ir.Value, bool], ir.Value] = {}
    runs: dict[ir.Value, _Run] = {}
    for contract in found:
        before = contract.op.operands[2]
        only = before in runs and len(list(before.uses)) == 1
        run = runs.pop(before) if only else _Run(before)
        with ir.InsertionPoint(contract.op), contract.op.location:
            runs[contract.result] = _after(run, contract, lanes)
    for contract in reversed(found):
        if contract.result in runs:
            with ir.InsertionPoint(contract.op), contract.op.location:
                contract.result.replace_all_uses_with(_finished(runs[contract.result]))
        contract.op.erase()
    return len(found)


def _contracts(module: ir.Module, wanted: Collection[str]) -> list[_Contract]:
    return [
        contract
        for contract in map(_contract, all_ops(module.operation))
        if contract is not None and contract.element in wanted
    ]


def _contract(op: ir.Operation) -> _Contract | None:
    if op.parent is not None and op.parent.name == "vector.mask":
        return None
    if op.name != "vector.contract" or len(op.operands) != 3 or "<add>" not in str(op.attributes["kind"]):
        return None
    maps = [str(each)[len("affine_map<") : -1] for each in op.attributes["indexing_maps"]]
    result = op.results[0].type
    if maps[2] != _RESULT or not {*maps[:2]} <= {_SHARED, _ALL} or not isinstance(result, ir.VectorType):
        return None
    factors = sorted((_factor(op.operands[n]) for n in range(2)), key=lambda each: each.value.type.rank)
    shared, groups = factors
    element = str(groups.value.type.element_type)
    dot = DOT_PRODUCTS.get(element)
    if (
        dot is None
        or str(shared.value.type.element_type) != element
        or str(result.element_type) != dot.total
        or list(shared.value.type.shape) != [dot.group]
        or list(groups.value.type.shape) != [result.shape[0], dot.group]
        or not (shared.signed or groups.signed)
    ):
        return None
    return _Contract(op, shared, groups)


def _factor(value: ir.Value) -> _Factor:
    """An operand of a contraction before it was widened, and broadcast to all lanes."""
    signed = True
    for names in (_WIDENED, ("vector.broadcast",), _WIDENED):
        if not isinstance(value, ir.BlockArgument) and value.owner.name in names:
            op = value.owner
            # A sign that was extended is part of a larger unsigned number.
            if op.name == "arith.extsi" and not signed:
                break
            if isinstance(op.operands[0].type, ir.VectorType):
                signed = signed and op.name != "arith.extui"
                value = op.operands[0]
    return _Factor(value, signed)


def _widen_loops(found: list[_Contract]) -> None:
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


def _after(run: _Run, contract: _Contract, lanes: dict[tuple[ir.Value, bool], ir.Value]) -> _Run:
    """The sums after one more contraction."""
    element, group = contract.element, DOT_PRODUCTS[contract.element].group
    count = contract.result.type.shape[0]
    whole = _whole(count)
    key = contract.groups.value, contract.is_biased
    if key not in lanes:
        lanes[key] = _in_lanes(contract, whole)
    factors, shared = lanes[key], _broadcast(contract.shared.value, group)
    given = sums = resized(run.sums, whole)
    for first in range(0, whole, _LANES):
        vectors = lanes_from(factors, first * group, _LANES * group)
        # Unsigned numbers come first.
        pair = (shared, vectors) if not contract.shared.signed else (vectors, shared)
        sums = put_lanes(_dot(element, lanes_from(given, first, _LANES), *pair), sums, first)
    sums = resized(sums, count)
    if not contract.is_biased:
        return replace(run, sums=sums)
    excess = run.excess if run.excess is not None else splat(0, _vector_of("i32", _LANES))
    return _Run(sums, _dot(element, excess, splat(_BIAS, shared.type), shared))


def _finished(run: _Run) -> ir.Value:
    if run.excess is None:
        return run.sums
    count = run.sums.type.shape[0]
    whole = _whole(count)
    given = sums = resized(run.sums, whole)
    for first in range(0, whole, _LANES):
        less = arith.SubIOp(lanes_from(given, first, _LANES), run.excess).result
        sums = put_lanes(less, sums, first)
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
    """A group in every lane, moved about as one element of 32 bits."""
    one = extract(bitcast(group, _vector_of("f32", 1)), 0)
    wide = make("vector.broadcast", [one], _vector_of("f32", _LANES))
    return bitcast(wide, vector_type(count * _LANES, group.type.element_type))


def _in_lanes(contract: _Contract, whole: int) -> ir.Value:
    """The groups of all lanes in one row of `whole` lanes, read as such where they lie so in memory."""
    value = contract.groups.value
    count, group = value.type.shape
    if isinstance(value, ir.BlockArgument):
        point = ir.InsertionPoint.at_block_begin(value.owner)
    else:
        point = ir.InsertionPoint.after(value.owner)
    with point, contract.op.location:
        place = None
        if not isinstance(value, ir.BlockArgument) and value.owner.name == "vector.transfer_read":
            place = row_of(value.owner)
        if place is not None:
            row = load_row(*place, count * group, whole * group)
        else:
            row = resized(flattened(value), whole * group)
        if contract.is_biased:
            row = arith.XOrIOp(row, splat(_BIAS, row.type)).result
    return row


def _vector_of(element: str, count: int) -> ir.VectorType:
    return vector_type(count, ir.Type.parse(element))
