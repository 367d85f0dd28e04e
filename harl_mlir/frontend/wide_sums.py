"""Sums of f16 or bf16, which are kept in f32 and rounded once, to what they are of.

A processor without arithmetic of that type would round every product and every sum by itself, an element at
a time. This is not for `strict` accuracy, as fewer roundings are other bits. `passes/lib/WideSums.cpp` does
the same.
"""

from __future__ import annotations

from harl_mlir.frontend.generics import end_body, generic_like
from harl_mlir.frontend.program import entry_block, indexing_maps, made_by
from harl_mlir.mlir import arith, ir, linalg, tensor

_NARROW = ("f16", "bf16")
_ARITHMETIC = ("arith.addf", "arith.mulf", "arith.negf", "arith.subf")
_PARALLEL = "#linalg.iterator_type<parallel>"


def widen_sums(function: ir.OpView) -> None:
    """Rewrite a function in place; one with branches is left as it is."""
    if len(function.regions[0].blocks) != 1:
        return
    for view in list(entry_block(function).operations):
        op = view.operation
        maps = indexing_maps(op) if op.name.startswith("linalg.") else None
        if maps is not None and _is_narrow_sum(op, maps):
            _widen(op, maps)


def _is_narrow_sum(op: ir.Operation, maps: list[ir.AffineMap]) -> bool:
    """Whether it adds to a tensor of narrow numbers what follows from such by arithmetic that rounds."""
    if len(op.results) != 1 or not isinstance(op.results[0].type, ir.RankedTensorType):
        return False
    kind = ir.RankedTensorType(op.results[0].type)
    element = kind.element_type
    reduces = any("reduction" in str(kind) for kind in _kinds(op, maps))
    if str(element) not in _NARROW or not kind.has_static_shape or not reduces:
        return False
    body = op.regions[0].blocks[0]
    total = body.arguments[len(body.arguments) - 1]
    *ops, end = list(body.operations)
    last = made_by(end.operands[0], "arith.addf")
    used = [operand for inner in ops for operand in inner.operands]
    if last is None or total not in last.operands or used.count(total) > 1 or end.operands[0] in used:
        return False
    return all(inner.name in _ARITHMETIC for inner in ops) and all(
        operand.type == element and _is_inside(operand, body) for operand in used
    )


def _is_inside(value: ir.Value, body: ir.Block) -> bool:
    block: ir.Block = value.owner if isinstance(value, ir.BlockArgument) else value.owner.operation.block
    return bool(block == body)


def _kinds(op: ir.Operation, maps: list[ir.AffineMap]) -> list[ir.Attribute]:
    """The kinds of its loops; those of a named op's result are the parallel ones."""
    if "iterator_types" in op.attributes:
        return list(op.attributes["iterator_types"])
    written = {row.position for row in maps[-1].results if isinstance(row, ir.AffineDimExpr)}
    kinds = ("parallel" if loop in written else "reduction" for loop in range(maps[-1].n_dims))
    return [ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in kinds]


def _widen(op: ir.Operation, maps: list[ir.AffineMap]) -> None:
    *inputs, init = op.operands
    narrow, wide = ir.RankedTensorType(init.type), ir.F32Type.get()
    fill = made_by(init, "linalg.fill")
    with ir.InsertionPoint(op), op.location:
        number = arith.ConstantOp(wide, ir.FloatAttr.get(wide, 0.0)).result if fill is None else _start(fill)
        start = linalg.fill(number, outs=[tensor.empty(narrow.shape, wide)])
    made = generic_like(op, [*inputs, start], maps, 1, _kinds(op, maps))
    body, block = op.regions[0].blocks[0], made.regions[0].blocks[0]
    values: dict[ir.Value, ir.Value] = {}
    with ir.InsertionPoint(block), op.location:
        for given, taken in zip(body.arguments, block.arguments, strict=True):
            if not list(given.uses):
                continue
            values[given] = taken if taken.type == wide else arith.ExtFOp(wide, taken).result
        *ops, end = list(body.operations)
        for inner in ops:
            copy = ir.Operation.create(
                inner.name,
                results=[wide],
                operands=[values[operand] for operand in inner.operands],
                attributes={name: inner.attributes[name] for name in inner.attributes},
            )
            values[inner.results[0]] = copy.result
    end_body(made, [values[end.operands[0]]])
    with ir.InsertionPoint(op), op.location:
        rounded = _rounded([made.result] if fill is not None else [made.result, init], narrow)
    op.results[0].replace_all_uses_with(rounded)
    op.erase()
    if fill is not None:
        _drop(fill)


def _start(fill: ir.Operation) -> ir.Value:
    """The number of a fill in f32."""
    wide, number = ir.F32Type.get(), fill.operands[0]
    constant = made_by(number, "arith.constant")
    if constant is None:
        return arith.ExtFOp(wide, number).result
    value = ir.FloatAttr(constant.attributes["value"]).value
    return arith.ConstantOp(wide, ir.FloatAttr.get(wide, value)).result


def _rounded(terms: list[ir.Value], narrow: ir.RankedTensorType) -> ir.Value:
    """The sums, which are of f32, with what they were to be added to, rounded."""
    identity = ir.AffineMapAttr.get(ir.AffineMap.get_identity(narrow.rank))
    made = linalg.GenericOp(
        [narrow],
        terms,
        [tensor.empty(narrow.shape, narrow.element_type)],
        ir.ArrayAttr.get([identity] * (len(terms) + 1)),
        ir.ArrayAttr.get([ir.Attribute.parse(_PARALLEL)] * narrow.rank),
    )
    elements = [ir.RankedTensorType(term.type).element_type for term in terms]
    body = made.regions[0].blocks.append(*elements, narrow.element_type)
    with ir.InsertionPoint(body):
        total, *others = list(body.arguments)[:-1]
        for other in others:
            total = arith.AddFOp(total, arith.ExtFOp(total.type, other).result).result
        linalg.YieldOp([arith.TruncFOp(narrow.element_type, total).result])
    result: ir.Value = made.results[0]
    return result


def _drop(fill: ir.Operation) -> None:
    """Erase a fill that nothing starts from any more."""
    if list(fill.results[0].uses):
        return
    empty = made_by(fill.operands[1], "tensor.empty")
    fill.erase()
    if empty is not None and not list(empty.results[0].uses):
        empty.erase()
