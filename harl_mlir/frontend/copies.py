"""Padding, concatenation and slices, which are no linalg ops, as copies that are tuned like any other.

`tensor.pad` with a constant becomes a copy, and fills of what lies around, which are no tasks;
`tensor.concat` becomes copies; all are inserted into an empty tensor. What is inserted, or returned as a
slice, of what the function is given is copied by `linalg.copy`. What is computed for its place is left, as
it may be computed there, and so is the padding that a linalg op reads, unless it pads nothing: that of a
contraction is a member of its task (`tasks/padding.py`). Copies of what is computed are left out unless they
are inserted or returned, and so are transposes and broadcasts of it that change nothing; others become
copies, too: MLIR's canonicalization would take them away within a schedule. No result changes by it.
`passes/lib/Copies.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harl_mlir.frontend.program import BORDER, entry_block
from harl_mlir.mlir import ir, linalg, tensor

_VIEWS = ("tensor.cast", "tensor.collapse_shape", "tensor.expand_shape", "tensor.extract_slice")


def write_copies(function: ir.OpView) -> None:
    """Rewrite a function in place; one with branches, and ops of dynamic shapes, are left as they are."""
    if len(function.regions[0].blocks) != 1:
        return
    for view in list(entry_block(function).operations):
        op = view.operation
        if not all(_is_static(value.type) for value in (*op.operands, *op.results)):
            continue
        with ir.InsertionPoint(op), op.location:
            made = _rewritten(op)
        if made is not None:
            op.results[0].replace_all_uses_with(made)
            op.erase()
    end = list(entry_block(function).operations)[-1].operation
    for number, value in enumerate(end.operands):
        if _is_slice(value) and _is_given(value) and _is_static(value.type):
            with ir.InsertionPoint(end), end.location:
                end.operands[number] = _copy(value)


def _rewritten(op: ir.Operation) -> ir.Value | None:
    match op.name:
        case "tensor.pad":
            return _padded(op)
        case "tensor.concat":
            return _joined(op)
        case "tensor.insert_slice" if _is_given(op.operands[0]):
            return _inserted_as_it_was(op)
        case "linalg.copy" | "linalg.generic" | "linalg.transpose" | "linalg.broadcast" if _changes_nothing(
            op
        ):
            return _copy_at_most(op)
    return None


def _copy_at_most(op: ir.Operation) -> ir.Value | None:
    """What stands for an op that changes nothing: what it is of, unless that is given or a copy is wanted.

    A copy is wanted where it is inserted, and where it is returned: that is how the task of a copy that is
    inserted, with what it copies, looks by itself.
    """
    source, init = op.operands
    wanted = any(use.owner.name in ("tensor.insert_slice", "func.return") for use in op.results[0].uses)
    if not wanted and not _is_given(source):
        return source
    return None if op.name in ("linalg.copy", "linalg.generic") else _copied_to(source, init)


def _changes_nothing(op: ir.Operation) -> bool:
    """Whether a linalg op that moves elements, on tensors, leaves each where it is, and what it is."""
    if len(op.results) != 1 or len(op.operands) != 2 or op.operands[0].type != op.results[0].type:
        return False
    match op.name:
        case "linalg.transpose":
            order = list(ir.DenseI64ArrayAttr(op.attributes["permutation"]))
            return order == sorted(order)
        case "linalg.generic":
            block, maps = op.regions[0].blocks[0], [map_.value for map_ in op.attributes["indexing_maps"]]
            in_order = all(map_ == ir.AffineMap.get_identity(map_.n_dims) for map_ in maps)
            return bool(in_order and block.operations[-1].operands[0] == block.arguments[0])
    return True


def _padded(op: ir.Operation) -> ir.Value | None:
    kind, source = ir.RankedTensorType(op.results[0].type), op.operands[0]
    low = list(ir.DenseI64ArrayAttr(op.attributes["static_low"]))
    high = list(ir.DenseI64ArrayAttr(op.attributes["static_high"]))
    read = any(use.owner.name.startswith("linalg.") for use in op.results[0].uses)
    if read and kind == source.type and "nofold" not in op.attributes:
        return source
    if len(op.operands) > 1 or min((*low, *high, 0)) < 0 or read:
        return None
    value = op.regions[0].blocks[0].operations[-1].operands[0]
    if isinstance(value, ir.BlockArgument):
        return None
    if value.owner.parent == op:
        if value.owner.name != "arith.constant":
            return None
        value = value.owner.clone().results[0]
    whole = tensor.empty(kind.shape, kind.element_type)
    for at, shape in _border(ir.RankedTensorType(source.type).shape, low, high):
        around = linalg.fill(value, outs=[_slice(whole, at, shape)])
        around.owner.attributes[BORDER] = ir.UnitAttr.get()
        whole = _inserted(around, whole, at)
    return _insert(source, whole, low)


def _border(
    inside: Sequence[int], low: Sequence[int], high: Sequence[int]
) -> Iterator[tuple[list[int], list[int]]]:
    """What lies around something that is padded: offsets and sizes of blocks, none of which overlap."""
    at, shape = [0] * len(inside), [sum(sizes) for sizes in zip(low, inside, high, strict=True)]
    for d, extent in enumerate(inside):
        for start, size in ((0, low[d]), (low[d] + extent, high[d])):
            if size:
                yield [*at[:d], start, *at[d + 1 :]], [*shape[:d], size, *shape[d + 1 :]]
        at[d], shape[d] = low[d], extent


def _joined(op: ir.Operation) -> ir.Value:
    kind = ir.RankedTensorType(op.results[0].type)
    dimension = ir.IntegerAttr(op.attributes["dim"]).value
    whole = tensor.empty(kind.shape, kind.element_type)
    at = [0] * kind.rank
    for source in op.operands:
        whole = _insert(source, whole, at)
        at[dimension] += ir.RankedTensorType(source.type).shape[dimension]
    return whole


def _inserted_as_it_was(op: ir.Operation) -> ir.Value | None:
    source, whole = op.operands[:2]
    offsets = list(ir.DenseI64ArrayAttr(op.attributes["static_offsets"]))
    sizes = list(ir.DenseI64ArrayAttr(op.attributes["static_sizes"]))
    strides = list(ir.DenseI64ArrayAttr(op.attributes["static_strides"]))
    if len(op.operands) > 2 or sizes != list(ir.RankedTensorType(source.type).shape) or set(strides) != {1}:
        return None
    return _insert(source, whole, offsets)


def _insert(source: ir.Value, whole: ir.Value, at: Sequence[int]) -> ir.Value:
    """`whole` with `source` copied into it at an offset."""
    return _inserted(_copy(source), whole, at)


def _inserted(part: ir.Value, whole: ir.Value, at: Sequence[int]) -> ir.Value:
    segments = {"operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 1, 0, 0, 0])}
    made: ir.Value = ir.Operation.create(
        "tensor.insert_slice",
        results=[whole.type],
        operands=[part, whole],
        attributes={**_place(at, ir.RankedTensorType(part.type).shape), **segments},
    ).result
    return made


def _slice(whole: ir.Value, at: Sequence[int], shape: Sequence[int]) -> ir.Value:
    kind = ir.RankedTensorType.get(shape, ir.RankedTensorType(whole.type).element_type)
    segments = {"operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 0, 0, 0])}
    made: ir.Value = ir.Operation.create(
        "tensor.extract_slice", results=[kind], operands=[whole], attributes={**_place(at, shape), **segments}
    ).result
    return made


def _place(at: Sequence[int], shape: Sequence[int]) -> dict[str, ir.Attribute]:
    return {
        "static_offsets": ir.DenseI64ArrayAttr.get(list(at)),
        "static_sizes": ir.DenseI64ArrayAttr.get(list(shape)),
        "static_strides": ir.DenseI64ArrayAttr.get([1] * len(at)),
    }


def _copy(source: ir.Value) -> ir.Value:
    """A copy in a tensor of its own; the lowering puts it where it is inserted."""
    kind = ir.RankedTensorType(source.type)
    return _copied_to(source, tensor.empty(kind.shape, kind.element_type))


def _copied_to(source: ir.Value, init: ir.Value) -> ir.Value:
    made: ir.Value = linalg.copy(source, outs=[init])
    return made


def _is_slice(value: ir.Value) -> bool:
    return not isinstance(value, ir.BlockArgument) and value.owner.name == "tensor.extract_slice"


def _is_given(value: ir.Value) -> bool:
    """Whether it is an argument, a constant, or a view of one."""
    while not isinstance(value, ir.BlockArgument):
        if value.owner.name == "arith.constant":
            return True
        if value.owner.name not in _VIEWS:
            return False
        value = value.owner.operands[0]
    return True


def _is_static(kind: ir.Type) -> bool:
    return not isinstance(kind, ir.RankedTensorType) or kind.has_static_shape
