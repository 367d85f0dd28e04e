"""Rewriting a convolution of an image with zeros inserted to one of the image; see `zero_insertion`."""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.frontend.program import linalg_ops, made_by
from harl_mlir.frontend.zero_insertion import Plan, Split, plan_of
from harl_mlir.mlir import arith, ir, linalg, tensor
from harl_mlir.tasks.linalg_op import AffineRow, loops_of

Row = dict[int, int]
"""Coefficients by loop, the constant under -1."""

_PURE = frozenset({"tensor.insert_slice", "linalg.fill", "tensor.empty", "arith.constant"})


def skip_inserted_zeros(function: ir.OpView) -> None:
    """Rewrite, in place, every linalg op of a function that convolves an image with zeros inserted.

    Multiply-adds of any rank and layout are rewritten where each strided dimension meets one output
    and one window loop, of step one, and the stride divides its outputs. The zeros and the
    inserted image stay where something else uses them.
    """
    for op in linalg_ops(function):
        plan = plan_of(op)
        if plan is not None:
            _Rewrite(op, plan).run()


class _Rewrite:
    """Replaces one op; new loops stand where the old ones stood, the phase behind its output loop."""

    def __init__(self, op: ir.Operation, plan: Plan) -> None:
        self.op = op
        self.plan = plan
        self.facts = plan.facts
        self.kinds: list[str] = []
        self.loops: dict[int, int] = {}
        self.phases: dict[int, int] = {}
        for loop, kind in enumerate(self.facts.iterators):
            self.loops[loop] = len(self.kinds)
            self.kinds.append(kind)
            if plan.output(loop):
                self.phases[loop] = len(self.kinds)
                self.kinds.append("parallel")

    def run(self) -> None:
        plan, op = self.plan, self.op
        with ir.InsertionPoint(op), op.location:
            operands = list(op.operands)
            operands[plan.image] = self._image()
            operands[plan.filter] = self._filter(operands[plan.filter])
            operands[2] = self._init(operands[2])
            new = self._generic(operands)
            whole = tensor.CollapseShapeOp(op.results[0].type, new.results[0], self._grouping(2)).result
        op.results[0].replace_all_uses_with(whole)
        inserted = list(op.operands)
        op.erase()
        for value in inserted:
            _erase_unused(value)

    def _generic(self, operands: list[ir.Value]) -> ir.Operation:
        iterators = [ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in self.kinds]
        made = ir.Operation.create(
            "linalg.generic",
            results=[operands[2].type],
            operands=operands,
            attributes={
                "indexing_maps": ir.ArrayAttr.get([self._map(i) for i in range(3)]),
                "iterator_types": ir.ArrayAttr.get(iterators),
                "operandSegmentSizes": ir.DenseI32ArrayAttr.get([2, 1]),
            },
            regions=1,
        )
        self.op.regions[0].blocks[0].append_to(made.regions[0])
        return made

    # Maps.

    def _map(self, operand: int) -> ir.AffineMapAttr:
        rows: list[Row] = []
        for row in self.facts.operands[operand].map:
            rows += self._image_rows(row) if operand == self.plan.image else self._split_rows(row)
        expressions = [_expression(row) for row in rows]
        return ir.AffineMapAttr.get(ir.AffineMap.get(len(self.kinds), 0, expressions))

    def _image_rows(self, row: AffineRow) -> list[Row]:
        made = self._renumbered(row)
        for loop in loops_of(row):
            split = self.plan.output(loop)
            if split is not None and not split.turned:
                made[self.phases[loop]] = 1
        return [made]

    def _split_rows(self, row: AffineRow) -> list[Row]:
        made = [self._renumbered(row)]
        for loop in loops_of(row):
            if self.plan.output(loop):
                made.append({self.phases[loop]: 1})
            split = self.plan.window(loop)
            if split is not None:
                phase = self.phases[split.output]
                made.append({phase: -1, -1: split.stride - 1} if split.turned else {phase: 1})
        return made

    def _renumbered(self, row: AffineRow) -> Row:
        return {**{self.loops[loop]: row[loop] for loop in loops_of(row)}, -1: row[-1]}

    # Operands.

    def _split_at(self, row: AffineRow) -> Split | None:
        """The split of a dimension of the filter or the result."""
        splits = (self.plan.output(loop) or self.plan.window(loop) for loop in loops_of(row))
        return next((split for split in splits if split is not None), None)

    def _grouping(self, operand: int) -> list[list[int]]:
        """The dimensions after splitting that each dimension became."""
        groups: list[list[int]] = []
        following = 0
        for row in self.facts.operands[operand].map:
            count = 2 if self._split_at(row) else 1
            groups.append(list(range(following, following + count)))
            following += count
        return groups

    def _expanded(self, operand: int, value: ir.Value) -> ir.Value:
        shape: list[int] = []
        for row, extent in zip(self.facts.operands[operand].map, value.type.shape, strict=True):
            split = self._split_at(row)
            shape += [extent // split.stride, split.stride] if split else [extent]
        type_ = ir.RankedTensorType.get(shape, value.type.element_type)
        return tensor.ExpandShapeOp(type_, value, self._grouping(operand), [], shape).result

    def _filter(self, value: ir.Value) -> ir.Value:
        splits = [self._split_at(row) for row in self.facts.operands[self.plan.filter].map]
        low = [split.front if split else 0 for split in splits]
        shape = [
            extent + (split.front + split.back if split else 0)
            for extent, split in zip(value.type.shape, splits, strict=True)
        ]
        return self._expanded(self.plan.filter, _padded(value, low, shape))

    def _image(self) -> ir.Value:
        insertion, splits = self.plan.insertion, self.plan.splits
        low = [splits[d].low if d in splits else offset for d, offset in enumerate(insertion.offsets)]
        shape = [splits[d].extent if d in splits else extent for d, extent in enumerate(insertion.shape)]
        return _padded(insertion.op.operands[0], low, shape)

    def _init(self, value: ir.Value) -> ir.Value:
        """A fill stays one, so that it can be fused."""
        fill = made_by(value, "linalg.fill")
        if fill is None:
            return self._expanded(2, value)
        return linalg.fill(fill.operands[0], outs=[self._expanded(2, fill.operands[1])])


def _padded(value: ir.Value, low: Sequence[int], shape: Sequence[int]) -> ir.Value:
    """`value` at `low` in zeros of `shape`."""
    sizes = list(value.type.shape)
    if sizes == list(shape):
        return value
    element = value.type.element_type
    zero = arith.ConstantOp(element, _zero(element)).result
    empty = tensor.EmptyOp(list(shape), element).result
    zeros = linalg.fill(zero, outs=[empty])
    steps = [1] * len(sizes)
    part = tensor.ExtractSliceOp(value.type, zeros, [], [], [], list(low), sizes, steps).result
    copied = linalg.copy(value, outs=[part])
    return tensor.InsertSliceOp(copied, zeros, [], [], [], list(low), sizes, steps).result


def _zero(element: ir.Type) -> ir.Attribute:
    if isinstance(element, ir.IntegerType):
        return ir.IntegerAttr.get(element, 0)
    return ir.FloatAttr.get(element, 0.0)


def _expression(row: Row) -> ir.AffineExpr:
    made = ir.AffineExpr.get_constant(row.get(-1, 0))
    for loop, coefficient in sorted(row.items()):
        if loop >= 0:
            made = made + ir.AffineExpr.get_dim(loop) * coefficient
    return made


def _erase_unused(value: ir.Value) -> None:
    """Erase the op behind a value, and those behind it, as far as nothing uses them."""
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.name not in _PURE:
        return
    if any(len(list(result.uses)) for result in owner.results):
        return
    operands = list(owner.operands)
    owner.operation.erase()
    for operand in operands:
        _erase_unused(operand)
