"""Stores past the caches (nontemporal) in loops that a schedule marks: for results too large for any cache.

The processor then does not read the lines first that are overwritten as a whole. It takes whole registers, at
addresses that are multiples of a line; whether a buffer begins at one is only known when the kernel runs, so
that a marked loop is there twice. Loops with another mark only have what they read asked for before.
"""

from __future__ import annotations

import platform

from harl_mlir.codegen.line_pieces import cut_into_lines
from harl_mlir.codegen.prefetches import dimensions_of, moved, prefetch_reads, prefetch_unwritten
from harl_mlir.codegen.shifted_rows import shift_rows
from harl_mlir.codegen.vectors import extract, places
from harl_mlir.codegen.whole_lines import LINE, written_by_lines
from harl_mlir.frontend.program import FETCHED, STREAMED, all_ops
from harl_mlir.mlir import arith, ir, scf

_FENCE = "llvm.x86.sse.sfence"
_MACHINES = ("x86_64", "AMD64")


def stream(module: ir.Module) -> int:
    """Make nontemporal the stores of vectors in marked loops that are of whole lines; returns how many.

    The module is past the deallocation of buffers, which refuses calls of intrinsics.
    """
    count = 0
    for loop in _outermost_marked(module.operation):
        if platform.machine() in _MACHINES and not len(loop.results):
            count += _stream(loop)
    for op in all_ops(module.operation):
        if op.name == "scf.for" and STREAMED in op.attributes:
            del op.attributes[STREAMED]
        if op.name == "scf.for" and FETCHED in op.attributes:
            del op.attributes[FETCHED]
            prefetch_unwritten(op)
    return count


def _outermost_marked(root: ir.Operation) -> list[ir.Operation]:
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.name != "scf.for" or STREAMED not in op.attributes:
            return ir.WalkResult.ADVANCE
        found.append(op)
        return ir.WalkResult.SKIP

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def _stream(loop: ir.Operation) -> int:
    shifted = shift_rows(loop)
    cut_into_lines(loop)
    writes = [op for op in all_ops(loop) if op.name == "vector.transfer_write"]
    roots = [(op, written_by_lines(op)) for op in writes]
    found = [(op, root) for op, root in roots if root is not None and _is_outside(root, loop)]
    if found:
        _when_lines_begin(loop, {root: None for _, root in found})
    elif not shifted:
        return 0
    with ir.InsertionPoint.after(loop), loop.location:
        _fence()
    streamed = [*shifted, *(op for op, _ in found)]
    prefetch_reads(loop, streamed)
    for op in streamed:
        _make_nontemporal(op)
    return len(streamed)


def _when_lines_begin(loop: ir.Operation, buffers: dict[ir.Value, None]) -> None:
    """Have a loop run where all these buffers begin a line, and a copy of it elsewhere."""
    with ir.InsertionPoint(loop), loop.location:
        chosen = scf.IfOp(_all_begin_lines(buffers), has_else=True)
        with ir.InsertionPoint(chosen.else_block):
            loop.clone()
            scf.YieldOp([])
        with ir.InsertionPoint(chosen.then_block):
            end = scf.YieldOp([])
    loop.move_before(end.operation)


def _fence() -> None:
    ir.Operation.create(
        "llvm.call_intrinsic",
        attributes={
            "intrin": ir.StringAttr.get(_FENCE),
            "op_bundle_sizes": ir.DenseI32ArrayAttr.get([]),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([0, 0]),
        },
    )


def _all_begin_lines(buffers: dict[ir.Value, None]) -> ir.Value:
    index = ir.IndexType.get()
    bits = None
    for buffer in buffers:
        address = ir.Operation.create(
            "memref.extract_aligned_pointer_as_index", results=[index], operands=[buffer]
        ).result
        bits = address if bits is None else arith.OrIOp(bits, address).result
    last = arith.ConstantOp(index, LINE - 1).result
    zero = arith.ConstantOp(index, 0).result
    return arith.CmpIOp(arith.CmpIPredicate.eq, arith.AndIOp(bits, last).result, zero).result


def _make_nontemporal(write: ir.Operation) -> None:
    vector, buffer, *indices = write.operands
    dimensions = dimensions_of(write)
    with ir.InsertionPoint(write), write.location:
        for place in places(ir.VectorType(vector.type).shape[:-1]):
            at = moved(indices, (*place, 0), dimensions)
            ir.Operation.create(
                "vector.store",
                operands=[extract(vector, *place) if place else vector, buffer, *at],
                attributes={
                    "nontemporal": ir.BoolAttr.get(True),
                    "alignment": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), LINE),
                },
            )
    write.erase()


def _is_outside(value: ir.Value, loop: ir.Operation) -> bool:
    inside = value.owner.owner if isinstance(value, ir.BlockArgument) else value.owner
    around = inside.operation
    while around is not None and around.name != "builtin.module":
        if around == loop:
            return False
        around = around.parent.operation if around.parent is not None else None
    return True
