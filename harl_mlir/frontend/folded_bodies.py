"""Bodies of elementwise ops that compute nothing, as MLIR folds them, and the copies that they come to.

Of `max(x, x)`, `(x + 2) - 2` of integers, or a widening that is undone, MLIR's canonicalization leaves the
element itself, and of a copy of an element to its own place it leaves nothing. A schedule that finds an op,
and no more of it after its first clean-up, would fail. `passes/lib/FoldedBodies.cpp` does the same.
"""

from __future__ import annotations

import functools

from harl_mlir.frontend.generics import copy_body
from harl_mlir.frontend.program import entry_block, indexing_maps
from harl_mlir.mlir import PassManager, arith, func, ir

_PARALLEL = "#linalg.iterator_type<parallel>"
_MOST_KEPT = 4096


def fold_bodies(function: ir.OpView) -> None:
    """Rewrite a function in place; one with branches is left as it is."""
    if len(function.regions[0].blocks) != 1:
        return
    ops = [op.operation for op in entry_block(function).operations]
    generics = [op for op in ops if _is_elementwise(op)]
    for op in generics:
        if _may_fold(op):
            _fold(op)
        _drop_copy(op)


def _is_elementwise(op: ir.Operation) -> bool:
    return (
        op.name == "linalg.generic"
        and len(op.results) == 1
        and all(str(kind) == _PARALLEL for kind in op.attributes["iterator_types"])
    )


# Bodies.


def _may_fold(op: ir.Operation) -> bool:
    """Whether its body has ops, all of `arith`: of `math`, MLIR 22 folds other constants than later ones."""
    *body, _ = op.regions[0].blocks[0].operations
    return bool(body) and all(inner.operation.name.startswith("arith.") for inner in body)


def _fold(op: ir.Operation) -> None:
    """Have a body that folds to an argument, or to a constant, yield that and nothing else."""
    asked = _as_function(op)
    found = None if asked is None else _folded(asked)
    if found is None:
        return
    block = op.regions[0].blocks[0]
    *body, end = (inner.operation for inner in block.operations)
    if isinstance(found, int):
        end.operands[0] = block.arguments[found]
    else:
        with ir.InsertionPoint(end), end.location:
            value = ir.Attribute.parse(found)
            end.operands[0] = arith.ConstantOp(end.operands[0].type, value).result
    for inner in reversed(body):
        inner.erase()


def _as_function(op: ir.Operation) -> str | None:
    """The body as the text of a function; None where it takes more from outside than constants."""
    block = op.regions[0].blocks[0]
    *body, end = (inner.operation for inner in block.operations)
    used = [value.owner for inner in (*body, end) for value in inner.operands if value.owner != block]
    if any(isinstance(owner, ir.Block) for owner in used):
        return None
    inside = {op.operation for op in body}
    outside = [owner.operation for owner in used if owner.operation not in inside]
    if any(owner.name != "arith.constant" for owner in outside):
        return None
    kinds = [argument.type for argument in block.arguments]
    with op.location:
        made = func.FuncOp("body", (kinds, [end.operands[0].type]))
        entry = made.add_entry_block()
        values = dict(zip(block.arguments, entry.arguments, strict=True))
        copy_body([*dict.fromkeys(outside), *body], values, made.operation)
        with ir.InsertionPoint(entry):
            func.ReturnOp([values[end.operands[0]]])
    return str(made.operation.get_asm(assume_verified=True))


@functools.lru_cache(_MOST_KEPT)
def _folded(text: str) -> int | str | None:
    """The number of the argument that a function returns as MLIR folds it, or the text of its constant.

    Kept, since each trial of a task asks again, and MLIR collects all its patterns to answer.
    """
    module = ir.Module.parse(text)
    PassManager.parse("builtin.module(canonicalize)").run(module.operation)
    value = entry_block(module.body.operations[0]).operations[-1].operands[0]
    if isinstance(value.owner, ir.Block):
        return int(ir.BlockArgument(value).arg_number)
    return str(value.owner.attributes["value"]) if value.owner.name == "arith.constant" else None


# Copies.


def _drop_copy(op: ir.Operation) -> None:
    """Erase a copy of what another linalg op computes to where it is: its users take that."""
    block = op.regions[0].blocks[0]
    copied = block.operations[0].operands[0] if len(block.operations) == 1 else None
    if copied is None or copied.owner != block:
        return
    number = ir.BlockArgument(copied).arg_number
    given = op.operands[number]
    if isinstance(given.owner, ir.Block) or given.owner.name == "linalg.fill":
        return
    maps = indexing_maps(op) or []
    if given.type != op.results[0].type or maps[number] != maps[-1]:
        return
    if given.owner.name.startswith("linalg.") and indexing_maps(given.owner.operation) is not None:
        op.results[0].replace_all_uses_with(given)
        op.erase()
