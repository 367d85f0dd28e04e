"""Rewrites of torch-mlir's linalg: what is elementwise is fused, but never into a contraction.

The pass that fuses would make a matmul's operand or a pooling's window part of one big generic, which no
sketch can schedule. So each of these ops is moved into a function of its own while the pass runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from harl_mlir.frontend.fills import part_fills
from harl_mlir.frontend.generics import are_cheap
from harl_mlir.mlir import PassManager, func, ir, linalg

_SIMPLE = frozenset(
    {
        "linalg.generic", "linalg.fill", "linalg.copy", "linalg.map", "linalg.transpose", "linalg.broadcast",
        "linalg.elementwise", "linalg.index", "linalg.yield",
    }
)  # fmt: skip
_FREE = frozenset({"linalg.yield", "arith.constant"})
_RESHAPES = frozenset({"tensor.expand_shape", "tensor.collapse_shape"})


def simplify(module: ir.Module, name: str) -> None:
    """Rewrite function `name` of the module in place."""
    _run(module, "builtin.module(canonicalize,cse)")
    function = _function(module, name)
    for outlined in _outline(module, function, _is_kept):
        # Makes permutations of operands maps of the op; and what follows it has its loops, no fewer.
        passes = "linalg-fuse-elementwise-ops,linalg-fold-unit-extent-dims,canonicalize,cse"
        _run(outlined, f"func.func(linalg-generalize-named-ops,{passes})")
    _run(function, "func.func(linalg-generalize-named-ops,linalg-fold-unit-extent-dims,canonicalize,cse)")
    # Else the pass moves them through what is fused, away from the contraction that it follows.
    _outline(module, function, lambda op: op.name in _RESHAPES)
    _clone_cheap(function)
    _part_broadcasts(module, function)
    _run(function, "func.func(linalg-fuse-elementwise-ops,canonicalize,cse)")
    _run(module, "builtin.module(inline,symbol-dce,canonicalize,cse)")
    _name_fills(_function(module, name))
    part_fills(_function(module, name))


def _run(target: ir.Module | ir.OpView, pipeline: str) -> None:
    PassManager.parse(pipeline, context=target.operation.context).run(target.operation)


def _function(module: ir.Module, name: str) -> func.FuncOp:
    for op in module.body.operations:
        if isinstance(op.opview, func.FuncOp) and op.opview.name.value == name:
            return op.opview
    raise ValueError(f"the module has no function @{name}")


def _outline(
    module: ir.Module, function: func.FuncOp, chosen: Callable[[ir.Operation], bool]
) -> list[func.FuncOp]:
    (block,) = function.body.blocks
    ops = [op.operation for op in block.operations]
    return [_move_out(module, op) for op in ops if chosen(op)]


def _is_kept(op: ir.Operation) -> bool:
    if not op.name.startswith("linalg."):
        return False
    if op.name not in _SIMPLE:
        return True
    if op.name != "linalg.generic" or len(op.results) != 1 or len(op.operands) != 3:
        return False
    return any("reduction" in str(kind) for kind in op.attributes["iterator_types"])


def _move_out(module: ir.Module, op: ir.Operation) -> func.FuncOp:
    """Put `op`, the fill of its init and what permutes its operands into a function and call that."""
    makers = dict.fromkeys(v.owner for v in op.operands if not isinstance(v.owner, ir.Block))
    members = [m for m in makers if m.name in ("linalg.fill", "linalg.transpose")] if _is_kept(op) else []
    inside = {result for member in members for result in member.results}
    members = [*dict.fromkeys(m for member in members for m in (*_empties(member), member)), op]
    inside = {result for member in members for result in member.results}
    taken = [*dict.fromkeys(v for m in members for v in m.operands if v not in inside)]
    results = [result.type for result in op.results]
    with op.location:
        with ir.InsertionPoint(module.body):
            count = len(module.body.operations)
            type_ = ir.FunctionType.get([value.type for value in taken], results)
            outlined = func.FuncOp(f"outlined_{count}", type_, visibility="private")
        block = outlined.add_entry_block()
        values = dict(zip(taken, block.arguments, strict=True))
        with ir.InsertionPoint(block):
            for member in members:
                copy = member.clone()
                for i, value in enumerate(copy.operands):
                    copy.operands[i] = values.get(value, value)
                values.update(zip(member.results, copy.results, strict=True))
            func.ReturnOp([values[result] for result in op.results])
        with ir.InsertionPoint(op):
            call = func.CallOp(results, outlined.name.value, taken)
    for old, new in zip(op.results, call.results, strict=True):
        old.replace_all_uses_with(new)
    op.erase()
    return outlined


def _empties(op: ir.Operation) -> list[ir.Operation]:
    owners = [v.owner for v in op.operands if not isinstance(v.owner, ir.Block)]
    return [owner for owner in owners if owner.name in ("tensor.empty", "arith.constant")]


def _clone_cheap(function: func.FuncOp) -> None:
    """Give each consumer of a cheap elementwise op one of its own, so that it is fused into all of them."""
    (block,) = function.body.blocks
    for op in reversed([op.operation for op in block.operations]):
        if not _is_cheap(op):
            continue
        _, *others = list(op.results[0].uses)
        for use in others:
            consumer, number = use.owner, use.operand_number
            with ir.InsertionPoint(consumer):
                consumer.operands[number] = op.clone().results[0]


def _part_broadcasts(module: ir.Module, function: func.FuncOp) -> None:
    """Keep what is computed once a row from being computed for each element of it.

    An identity is called in between, which is inlined later.
    """
    (block,) = function.body.blocks
    for op in [op.operation for op in block.operations]:
        if op.name != "linalg.generic" or not _is_elementwise(op) or len(op.results) != 1:
            continue
        result = op.results[0]
        wide = [use for use in result.uses if _elements(use.owner) > _elements(op)]
        if not wide or all(inner.operation.name in _FREE for inner in op.regions[0].blocks[0].operations):
            continue
        with op.location:
            with ir.InsertionPoint(module.body):
                name = f"outlined_{len(module.body.operations)}"
                type_ = ir.FunctionType.get([result.type], [result.type])
                identity = func.FuncOp(name, type_, visibility="private")
            with ir.InsertionPoint(entry := identity.add_entry_block()):
                func.ReturnOp([entry.arguments[0]])
            with ir.InsertionPoint.after(op):
                passed = func.CallOp([result.type], name, [result])
        for use in wide:
            use.owner.operands[use.operand_number] = passed.results[0]


def _name_fills(function: func.FuncOp) -> None:
    """Spell generics that write one number everywhere as `linalg.fill`, which they were before."""
    (block,) = function.body.blocks
    for op in [op.operation for op in block.operations]:
        if op.name != "linalg.generic" or len(op.operands) != 1 or not _is_elementwise(op):
            continue
        (*body, end) = op.regions[0].blocks[0].operations
        (value,) = end.operands
        if body or value == op.regions[0].blocks[0].arguments[0]:
            continue
        with ir.InsertionPoint(op), op.location:
            filled = linalg.fill(value, outs=[op.operands[0]])
        op.results[0].replace_all_uses_with(filled)
        op.erase()


def _elements(op: ir.Operation) -> int:
    """Steps of the loops of an op on tensors: no less than the elements of any of its operands."""
    return max((_size(value) for value in op.operands), default=0)


def _size(value: ir.Value) -> int:
    return math.prod(value.type.shape) if isinstance(value.type, ir.RankedTensorType) else 1


def _is_elementwise(op: ir.Operation) -> bool:
    return all("parallel" in str(kind) for kind in op.attributes["iterator_types"])


def _is_cheap(op: ir.Operation) -> bool:
    if op.name != "linalg.generic" or not _is_elementwise(op):
        return False
    uses = list(op.results[0].uses)
    if len(uses) < 2 or any(use.owner.name != "linalg.generic" for use in uses):
        return False
    # What an op is the only consumer of it follows: one group with it.
    *inputs, _ = op.operands
    if any(len(list(v.uses)) == 1 and _size(v) == _size(op.results[0]) for v in inputs):
        return False
    *body, _ = op.regions[0].blocks[0].operations
    return are_cheap([inner.operation.name for inner in body])
