"""Finding ops in a transform script, and marking, splitting and merging the handles to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from harl_mlir.mlir import ir, structured, transform

Handle: TypeAlias = ir.Value


class Handles:
    """Appends transform ops that give handles at the end of `block`."""

    def __init__(self, block: ir.Block) -> None:
        self._point = ir.InsertionPoint(block)
        self._any = transform.AnyOpType.get()

    def producer(self, op: Handle, operand: int, name: str = "") -> Handle:
        """The op that produces operand number `operand` of `op`; with `name` the handle is typed as to it."""
        return self.op("transform.get_producer_of_operand", [op], (name,), operand_number=i64(operand))[0]

    def consumer(self, op: Handle) -> Handle:
        """The op that uses the result of `op`."""
        return self.op("transform.get_consumers_of_result", [op], 1, result_number=i64(0))[0]

    def match(self, within: Handle, *names: str) -> Handle:
        """All ops of these names nested in `within` (a loop nest the schedule itself made)."""
        return structured.MatchOp.match_op_names(within, list(names), ip=self._point).result

    def tag(self, op: Handle, name: str) -> None:
        """Mark ops with a unit attribute; it survives tiling, fusing, padding and peeling."""
        self.op("transform.annotate", [op], 0, name=ir.StringAttr.get(name))

    def mark(self, op: Handle, name: str, value: ir.Attribute) -> None:
        """Give ops an attribute."""
        held = ir.Operation.create(
            "transform.param.constant",
            results=[transform.AnyParamType.get()],
            attributes={"value": value},
            ip=self._point,
        )
        ir.Operation.create(
            "transform.annotate",
            operands=[op, held.result],
            attributes={"name": ir.StringAttr.get(name)},
            ip=self._point,
        )

    def tagged(self, within: Handle, *names: str) -> Handle:
        """All ops nested in `within` that carry all these tags."""
        wanted = ir.DictAttr.get({name: ir.UnitAttr.get() for name in names})
        return self.op("transform.structured.match", [within], 1, op_attrs=wanted)[0]

    def with_iterators(self, within: Handle, iterators: Sequence[str]) -> Handle:
        """All linalg ops nested in `within` whose loops are of these kinds, outermost first."""
        kinds = ir.ArrayAttr.get([ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in iterators])
        wanted = ir.DictAttr.get({"iterator_types": kinds})
        return self.op("transform.structured.match", [within], 1, op_attrs=wanted)[0]

    def split_handle(self, handle: Handle, count: int) -> list[Handle]:
        """The `count` ops of a handle, one handle each."""
        return self.op("transform.split_handle", [handle], count)

    def merge(self, *handles: Handle) -> Handle:
        """One handle to the ops of all."""
        return self.op("transform.merge_handles", list(handles), 1)[0]

    def parent_loop(self, op: Handle) -> Handle:
        """The innermost `scf.for` around `op`."""
        name = ir.StringAttr.get("scf.for")
        return self.op("transform.get_parent_op", [op], 1, op_name=name)[0]

    def cast(self, handle: Handle, name: str | None = None) -> Handle:
        """The same handle, typed as to ops `name`, or to any op."""
        kind = transform.OperationType.get(name) if name else self._any
        return transform.CastOp(kind, handle, ip=self._point).result

    def op(
        self,
        name: str,
        operands: Sequence[Handle],
        results: int | Sequence[str],
        /,
        **attributes: ir.Attribute,
    ) -> list[Handle]:
        """A transform op whose results are handles; `results` counts them or names their ops."""
        kinds = [""] * results if isinstance(results, int) else results
        made = ir.Operation.create(
            name,
            results=[transform.OperationType.get(kind) if kind else self._any for kind in kinds],
            operands=list(operands),
            attributes=attributes,
            ip=self._point,
        )
        return list(made.results)


def i64(value: int) -> ir.IntegerAttr:
    """An `i64` attribute."""
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)
