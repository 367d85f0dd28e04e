"""Vectors of 9, 17, 25, ... bf16, which LLVM cannot compile for processors with AVX512-BF16.

It halves such a vector until one of 8 and one of a single number are left, and then ends the process: "Do not
know how to soft promote this operator's operand". That holds for arithmetic and for stores. So they get seven
lanes more, of which nothing is known, and are read and written in two parts: all but the last number, and the
last eight. (What is read as a whole and only cut afterwards, LLVM makes one vector of that length again.)
`passes/lib/BF16Lengths.cpp` does the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir

_STEP = 8
_BYTES = 2
_VECTOR = re.compile(r"vector<((?:\d+x)*)(\d+)xbf16>")
_NEUTRAL: Mapping[str, float] = {"fadd": -0.0, "fmul": 1.0}
_REDUCE = "llvm.intr.vector.reduce."
_AS_THEY_ARE = frozenset(
    f"llvm.{name}"
    for name in (
        "br", "cond_br", "switch", "insertvalue", "extractvalue", "insertelement", "extractelement",
        "mlir.poison", "mlir.undef", "mlir.zero",
    )
)  # fmt: skip


def holds_bf16_vectors(module: ir.Module) -> bool:
    """Whether anything before the last stage of the lowering is a vector of bf16."""
    return any(_is_bf16_vector(v.type) for op in all_ops(module.operation) for v in op.results)


def _is_bf16_vector(kind: ir.Type) -> bool:
    return isinstance(kind, ir.VectorType) and isinstance(kind.element_type, ir.BF16Type)


def pad_bf16_vectors(module: ir.Module) -> int:
    """Give vectors of bf16 of those lengths seven lanes more, in the LLVM dialect; how many ops have one."""
    found = [(op, length) for op in all_ops(module.operation) if (length := _odd_length(op))]
    firsts = [_lanes(op.operands[0]) if len(op.operands) else 0 for op, _ in found]
    values = [result for op, _ in found for result in op.results]
    values += [v for op, _ in found for block in (op.block, *op.successors) for v in block.arguments]
    for value in values:
        value.set_type(_padded(str(value.type), value.type.context) or value.type)
    for (op, length), first in zip(found, firsts, strict=True):
        with ir.InsertionPoint(op), op.location:
            if op.name == "llvm.shufflevector":
                _renumber(op, first)
            else:
                _mend(op, length)
    return len(found)


def _lanes(value: ir.Value) -> int:
    return int(value.type.shape[0]) if isinstance(value.type, ir.VectorType) else 0


def _odd_length(op: ir.Operation) -> int:
    """Of the vectors that an op takes or makes the length that is to change, or 0."""
    lengths = (_length(str(value.type)) for value in (*op.operands, *op.results))
    return next(filter(None, lengths), 0)


@cache
def _length(kind: str) -> int:
    found = _VECTOR.search(kind)
    length = int(found[2]) if found else 0
    return length if length > _STEP and length % _STEP == 1 else 0


def _padded(kind: str, context: ir.Context) -> ir.Type | None:
    if not _length(kind):
        return None
    wide = _VECTOR.sub(lambda m: f"vector<{m[1]}{int(m[2]) + _STEP - 1}xbf16>", kind)
    return ir.Type.parse(wide, context)


def _mend(op: ir.Operation, length: int) -> None:
    wide = length + _STEP - 1
    if op.name == "llvm.load":
        _load_in_parts(op, length)
    elif op.name == "llvm.store":
        _store_in_parts(op, length)
    elif op.name == "llvm.mlir.constant":
        _widen_constant(op)
    elif op.name in ("llvm.intr.masked.load", "llvm.intr.masked.store"):
        number = len(op.operands) - (2 if op.name.endswith("load") else 1)
        mask = op.operands[number]
        none = _constant(f"dense<false> : vector<{length}xi1>", mask.type)
        op.operands[number] = _shuffle(mask, none, [min(lane, length) for lane in range(wide)])
    elif op.name.startswith(_REDUCE):
        _fill(op, length)
    elif op.name not in _AS_THEY_ARE:
        _resize_others(op, length)


def _load_in_parts(op: ir.Operation, length: int) -> None:
    wide, [place] = op.results[0].type, op.operands
    element, lanes = wide.element_type, wide.shape[0]
    first = _make("llvm.load", [place], ir.VectorType.get([length - 1], element), **_kept(op))
    last = _make("llvm.load", [_last_place(place, length)], ir.VectorType.get([_STEP], element), **_least(op))
    first = _shuffle(first, first, [lane if lane < length - 1 else -1 for lane in range(lanes)])
    last = _shuffle(last, last, [lane if lane < _STEP else -1 for lane in range(lanes)])
    both = [*range(length - 1), lanes + _STEP - 1, *[-1] * (_STEP - 1)]
    op.results[0].replace_all_uses_with(_shuffle(first, last, both))
    op.erase()


def _store_in_parts(op: ir.Operation, length: int) -> None:
    value, place = op.operands
    first = _shuffle(value, value, list(range(length - 1)))
    last = _shuffle(value, value, list(range(length - _STEP, length)))
    ir.Operation.create("llvm.store", operands=[first, place], attributes=_kept(op))
    ir.Operation.create("llvm.store", operands=[last, _last_place(place, length)], attributes=_least(op))
    op.erase()


def _kept(op: ir.Operation) -> dict[str, ir.Attribute]:
    return {name: op.attributes[name] for name in ("alignment", "nontemporal") if name in op.attributes}


def _least(op: ir.Operation) -> dict[str, ir.Attribute]:
    return {**_kept(op), "alignment": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), _BYTES)}


def _last_place(place: ir.Value, length: int) -> ir.Value:
    """Where the last eight begin."""
    indices = ir.DenseI32ArrayAttr.get([length - _STEP])
    element = ir.TypeAttr.get(ir.BF16Type.get(place.context))
    return _make("llvm.getelementptr", [place], place.type, rawConstantIndices=indices, elem_type=element)


def _widen_constant(op: ir.Operation) -> None:
    """Only where all elements are one value; others the lowering does not make of bf16."""
    held = ir.DenseElementsAttr(op.attributes["value"])
    if not held.is_splat:
        raise ValueError(f"a constant of bf16 with different elements: {held.type}")
    kind = _padded(str(held.type), op.context)
    op.attributes["value"] = ir.DenseElementsAttr.get_splat(kind, held.get_splat_value())


def _renumber(op: ir.Operation, first: int) -> None:
    """Mend a shuffle of two vectors that had `first` lanes."""
    more = _lanes(op.operands[0]) - first
    lanes = [lane if lane < first else lane + more for lane in ir.DenseI32ArrayAttr(op.attributes["mask"])]
    unknown = [-1] * (_lanes(op.results[0]) - len(lanes))
    op.attributes["mask"] = ir.DenseI32ArrayAttr.get(lanes + unknown)


def _fill(op: ir.Operation, length: int) -> None:
    """Give the further lanes what changes no result of a reduction."""
    number = len(op.operands) - 1
    vector, neutral = op.operands[number], _NEUTRAL.get(op.name.removeprefix(_REDUCE))
    lanes = [lane if lane < length else 0 for lane in range(length + _STEP - 1)]
    other = vector
    if neutral is not None:
        other = _constant(f"dense<{neutral}> : {vector.type}", vector.type)
        lanes = list(range(length)) + [length + _STEP - 1] * (_STEP - 1)
    op.operands[number] = _shuffle(vector, other, lanes)


def _resize_others(op: ir.Operation, length: int) -> None:
    """Make the other vectors of an op, which goes element by element, as long as those of bf16 are now."""
    wide = length + _STEP - 1
    for number, value in enumerate(op.operands):
        if isinstance(value.type, ir.VectorType) and value.type.shape == [length]:
            lanes = [lane if lane < length else -1 for lane in range(wide)]
            op.operands[number] = _shuffle(value, value, lanes)
    for result in op.results:
        if isinstance(result.type, ir.VectorType) and result.type.shape == [length]:
            result.set_type(ir.VectorType.get([wide], result.type.element_type))
            with ir.InsertionPoint.after(op):
                short = _shuffle(result, result, list(range(length)))
            result.replace_all_uses_except(short, short.owner.operation)


def _shuffle(first: ir.Value, second: ir.Value, lanes: list[int]) -> ir.Value:
    kind = ir.VectorType.get([len(lanes)], ir.VectorType(first.type).element_type)
    return _make("llvm.shufflevector", [first, second], kind, mask=ir.DenseI32ArrayAttr.get(lanes))


def _constant(value: str, kind: ir.Type) -> ir.Value:
    return _make("llvm.mlir.constant", [], kind, value=ir.Attribute.parse(value))


def _make(name: str, operands: list[ir.Value], kind: ir.Type, **attributes: ir.Attribute) -> ir.Value:
    made: ir.Value = ir.Operation.create(name, [kind], operands, attributes=attributes).result
    return made
