"""The normal form of a linalg body, so that equal bodies written differently become equal.

1. Only what the yielded value needs is kept.
2. Every value has a digest. That of block argument `i` is `%i`. That of an op is the SHA-256, in
   lower-case hex, of the UTF-8 text `NAME(OPERANDS){ATTRIBUTES}RESULT`: the operands' digests joined
   by `,`; the attributes as `canonical_attributes` writes them; the result's type.
   For ops of `COMMUTATIVE` the operands are first sorted: block arguments by number, then ops by digest.
3. Values with equal digests are one value.
4. Ops are numbered as a depth-first walk from the yielded value finishes them, operands in the order
   of step 2. Block arguments come first, numbered 0, 1, ...
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence

from harl_mlir.tasks.linalg_op import BodyOp

COMMUTATIVE = frozenset(
    {
        "arith.addf", "arith.addi", "arith.andi", "arith.maximumf", "arith.maxnumf", "arith.maxsi",
        "arith.maxui", "arith.minimumf", "arith.minnumf", "arith.minsi", "arith.minui", "arith.mulf",
        "arith.muli", "arith.ori", "arith.xori",
    }
)  # fmt: skip


def normalise(arguments: int, ops: Sequence[BodyOp], yields: int) -> tuple[tuple[BodyOp, ...], int]:
    """The normal form of a body with `arguments` block arguments; what it yields, renumbered."""
    digests = [f"%{i}" for i in range(arguments)]
    ordered: list[BodyOp] = []
    for op in ops:
        operands = op.operands
        if op.name in COMMUTATIVE:
            operands = tuple(sorted(operands, key=lambda v: _rank(v, arguments, digests)))
        attributes = tuple(sorted(op.attributes))
        ordered.append(BodyOp(op.name, operands, op.result, attributes))
        digests.append(_digest(ordered[-1], digests))
    numbers = {digests[i]: i for i in range(arguments)}
    kept: list[BodyOp] = []
    # An explicit stack: bodies may be deeper than Python's recursion allows.
    stack = [yields]
    while stack:
        value = stack[-1]
        if digests[value] in numbers:
            stack.pop()
            continue
        op = ordered[value - arguments]
        missing = [v for v in op.operands if digests[v] not in numbers]
        if missing:
            stack.append(missing[0])
            continue
        operands = tuple(numbers[digests[v]] for v in op.operands)
        numbers[digests[value]] = arguments + len(kept)
        kept.append(BodyOp(op.name, operands, op.result, op.attributes))
        stack.pop()
    return tuple(kept), numbers[digests[yields]]


def canonical_attributes(op: BodyOp) -> list[str]:
    """`name=value` sorted by name; the value of a constant as `canonical_constant` writes it."""
    texts = []
    for name, value in sorted(op.attributes):
        if op.name == "arith.constant" and name == "value":
            number = float(value) if is_float(op.result) else int(value)
            value = canonical_constant(number, op.result)
        texts.append(f"{name}={value}")
    return texts


def canonical_constant(number: float | int, element: str) -> str:
    """16 hex digits of an IEEE double for a float type (one NaN only), else decimal digits."""
    if not is_float(element):
        return str(int(number))
    if math.isnan(number):
        return "7ff8000000000000"
    return struct.pack(">d", float(number)).hex()


def is_float(element: str) -> bool:
    """Whether `f32`, `bf16`, ... and not `i32` or `index`."""
    return element.startswith(("f", "bf"))


def _rank(value: int, arguments: int, digests: Sequence[str]) -> tuple[int, str]:
    return (value, "") if value < arguments else (arguments, digests[value])


def _digest(op: BodyOp, digests: Sequence[str]) -> str:
    operands = ",".join(digests[v] for v in op.operands)
    attributes = ",".join(canonical_attributes(op))
    return hashlib.sha256(f"{op.name}({operands}){{{attributes}}}{op.result}".encode()).hexdigest()
