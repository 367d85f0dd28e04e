"""Polynomials in the place of calls of the math library: `approximate` accuracy.

What each function is made of, and how far it may be off, is in `approximate.mlir`.
"""

from __future__ import annotations

from pathlib import Path

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import func, ir

_FUNCTIONS = Path(__file__).with_name("approximate.mlir")
_NAMES = {f"math.{name}": name for name in ("exp", "log", "tanh", "erf")}


def approximate_math(module: ir.Module) -> None:
    """Replace `math.exp`, `log`, `tanh` and `erf` of f32, or of vectors of f32, by arithmetic, in place.

    Other element types, and other functions, are left to the math library.
    """
    found = [op for op in all_ops(module.operation) if op.name in _NAMES and _is_single(op.results[0].type)]
    if not found:
        return
    functions = _Functions(ir.Module.parse(_FUNCTIONS.read_text()))
    for op in found:
        with ir.InsertionPoint(op), op.location:
            value = functions.inline(_NAMES[op.name], op.operands[0])
        op.results[0].replace_all_uses_with(value)
        op.erase()


class _Functions:
    """The functions of `approximate.mlir`."""

    def __init__(self, module: ir.Module) -> None:
        self._module = module
        self._blocks = {
            op.opview.name.value: op.opview.body.blocks[0]
            for op in module.body.operations
            if isinstance(op.opview, func.FuncOp)
        }

    def inline(self, name: str, argument: ir.Value) -> ir.Value:
        """The function's ops at the insertion point, for scalars or vectors as `argument` is."""
        block = self._blocks[name]
        values = {block.arguments[0]: argument}
        for view in block.operations:
            op = view.operation
            operands = [values[value] for value in op.operands]
            if op.name == "func.return":
                return operands[0]
            if op.name == "func.call":
                made = self.inline(ir.FlatSymbolRefAttr(op.attributes["callee"]).value, operands[0])
            else:
                made = _widened(op, operands, argument.type)
            values[op.results[0]] = made
        raise ValueError(f"@{name} returns nothing")


def _widened(op: ir.Operation, operands: list[ir.Value], like: ir.Type) -> ir.Value:
    """A copy of a scalar op, for vectors of the shape of `like` if that is one."""
    kind = op.results[0].type
    attributes = {name: op.attributes[name] for name in op.attributes}
    if isinstance(like, ir.VectorType):
        kind = ir.VectorType.get(like.shape, kind)
        if op.name == "arith.constant":
            attributes["value"] = ir.DenseElementsAttr.get_splat(kind, attributes["value"])
    copy: ir.Value = ir.Operation.create(
        op.name, results=[kind], operands=operands, attributes=attributes
    ).result
    return copy


def _is_single(kind: ir.Type) -> bool:
    element = kind.element_type if isinstance(kind, ir.VectorType) else kind
    scalable = isinstance(kind, ir.VectorType) and kind.scalable
    return isinstance(element, ir.F32Type) and not scalable
