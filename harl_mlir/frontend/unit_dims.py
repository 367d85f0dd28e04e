"""Dimensions of size one, dropped where no loop goes along them: `(d0, d1, 0)` becomes `(d0, d1)`.

torch-mlir leaves one for the row in what stands once for each row. `passes/lib/UnitDims.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.frontend.generics import copy_body, end_body, generic_like
from harl_mlir.frontend.program import all_ops, indexing_maps, made_by
from harl_mlir.mlir import ir, linalg, tensor

RESHAPES = frozenset({"tensor.expand_shape", "tensor.collapse_shape"})


@dataclass(frozen=True)
class _Kept:
    """What is left of a generic: loops, and for each operand its dimensions."""

    loops: tuple[int, ...]
    dims: tuple[tuple[int, ...], ...]


def drop_units(op: ir.Operation) -> None:
    """Drop dimensions of size one that no loop goes along, and loops of one step over what had one put in."""
    maps = indexing_maps(op)
    if maps is None or len(op.results) != 1 or not _is_static(op):
        return
    kinds = ["reduction" in str(kind) for kind in op.attributes["iterator_types"]]
    # Of the others only reductions of the last loop can be row operations.
    if any(kinds) and not (kinds[-1] and sum(kinds) == 1):
        return
    dropped = set() if any(kinds) else _unit_loops(op, maps)
    if len(dropped) == len(kinds):
        return
    kept = _Kept(
        tuple(d for d in range(len(kinds)) if d not in dropped),
        tuple(
            tuple(p for p, row in enumerate(map_.results) if not _is_unit(value, p, row, dropped))
            for value, map_ in zip(op.operands, maps, strict=True)
        ),
    )
    if not dropped and all(len(dims) == len(m.results) for dims, m in zip(kept.dims, maps, strict=True)):
        return
    _without_units(op, maps, kept)


def _is_static(op: ir.Operation) -> bool:
    return all(not isinstance(v.type, ir.ShapedType) or v.type.has_static_shape for v in op.operands) and all(
        isinstance(v.type, ir.RankedTensorType) or not isinstance(v.type, ir.ShapedType) for v in op.operands
    )


def _unit_loops(op: ir.Operation, maps: Sequence[ir.AffineMap]) -> set[int]:
    """Loops of one step along a dimension that was put into an input."""
    if any(inner.name == "linalg.index" for inner in all_ops(op)[1:]):
        return set()
    found: set[int] = set()
    for value, map_ in zip(list(op.operands)[:-1], maps[:-1], strict=True):
        expanded = made_by(value, "tensor.expand_shape")
        if expanded is None or not _puts_in_units(expanded):
            continue
        steps = zip(value.type.shape, map_.results, strict=True)
        found |= {row.position for size, row in steps if size == 1 and isinstance(row, ir.AffineDimExpr)}
    rows = [row for map_ in maps for row in map_.results]
    plain = all(isinstance(row, (ir.AffineDimExpr, ir.AffineConstantExpr)) for row in rows)
    return found if plain else set()


def _puts_in_units(expanded: ir.Operation) -> bool:
    """Whether a reshape only puts in dimensions of size one."""
    old, new = ([n for n in v.type.shape if n != 1] for v in (expanded.operands[0], expanded.results[0]))
    return bool(old == new)


def _is_unit(value: ir.Value, position: int, row: ir.AffineExpr, dropped: set[int]) -> bool:
    if isinstance(row, ir.AffineConstantExpr):
        return bool(row.value == 0 and value.type.shape[position] == 1)
    return isinstance(row, ir.AffineDimExpr) and row.position in dropped


def _without_units(op: ir.Operation, maps: Sequence[ir.AffineMap], kept: _Kept) -> None:
    renumbered = {d: ir.AffineDimExpr.get(i) for i, d in enumerate(kept.loops)}
    replaced = [renumbered.get(d, ir.AffineConstantExpr.get(0)) for d in range(maps[0].n_dims)]
    new_maps, operands = [], []
    last = len(op.operands) - 1
    for number, (value, map_, dims) in enumerate(zip(op.operands, maps, kept.dims, strict=True)):
        rows = [map_.results[p].compose(ir.AffineMap.get(len(kept.loops), 0, replaced)) for p in dims]
        new_maps.append(ir.AffineMap.get(len(kept.loops), 0, rows))
        whole = len(dims) == len(map_.results)
        operands.append(value if whole else _narrowed(op, value, dims, is_init=number == last))
    kinds = list(op.attributes["iterator_types"])
    made = generic_like(op, operands, new_maps, 1, iterators=[kinds[d] for d in kept.loops])
    block, body = op.regions[0].blocks[0], made.regions[0].blocks[0]
    values = dict(zip(block.arguments, body.arguments, strict=True))
    *inner, end = [each.operation for each in block.operations]
    copy_body(inner, values, made)
    end_body(made, [values.get(v, v) for v in end.operands])
    result = made.results[0]
    if result.type != op.results[0].type:
        with ir.InsertionPoint(op), op.location:
            result = _expanded(result, op.results[0].type)
    op.results[0].replace_all_uses_with(result)
    op.erase()


def _narrowed(op: ir.Operation, value: ir.Value, dims: Sequence[int], is_init: bool) -> ir.Value:
    """`value` with the dimensions `dims` only; the others are of size one."""
    old = value.type
    new = ir.RankedTensorType.get([old.shape[p] for p in dims], old.element_type)
    with ir.InsertionPoint(op), op.location:
        same = _reshaped_from(value, new)
        if same is not None:
            return same
        if made_by(value, "tensor.empty") is not None:
            return tensor.EmptyOp(list(new.shape), new.element_type).result
        fill = made_by(value, "linalg.fill") if is_init else None
        if fill is not None and made_by(fill.operands[1], "tensor.empty") is not None:
            empty = tensor.EmptyOp(list(new.shape), new.element_type).result
            return linalg.fill(fill.operands[0], outs=[empty])
        return tensor.CollapseShapeOp(new, value, _groups(old.shape, dims)).result


def _expanded(value: ir.Value, type_: ir.Type) -> ir.Value:
    shape, inner = list(type_.shape), list(value.type.shape)
    groups = _groups(shape, _places(inner, shape))
    return tensor.ExpandShapeOp(type_, value, groups, [], shape).result


def _places(inner: Sequence[int], outer: Sequence[int]) -> list[int]:
    """Where the dimensions `inner` may stand among `outer`, which has more of size one."""
    places: list[int] = []
    for position, size in enumerate(outer):
        if len(places) < len(inner) and size == inner[len(places)]:
            places.append(position)
    return places


def _groups(shape: Sequence[int], dims: Sequence[int]) -> list[list[int]]:
    """The reassociation that leaves `dims` of `shape`; those of size one go to the dimension before them."""
    groups: list[list[int]] = [[] for _ in dims]
    for position in range(len(shape)) if dims else ():
        before = sum(1 for p in dims if p <= position)
        groups[max(before - 1, 0)].append(position)
    return groups


def fold_reshapes(op: ir.Operation) -> None:
    """Take what a chain of reshapes started from where it ends in the same shape."""
    value = op.results[0]
    same = _reshaped_from(op.operands[0], value.type)
    if same is not None:
        value.replace_all_uses_with(same)


def _reshaped_from(value: ir.Value, type_: ir.Type) -> ir.Value | None:
    """What has this type among `value` and what it was reshaped from: the same numbers in the same order."""
    # Types of dynamic sizes do not tell which these are.
    if not ir.ShapedType(type_).has_static_shape:
        return None
    while value.type != type_:
        owner = value.owner
        if isinstance(owner, ir.Block) or owner.name not in RESHAPES:
            return None
        value = owner.operands[0]
    return value
