"""`vector.contract`s of groups of numbers, as the schedules of dot products leave them.

`C[n] += A[p] * B[n, p]` for one group of steps `p`: of two bf16 into f32, or of four i8 into i32.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir
from harl_mlir.processor import DOT_PRODUCTS

SUMS = 2
"""The operand of a `vector.contract` that its products are added to."""
_SHARED, _ALL, _RESULT = "(d0, d1) -> (d1)", "(d0, d1) -> (d0, d1)", "(d0, d1) -> (d0)"
_WIDENED = ("arith.extui", "arith.extsi", "arith.extf")


@dataclass(frozen=True)
class Factor:
    """A vector of narrow numbers that are widened: which operand comes of it, and whether they are signed."""

    operand: int
    value: ir.Value
    signed: bool


@dataclass(frozen=True)
class GroupContract:
    """A contraction of the group that all lanes share with the groups of all lanes."""

    op: ir.Operation
    shared: Factor
    groups: Factor

    @property
    def element(self) -> str:
        """The type of the factors' numbers."""
        return str(self.groups.value.type.element_type)

    @property
    def is_signed(self) -> bool:
        """Whether all numbers are signed, for which there is no instruction."""
        return self.element == "i8" and self.shared.signed and self.groups.signed

    @property
    def result(self) -> ir.Value:
        """The sums with the products."""
        return self.op.results[0]


def group_contracts(module: ir.Module, elements: Collection[str]) -> list[GroupContract]:
    """Those of a module whose factors have one of these element types, in program order."""
    return [
        contract
        for contract in map(_contract, all_ops(module.operation))
        if contract is not None and contract.element in elements
    ]


def _contract(op: ir.Operation) -> GroupContract | None:
    if op.parent is not None and op.parent.name == "vector.mask":
        return None
    if op.name != "vector.contract" or len(op.operands) != 3 or "<add>" not in str(op.attributes["kind"]):
        return None
    maps = [str(each)[len("affine_map<") : -1] for each in op.attributes["indexing_maps"]]
    result = op.results[0].type
    if maps[2] != _RESULT or not {*maps[:2]} <= {_SHARED, _ALL} or not isinstance(result, ir.VectorType):
        return None
    shared, groups = sorted((_factor(op, n) for n in range(2)), key=lambda each: each.value.type.rank)
    element = str(groups.value.type.element_type)
    dot = DOT_PRODUCTS.get(element)
    if (
        dot is None
        or str(shared.value.type.element_type) != element
        or str(result.element_type) != dot.total
        or list(shared.value.type.shape) != [dot.group]
        or list(groups.value.type.shape) != [result.shape[0], dot.group]
        or not (shared.signed or groups.signed)
    ):
        return None
    return GroupContract(op, shared, groups)


def _factor(op: ir.Operation, operand: int) -> Factor:
    """An operand before it was widened, and broadcast to all lanes."""
    value, signed = op.operands[operand], True
    for names in (_WIDENED, ("vector.broadcast",), _WIDENED):
        if not isinstance(value, ir.BlockArgument) and value.owner.name in names:
            made = value.owner
            # A sign that was extended is part of a larger unsigned number.
            if made.name == "arith.extsi" and not signed:
                break
            if isinstance(made.operands[0].type, ir.VectorType):
                signed = signed and made.name != "arith.extui"
                value = made.operands[0]
    return Factor(operand, value, signed)
