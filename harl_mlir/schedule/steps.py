"""The transform ops that a library's matching and driving sequences are made of.

Schedules themselves are written with `ScheduleBuilder`. All handles are `!transform.any_op`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from harl_mlir.mlir import ir, transform
from harl_mlir.schedule.handles import Handle, i64

# Numbers of MLIR's enumerations, for which the bindings have no names.
_LINALG_OP = 0
_EQUAL = 0
_PROPAGATE, _SUPPRESS = 1, 2


def named_sequence(
    module: ir.Module,
    name: str,
    *,
    consumes: bool = False,
    results: int = 0,
    attributes: Mapping[str, ir.Attribute] | None = None,
) -> Steps:
    """Append a named sequence of one op argument to `module`; the steps at the end of its body."""
    any_op = transform.AnyOpType.get()
    use = "transform.consumed" if consumes else "transform.readonly"
    with ir.InsertionPoint(module.body):
        sequence = transform.NamedSequenceOp(
            name, [any_op], [any_op] * results, arg_attrs=[{use: ir.UnitAttr.get()}]
        )
    for key, value in (attributes or {}).items():
        sequence.operation.attributes[key] = value
    return Steps(sequence.body)


class Steps:
    """Appends transform ops at the end of a block."""

    def __init__(self, block: ir.Block) -> None:
        self.block = block
        self._any = transform.AnyOpType.get()
        self._number = transform.ParamType.get(ir.IntegerType.get_signless(64))

    @property
    def sequence(self) -> ir.Operation:
        """The op whose body this is."""
        return self.block.owner.operation

    @property
    def argument(self) -> Handle:
        """The op the block was entered with."""
        return self.block.arguments[0]

    def match(
        self,
        scope: Handle,
        *,
        name: str | None = None,
        linalg: bool = False,
        attributes: Mapping[str, ir.Attribute] | None = None,
        operand_types: Sequence[ir.Type] | None = None,
        result_type: ir.Type | None = None,
    ) -> Handle:
        """All ops in `scope`, itself included, that are as told; every op if nothing is told."""
        told: dict[str, ir.Attribute] = {}
        if name is not None:
            told["ops"] = ir.ArrayAttr.get([ir.StringAttr.get(name)])
        if linalg:
            told["interface"] = _i32(_LINALG_OP)
        if attributes:
            told["op_attrs"] = ir.DictAttr.get(dict(attributes))
        if operand_types is not None:
            told["filter_operand_types"] = ir.ArrayAttr.get([ir.TypeAttr.get(t) for t in operand_types])
        if result_type is not None:
            told["filter_result_type"] = ir.TypeAttr.get(result_type)
        return self._op("transform.structured.match", [scope], self._any, told)

    def tagged(self, scope: Handle, tag: str) -> Handle:
        """All ops in `scope`, itself included, that carry a unit attribute."""
        return self.match(scope, attributes={tag: ir.UnitAttr.get()})

    def tag(self, op: Handle, tag: str) -> None:
        """Give ops a unit attribute."""
        self._do("transform.annotate", [op], {"name": ir.StringAttr.get(tag)})

    def producer(self, op: Handle, operand: int) -> Handle:
        """The op that produces operand number `operand`; fails if it is a block argument."""
        number = {"operand_number": i64(operand)}
        return self._op("transform.get_producer_of_operand", [op], self._any, number)

    def consumers(self, op: Handle) -> Handle:
        """The ops that use the op's first result."""
        number = {"result_number": i64(0)}
        return self._op("transform.get_consumers_of_result", [op], self._any, number)

    def require_one(self, handle: Handle) -> None:
        """Fail unless the handle holds exactly one op."""
        strict = {"pass_through_empty_handle": ir.BoolAttr.get(False)}
        self._op("transform.split_handle", [handle], self._any, strict)

    def require_count(self, handle: Handle, count: int) -> None:
        """Fail unless the handle holds exactly `count` ops."""
        found = self._op("transform.num_associations", [handle], self._number)
        wanted = self._op("transform.param.constant", [], self._number, {"value": i64(count)})
        self._do("transform.match.param.cmpi", [found, wanted], {"predicate": _i32(_EQUAL)})

    def functions_of(self, ops: Handle) -> Handle:
        """The functions around ops, each once; none for an op that is in none."""
        return transform.GetParentOp(
            self._any, ops, op_name="func.func", deduplicate=True, allow_empty_results=True, ip=self._end
        ).result

    def merge(self, handles: Sequence[Handle]) -> Handle:
        """One handle to the ops of all, each once."""
        if len(handles) == 1:
            return handles[0]
        return self._op("transform.merge_handles", handles, self._any, {"deduplicate": ir.UnitAttr.get()})

    def remark(self, op: Handle, message: str) -> None:
        """Say something at the place of each op."""
        self._do("transform.debug.emit_remark_at", [op], {"message": ir.StringAttr.get(message)})

    def include(self, sequence: str, argument: Handle) -> None:
        """Run a named sequence; its failure is this one's."""
        self._do("transform.include", [argument], _included(sequence))

    def include_found(self, sequence: str, argument: Handle) -> Handle:
        """Run a named sequence with one result."""
        return self._op("transform.include", [argument], self._any, _included(sequence))

    def dce(self, op: Handle) -> None:
        """Dead code elimination."""
        self._do("transform.apply_dce", [op])

    def finish(self, *results: Handle) -> None:
        """End the block."""
        transform.YieldOp(list(results), ip=self._end)

    @contextmanager
    def each(self, handle: Handle) -> Iterator[Steps]:
        """The steps for each op of a handle in turn."""
        with self._region("transform.foreach", handle, {}) as steps:
            yield steps

    @contextmanager
    def attempt(self, op: Handle) -> Iterator[Steps]:
        """Steps whose failure is no failure of what is around; a failed step does not stop the next."""
        attributes = {
            "failure_propagation_mode": _i32(_SUPPRESS),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([1, 0]),
        }
        with self._region("transform.sequence", op, attributes) as steps:
            yield steps

    def or_else(self, scope: Handle) -> tuple[Steps, Steps]:
        """Two alternatives, each on a copy of `scope`: the second runs if the first fails.

        The copy on which one succeeded replaces `scope`. Both need `finish()`.
        """
        made = ir.Operation.create("transform.alternatives", operands=[scope], regions=2, ip=self._end)
        return self._enter(made.regions[0]), self._enter(made.regions[1])

    @property
    def _end(self) -> ir.InsertionPoint:
        return ir.InsertionPoint(self.block)

    def _enter(self, region: ir.Region) -> Steps:
        return Steps(region.blocks.append(self._any, arg_locs=[ir.Location.unknown()]))

    @contextmanager
    def _region(self, name: str, operand: Handle, attributes: Mapping[str, ir.Attribute]) -> Iterator[Steps]:
        made = ir.Operation.create(
            name, operands=[operand], attributes=dict(attributes), regions=1, ip=self._end
        )
        steps = self._enter(made.regions[0])
        yield steps
        steps.finish()

    def _op(
        self,
        name: str,
        operands: Sequence[Handle],
        result: ir.Type,
        attributes: Mapping[str, ir.Attribute] | None = None,
    ) -> Handle:
        made = ir.Operation.create(
            name, results=[result], operands=list(operands), attributes=dict(attributes or {}), ip=self._end
        )
        return made.results[0]

    def _do(
        self, name: str, operands: Sequence[Handle], attributes: Mapping[str, ir.Attribute] | None = None
    ) -> None:
        ir.Operation.create(name, operands=list(operands), attributes=dict(attributes or {}), ip=self._end)


def _included(sequence: str) -> dict[str, ir.Attribute]:
    target = ir.FlatSymbolRefAttr.get(sequence)
    return {"target": target, "failure_propagation_mode": _i32(_PROPAGATE)}


def _i32(value: int) -> ir.IntegerAttr:
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(32), value)
