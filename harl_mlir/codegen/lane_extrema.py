"""Loops that take the greatest or least of a vector in each step keep those of each lane instead.

So a reduction of rows that uses its place in them is scheduled (`schedule/sketches/rows.py`): in MLIR 22 a
schedule cannot give it partial results. The lanes are reduced once, behind the loop. That changes no number,
as the greatest of what is compared in another order is the same; of other reductions nothing is changed.

`passes/lib/LaneExtrema.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.codegen.row_loops import only_result
from harl_mlir.codegen.vectors import make
from harl_mlir.frontend.generics import copy_body
from harl_mlir.frontend.program import all_ops, constant_number, made_by
from harl_mlir.mlir import arith, ir, scf

_KINDS = ("maximumf", "minimumf", "maxsi", "minsi", "maxui", "minui")


def keep_lanes(module: ir.Module) -> None:
    """Have such loops, in place, keep a vector for each row."""
    # All found first: of what is inside a loop that is erased nothing may be asked any more.
    for loop in [op for op in all_ops(module.operation) if op.name == "scf.for"]:
        reduction, before = only_result(loop)
        if reduction is not None and before is not None and _is_extremum(reduction, before):
            _keep_lanes(loop, reduction)


def _is_extremum(reduction: ir.Operation, before: ir.Value) -> bool:
    """Whether an op reduces a vector's rows to their extrema, from nothing but what they were `before`."""
    if reduction.name != "vector.multi_reduction" or _kind(reduction) not in _KINDS:
        return False
    source, kept = reduction.operands
    dims = list(ir.DenseI64ArrayAttr(reduction.attributes["reduction_dims"]))
    return (
        kept == before
        and source != before
        and len(list(before.uses)) == 1
        and len(list(reduction.results[0].uses)) == 1
        and dims == [len(source.type.shape) - 1]
    )


def _kind(reduction: ir.Operation) -> str:
    return str(reduction.attributes["kind"]).removeprefix("#vector.kind<").removesuffix(">")


def _keep_lanes(loop: ir.Operation, reduction: ir.Operation) -> None:
    lower, upper, step, start = loop.operands
    constant = made_by(start, "arith.constant")
    number = None if constant is None else constant_number(constant)
    if number is None:
        return
    source = reduction.operands[0]
    with ir.InsertionPoint(loop), loop.location:
        lanes = arith.ConstantOp(source.type, ir.DenseElementsAttr.get_splat(source.type, number)).result
        made = scf.ForOp(lower, upper, step, [lanes])
        attributes = {name: reduction.attributes[name] for name in ("kind", "reduction_dims")}
        result = make("vector.multi_reduction", [made.results[0], start], start.type, **attributes)
    old = loop.regions[0].blocks[0]
    induction, kept = made.body.arguments
    values = {old.arguments[0]: induction}
    copied = [op.operation for op in old.operations if op.operation != reduction][:-1]
    copy_body(copied, values, made.operation)
    with ir.InsertionPoint(made.body), loop.location:
        combined = make(f"arith.{_kind(reduction)}", [values.get(source, source), kept], source.type)
        scf.YieldOp([combined])
    loop.results[0].replace_all_uses_with(result)
    loop.erase()
