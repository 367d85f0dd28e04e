"""Buffers of i1, an element of which takes a byte, read and written as bytes.

LLVM packs the lanes of a vector of i1 into bits where it is loaded or stored, and MLIR's lowering of
vectors does not know: what it reads from such a buffer, or writes there, is wrong. So vectors are moved as
i8, which become i1 in registers. Single numbers of i1 are right, but no loop that loads or stores them is
vectorised by LLVM: they become i8 in the LLVM dialect. `passes/lib/MaskBytes.cpp` does the same.
"""

from __future__ import annotations

from harl_mlir.codegen.buffer_views import AS_BYTES
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import PassManager, arith, ir

_MASK = "vector.mask"
_WRITES = ("vector.transfer_write", "vector.store")
"""They take what is written, then the buffer; the others begin with the buffer."""
_MOVES = frozenset(
    f"vector.{name}"
    for name in (
        "transfer_read", "transfer_write", "load", "store", "maskedload", "maskedstore", "gather", "scatter",
        "expandload", "compressstore",
    )
)  # fmt: skip


def move_masks_as_bytes(module: ir.Module) -> int:
    """Have vector ops read and write buffers of i1 as buffers of i8; how many do."""
    found = _on_masks(module)
    if any(op.parent is not None and op.parent.name == _MASK for op in found):
        PassManager.parse("builtin.module(func.func(lower-vector-mask))").run(module.operation)
        found = _on_masks(module)
    for op in found:
        with ir.InsertionPoint(op), op.location:
            _move_as_bytes(op)
    return len(found)


def _on_masks(module: ir.Module) -> list[ir.Operation]:
    ops = all_ops(module.operation)
    return [op for op in ops if op.name in _MOVES and _bytes_of(op.operands[_buffer(op)].type)]


def _buffer(op: ir.Operation) -> int:
    """Which operand is the buffer."""
    return 1 if op.name in _WRITES else 0


def _held(op: ir.Operation) -> int | None:
    """Which operand is written, or stands for what is not read."""
    if op.name in _WRITES:
        return 0
    if op.name == "vector.transfer_read":
        return 1 + int(ir.MemRefType(op.operands[0].type).rank)
    return None if op.name == "vector.load" else len(op.operands) - 1


def _bytes_of(kind: ir.Type) -> ir.MemRefType | None:
    """The buffer of i8 that lies as a buffer of i1 does."""
    if not isinstance(kind, ir.MemRefType) or not _is_bit(kind.element_type):
        return None
    buffer = ir.MemRefType(kind)
    return ir.MemRefType.get(buffer.shape, _byte(), buffer.layout, buffer.memory_space)


def _is_bit(kind: ir.Type) -> bool:
    return isinstance(kind, ir.IntegerType) and kind.width == 1


def _byte() -> ir.Type:
    return ir.IntegerType.get_signless(8)


def _move_as_bytes(op: ir.Operation) -> None:
    number, held = _buffer(op), _held(op)
    buffer = op.operands[number]
    # Both are the same pointer and sizes in the LLVM dialect, where the cast is gone.
    op.operands[number] = ir.Operation.create(AS_BYTES, [_bytes_of(buffer.type)], [buffer]).result
    if held is not None:
        op.operands[held] = _extended(op.operands[held])
    if len(op.results):
        result = op.results[0]
        result.set_type(_vector_of_bytes(result.type))
        with ir.InsertionPoint.after(op), op.location:
            none = arith.ConstantOp(result.type, ir.DenseElementsAttr.get_splat(result.type, _zero())).result
            made = arith.CmpIOp(arith.CmpIPredicate.ne, result, none)
        result.replace_all_uses_except(made.result, made.operation)


def _extended(value: ir.Value) -> ir.Value:
    wide = _vector_of_bytes(value.type) if isinstance(value.type, ir.VectorType) else _byte()
    return arith.ExtUIOp(wide, value).result


def _vector_of_bytes(kind: ir.Type) -> ir.VectorType:
    vector = ir.VectorType(kind)
    return ir.VectorType.get(vector.shape, _byte(), scalable=vector.scalable_dims)


def _zero() -> ir.Attribute:
    return ir.IntegerAttr.get(_byte(), 0)


def move_single_masks_as_bytes(module: ir.Module) -> int:
    """Load and store numbers of i1 as i8 in the LLVM dialect; how many are."""
    count = 0
    for op in all_ops(module.operation):
        with ir.InsertionPoint(op), op.location:
            if op.name == "llvm.store" and _is_bit(op.operands[0].type):
                op.operands[0] = ir.Operation.create("llvm.zext", [_byte()], [op.operands[0]]).result
                count += 1
            elif op.name == "llvm.load" and _is_bit(op.results[0].type):
                _load_byte(op)
                count += 1
    return count


def _load_byte(op: ir.Operation) -> None:
    attributes = {name: op.attributes[name] for name in op.attributes}
    held = ir.Operation.create("llvm.load", [_byte()], list(op.operands), attributes=attributes).result
    none = ir.Operation.create("llvm.mlir.constant", [_byte()], attributes={"value": _zero()}).result
    predicate = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 1)
    made = ir.Operation.create(
        "llvm.icmp", [op.results[0].type], [held, none], attributes={"predicate": predicate}
    )
    op.results[0].replace_all_uses_with(made.result)
    op.erase()
