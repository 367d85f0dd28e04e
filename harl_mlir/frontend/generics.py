"""Making a `linalg.generic` from others: operands, maps, a body copied from theirs; bodies that are cheap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harl_mlir.mlir import ir

_CHEAP = frozenset(
    {
        "arith.addf", "arith.subf", "arith.mulf", "arith.negf", "arith.maximumf", "arith.minimumf",
        "arith.constant", "arith.extf", "arith.truncf", "arith.sitofp",
    }
)  # fmt: skip
_MOST_CHEAP = 4


def are_cheap(body: Sequence[str]) -> bool:
    """Whether the ops of a body, by name but for the yield, may as well be computed once for each use."""
    return len(body) <= _MOST_CHEAP and all(name in _CHEAP for name in body)


def generic_like(
    op: ir.Operation,
    operands: Sequence[ir.Value],
    maps: Sequence[ir.AffineMap],
    results: int,
    iterators: Sequence[ir.Attribute],
) -> ir.Operation:
    """A generic before `op`, in its place of the source, with an empty body that takes all operands.

    Its last `results` operands are the inits.
    """
    inits = operands[len(operands) - results :]
    with ir.InsertionPoint(op), op.location:
        made = ir.Operation.create(
            "linalg.generic",
            results=[init.type for init in inits],
            operands=list(operands),
            attributes={
                "indexing_maps": ir.ArrayAttr.get([ir.AffineMapAttr.get(map_) for map_ in maps]),
                "iterator_types": ir.ArrayAttr.get(list(iterators)),
                "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(operands) - results, results]),
            },
            regions=1,
        )
        elements = [v.type.element_type if isinstance(v.type, ir.ShapedType) else v.type for v in operands]
        made.regions[0].blocks.append(*elements, arg_locs=[op.location] * len(elements))
    return made


def copy_body(ops: Iterable[ir.Operation], values: dict[ir.Value, ir.Value], into: ir.Operation) -> None:
    """Append copies of a body's ops; `values` maps what they use to what the copies use, and grows."""
    with ir.InsertionPoint(into.regions[0].blocks[0]):
        for op in ops:
            copy = op.clone()
            for number, value in enumerate(copy.operands):
                if value in values:
                    copy.operands[number] = values[value]
            values.update(zip(op.results, copy.results, strict=True))


def end_body(op: ir.Operation, values: Sequence[ir.Value]) -> None:
    """Append the yield."""
    with ir.InsertionPoint(op.regions[0].blocks[0]), op.location:
        ir.Operation.create("linalg.yield", operands=list(values))
