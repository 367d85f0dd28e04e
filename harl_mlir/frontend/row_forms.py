"""Row operations as torch-mlir spells them, brought into the spelling that tasks have.

1. A generic's results that nothing uses are dropped: the arg-max of a softmax's maxima.
2. What stands once for each row has no dimension of size one for the row (`unit_dims`).
3. Small whole powers are products.
4. Elements with their places in the row are found in two steps (`arg_max`), if not under `strict` accuracy.
5. Elementwise ops on rows become part of the ops that take their results (`row_fusion`).

But for step 4, no result changes by it, not in its last bit. `passes/lib/RowForms.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.frontend.arg_max import split_arg_max
from harl_mlir.frontend.generics import copy_body, end_body, generic_like
from harl_mlir.frontend.program import constant_number, entry_block, indexing_maps
from harl_mlir.frontend.row_fusion import fuse_rows
from harl_mlir.frontend.unit_dims import RESHAPES, drop_units, fold_reshapes
from harl_mlir.mlir import ir

_PURE = ("arith.", "math.", "linalg.")
_POWERS = {"math.fpowi": "arith.mulf", "math.ipowi": "arith.muli"}
_MOST_FACTORS = 4


def normalise_rows(function: ir.OpView, *, strict: bool) -> None:
    """Rewrite a function's row operations in place; a function with branches is left as it is."""
    if len(function.regions[0].blocks) != 1:
        return
    unused = {op for op in _top_level(function) if _is_unused(op)}
    for op in _top_level(function):
        if op.name == "linalg.generic":
            drop_units(_drop_dead_results(op))
        elif op.name in RESHAPES:
            fold_reshapes(op)
    for op in _top_level(function):
        if op.name == "linalg.generic":
            _multiply_powers(op)
            split_arg_max(op, strict=strict)
    # Unused reshapes would be further uses of what is fused.
    _erase_unused(function, unused)
    fuse_rows(function)
    _erase_unused(function, unused)


def _top_level(function: ir.OpView) -> list[ir.Operation]:
    return [op.operation for op in entry_block(function).operations]


def _erase_unused(function: ir.OpView, spared: set[ir.Operation]) -> None:
    for op in reversed(_top_level(function)):
        if _is_unused(op) and (op not in spared or op.name in RESHAPES):
            op.erase()


def _is_unused(op: ir.Operation) -> bool:
    return op.name in RESHAPES | {"linalg.fill", "tensor.empty"} and not any(
        list(result.uses) for result in op.results
    )


# Results.


def _drop_dead_results(op: ir.Operation) -> ir.Operation:
    """Leave out the results that nothing uses, and what only they need."""
    count = len(op.results)
    live = {i for i in range(count) if list(op.results[i].uses)}
    block = op.regions[0].blocks[0]
    body = [inner.operation for inner in block.operations]
    if count < 2 or not live or not all(inner.name.startswith(_PURE) for inner in body):
        return op
    yielded, inits = list(body[-1].operands), list(block.arguments)[-count:]
    while True:
        needed = _needed([yielded[i] for i in sorted(live)])
        more = live | {i for i in range(count) if inits[i] in needed}
        if more == live:
            break
        live = more
    if len(live) == count:
        return op
    inputs = len(op.operands) - count
    kept = [*range(inputs), *(inputs + i for i in sorted(live))]
    maps = indexing_maps(op) or []
    # What is left out may be all that tells the extent of a loop.
    told = {str(row) for i in kept for row in maps[i].results}
    if not all(f"d{loop}" in told for loop in range(len(list(op.attributes["iterator_types"])))):
        return op
    made = generic_like(
        op,
        [op.operands[i] for i in kept],
        [maps[i] for i in kept],
        len(live),
        iterators=list(op.attributes["iterator_types"]),
    )
    values = {block.arguments[old]: made.regions[0].blocks[0].arguments[new] for new, old in enumerate(kept)}
    copy_body([inner for inner in body[:-1] if any(r in needed for r in inner.results)], values, made)
    end_body(made, [values.get(yielded[i], yielded[i]) for i in sorted(live)])
    for result, old in zip(made.results, sorted(live), strict=True):
        op.results[old].replace_all_uses_with(result)
    op.erase()
    return made


def _needed(values: Sequence[ir.Value]) -> set[ir.Value]:
    found: set[ir.Value] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        if value not in found:
            found.add(value)
            if not isinstance(value.owner, ir.Block):
                stack += list(value.owner.operands)
    return found


# Powers.


def _multiply_powers(op: ir.Operation) -> None:
    """`fpowi` and `ipowi` by 2, 3 or 4 are squares and products, as LLVM computes the one."""
    for power in [inner.operation for inner in op.regions[0].blocks[0].operations]:
        if power.name not in _POWERS or isinstance(power.operands[1].owner, ir.Block):
            continue
        exponent = power.operands[1].owner
        number = constant_number(exponent) if exponent.name == "arith.constant" else None
        if number is None or not 2 <= ir.IntegerAttr(number).value <= _MOST_FACTORS:
            continue
        left, square, product = ir.IntegerAttr(number).value, power.operands[0], None
        with ir.InsertionPoint(power), power.location:
            while True:
                if left % 2:
                    product = square if product is None else _product(power, product, square)
                left //= 2
                if not left:
                    break
                square = _product(power, square, square)
        if product is not None:
            power.results[0].replace_all_uses_with(product)
            power.erase()


def _product(like: ir.Operation, left: ir.Value, right: ir.Value) -> ir.Value:
    fastmath = {"fastmath": like.attributes["fastmath"]} if "fastmath" in like.attributes else {}
    return ir.Operation.create(
        _POWERS[like.name], results=[like.results[0].type], operands=[left, right], attributes=fastmath
    ).result
