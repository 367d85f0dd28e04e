"""Permutations of what a contraction reads, which become part of its indexing maps.

A transpose whose result contractions alone take is a pass over memory that says nothing but in which order
an operand lies. Folded, the contraction's sketches choose: they read the operand as it lies, or copy it, a
panel, a block or all of it, with its dimensions in another order. No number changes by it.
`passes/lib/Permutations.cpp` does the same.

An operand that a window moves over (the image of a convolution) keeps its transpose: each of its elements
is read many times, and in the order that the op was written for.
"""

from __future__ import annotations

from harl_mlir.frontend.generics import copy_body, end_body, generic_like
from harl_mlir.frontend.program import entry_block, indexing_maps
from harl_mlir.mlir import ir
from harl_mlir.tasks.contraction import is_contraction
from harl_mlir.tasks.facts import UnsupportedOpError, read_facts
from harl_mlir.tasks.linalg_op import LinalgOp, plain_loop

_PARALLEL, _REDUCTION = (f"#linalg.iterator_type<{kind}>" for kind in ("parallel", "reduction"))


def fold_permutations(function: ir.OpView) -> None:
    """Rewrite a function in place; one with branches is left as it is."""
    if len(function.regions[0].blocks) != 1:
        return
    # From the last to the first, so that of one permutation of another both are folded.
    for view in reversed(list(entry_block(function).operations)):
        op = view.operation
        permuted = _permuted_from(op)
        if not permuted:
            continue
        uses = [(use.owner.operation, use.operand_number) for use in op.results[0].uses]
        if not uses or not all(_takes(user, number, op.block) for user, number in uses):
            continue
        while users := [use.owner.operation for use in op.results[0].uses]:
            _fold(users[0], op.results[0], op.operands[0], permuted)
        op.erase()


def _permuted_from(op: ir.Operation) -> list[int] | None:
    """For each dimension of what an op permutes that of its result; None, or nothing, of other ops."""
    if op.name not in ("linalg.transpose", "linalg.generic") or len(op.operands) != 2 or len(op.results) != 1:
        return None
    try:
        facts = read_facts(op)
    except UnsupportedOpError:
        return None
    given, made = ([plain_loop(row) for row in operand.map] for operand in facts.operands)
    is_copy = not facts.reduction_dims and facts.yields == 0 and not facts.body
    if not is_copy or made != list(range(len(made))) or len(given) != len(made) or set(given) != set(made):
        return None
    return [loop for loop in given if loop is not None]


def _takes(op: ir.Operation, number: int, block: ir.Block) -> bool:
    """Whether an operand of an op may be read in any order of its dimensions."""
    if not op.name.startswith("linalg.") or op.block != block:
        return False
    try:
        facts = read_facts(op)
    except UnsupportedOpError:
        return False
    inputs = facts.inputs
    return (
        is_contraction(facts)
        and number < len(inputs)
        and all(plain_loop(row) is not None for row in inputs[number].map)
    )


def _fold(op: ir.Operation, result: ir.Value, source: ir.Value, permuted: list[int]) -> None:
    """Have a contraction read `source` in the place of `result`, which is that permuted."""
    maps, operands = list(indexing_maps(op) or []), list(op.operands)
    for number, value in enumerate(operands):
        if value == result:
            rows = maps[number].results
            operands[number] = source
            maps[number] = ir.AffineMap.get(maps[number].n_dims, 0, [rows[loop] for loop in permuted])
    facts: LinalgOp = read_facts(op)
    kinds = [
        ir.Attribute.parse(_REDUCTION if d in facts.reduction_dims else _PARALLEL)
        for d in range(len(facts.dims))
    ]
    made = generic_like(op, operands, maps, 1, kinds)
    body, block = op.regions[0].blocks[0], made.regions[0].blocks[0]
    values = dict(zip(body.arguments, block.arguments, strict=True))
    *inner, end = [each.operation for each in body.operations]
    copy_body(inner, values, made)
    end_body(made, [values[end.operands[0]]])
    op.results[0].replace_all_uses_with(made.results[0])
    op.erase()
