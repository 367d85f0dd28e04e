"""Fills and empty tensors that several ops share, taken apart."""

from __future__ import annotations

from harl_mlir.frontend.program import linalg_ops, made_by
from harl_mlir.mlir import ir


def is_fill(op: ir.Operation) -> bool:
    """Whether it writes one scalar everywhere: a `linalg.fill`, or one that was generalised."""
    if op.name == "linalg.fill":
        return True
    shaped = [value for value in op.operands if isinstance(value.type, ir.ShapedType)]
    return op.name == "linalg.generic" and len(shaped) == 1 and len(op.regions[0].blocks[0].operations) == 1


def part_fills(function: ir.OpView) -> None:
    """Give each linalg op of a function that takes a shared fill of a tensor one of its own, in place.

    A schedule fuses the fill of its op into the op's loops, and with it MLIR gives every later use what comes
    out of these loops: the fill of the next op would be gone.
    """
    for op in linalg_ops(function):
        if not is_fill(op) or not op.results:
            continue
        for use in list(op.results[0].uses)[1:]:
            user = use.owner.operation
            if user.name.startswith("linalg."):
                with ir.InsertionPoint(user):
                    user.operands[use.operand_number] = op.clone().results[0]


def part_empties(function: ir.OpView) -> None:
    """Give each linalg op of a function that takes a shared `tensor.empty` one of its own, in place.

    Where threads share several ops, the result of one would else be put in the place of another's,
    and be copied for it. The lowering makes equal ones one again.
    """
    for op in linalg_ops(function):
        own_empties(op)


def own_empties(op: ir.Operation) -> None:
    """Give an op a `tensor.empty` of its own in the place of each that others take too."""
    for number, value in enumerate(op.operands):
        empty = made_by(value, "tensor.empty")
        if empty is not None and len(list(value.uses)) > 1:
            with ir.InsertionPoint(op):
                op.operands[number] = empty.clone().results[0]
