"""The padding of a contraction's operand, as a member of its task: facts of a `tensor.pad`.

Its loop nest is that of its result, and its body yields `tensor.pad(element, value)`: the element that the
input's map names or, where that lies outside of the input, the value. Rows of that map are `d0 - low`.
"""

from __future__ import annotations

from harl_mlir.frontend.program import constant_number, made_by
from harl_mlir.mlir import ir
from harl_mlir.tasks.facts import ELEMENT, attribute_text
from harl_mlir.tasks.linalg_op import PAD, BodyOp, LinalgOp, Operand


def padding_facts(op: ir.Operation) -> LinalgOp | None:
    """The facts of a `tensor.pad` by one number that one linalg op reads as an input; None of other ops."""
    uses = list(op.results[0].uses) if op.name == "tensor.pad" else []
    if len(uses) != 1 or len(op.operands) != 1 or not _is_input(uses[0], op.block):
        return None
    if made_by(op.operands[0], "linalg.fill") is not None:
        return None
    given, made = (ir.RankedTensorType(value.type) for value in (op.operands[0], op.results[0]))
    element = str(made.element_type)
    low = list(ir.DenseI64ArrayAttr(op.attributes["static_low"]))
    high = list(ir.DenseI64ArrayAttr(op.attributes["static_high"]))
    constant = made_by(op.regions[0].blocks[0].operations[-1].operands[0], "arith.constant")
    known = given.has_static_shape and made.has_static_shape and ELEMENT.fullmatch(element)
    if (
        not known
        or constant is None
        or made.encoding is not None
        or 0 in given.shape
        or min((*low, *high, 0)) < 0
    ):
        return None
    number = constant_number(constant)
    if number is None or not given.rank:
        return None
    loops = [[int(d == i) for d in range(made.rank)] for i in range(made.rank)]
    source = Operand(
        tuple(given.shape), element, tuple((*row, -by) for row, by in zip(loops, low, strict=True))
    )
    init = Operand(tuple(made.shape), element, tuple((*row, 0) for row in loops))
    body = (
        BodyOp("arith.constant", (), element, (("value", attribute_text(number)),)),
        BodyOp(PAD, (0, 2), element),
    )
    return LinalgOp(PAD, tuple(made.shape), ("parallel",) * made.rank, (source, init), body, 3)


def _is_input(use: ir.OpOperand, block: ir.Block) -> bool:
    user = use.owner.operation
    is_op = user.name.startswith("linalg.") and user.block == block
    return bool(is_op and use.operand_number < len(user.operands) - 1)
