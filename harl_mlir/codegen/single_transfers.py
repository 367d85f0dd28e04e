"""Transfers of single numbers from and to buffers whose numbers do not lie side by side, as loads and stores.

`vector.transfer_read` of a `vector<f32>` has no lowering in MLIR where the last stride of the buffer is not
one, and what was lowered around it does not fit it. `passes/lib/SingleTransfers.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir

_READ, _WRITE = "vector.transfer_read", "vector.transfer_write"


def load_single_numbers(module: ir.Module) -> int:
    """Have `memref.load` and `memref.store` move what no vector op can; how many do."""
    found = [op for op in all_ops(module.operation) if op.name in (_READ, _WRITE) and _is_stuck(op)]
    for op in found:
        vector = op.results[0].type if op.name == _READ else op.operands[0].type
        number = ir.VectorType(vector).element_type
        with ir.InsertionPoint(op), op.location:
            if op.name == _READ:
                # The last operand is what stands for numbers outside of the buffer.
                places = list(op.operands)[:-1]
                loaded = ir.Operation.create("memref.load", [number], places).result
                whole = ir.Operation.create("vector.broadcast", [vector], [loaded]).result
                op.results[0].replace_all_uses_with(whole)
            else:
                whole, *places = op.operands
                none = ir.DenseI64ArrayAttr.get([])
                taken = ir.Operation.create(
                    "vector.extract", [number], [whole], attributes={"static_position": none}
                )
                ir.Operation.create("memref.store", [], [taken.result, *places])
        op.erase()
    return len(found)


def _is_stuck(op: ir.Operation) -> bool:
    value, buffer = (op.results[0], op.operands[0]) if op.name == _READ else op.operands[:2]
    if ir.VectorType(value.type).rank or not isinstance(buffer.type, ir.MemRefType):
        return False
    indices = len(op.operands) - 2
    kind = ir.MemRefType(buffer.type)
    # One with a mask has an operand more.
    if indices != kind.rank or not kind.rank:
        return False
    strides, _ = kind.get_strides_and_offset()
    return bool(strides[-1] != 1)
