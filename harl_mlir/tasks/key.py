"""The canonical text of a task and its hash, the workload key.

Two tasks have equal keys exactly if their canonical texts are equal; names, places, weights and the
spelling of ops (`linalg.matmul` or an equal `linalg.generic`) are not part of it. The text is ASCII,
each line ends with one newline, and fields of a line are separated by one space:

    task 1
    then for each member, in order:
    op DIMS ITERATORS
    operand ELEMENT SHAPE MAP SOURCE     one line for each operand: the inputs, then the init
    body NAME RESULT OPERANDS ATTRIBUTES one line for each body op
    yield VALUE
    then once:
    return MEMBERS

    DIMS       loop extents joined by `x`, outermost first; `-` for none
    ITERATORS  `p` (parallel) or `r` (reduction) for each loop; `-` for none
    ELEMENT    `f32`, `i8`, `index`, ... as MLIR prints it
    SHAPE      sizes joined by `x`; `-` for rank 0; `scalar` for an operand that is no tensor
    MAP        rows joined by `;`, in the order of the operand's dimensions; `-` for none. A row is the
               coefficient of each loop, then the constant, joined by `,`
    SOURCE     `argument:N` (numbered in order of first use), `member:N`, `empty`, `constant:VALUE`
    NAME, RESULT  the op's full name (`arith.mulf`) and its result's type
    OPERANDS   value numbers joined by `,`; `-` for none. The body is in the normal form of `body.py`
    ATTRIBUTES `name=value` sorted by name and joined by `,`; `-` for none. `fastmath`,
               `overflowFlags` and their like are left out where they are at their default; an integer
               attribute is its decimal digits; any other but a float is as MLIR prints it
    VALUE      of a constant: for a float type the 16 lower-case hex digits of the value as an IEEE
               double (NaN always 7ff8000000000000), else decimal digits
    MEMBERS    numbers of the members whose results the task returns, joined by `,`

The key is the first 16 hex digits, in lower case, of the text's SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from harl_mlir.tasks.body import canonical_attributes, canonical_constant
from harl_mlir.tasks.linalg_op import LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source


def canonical_text(members: Sequence[Member], results: Sequence[int]) -> str:
    """The canonical text, as the module's docstring defines it."""
    lines = ["task 1"]
    for member in members:
        lines += _member(member)
    lines.append(f"return {_joined(results)}")
    return "\n".join(lines) + "\n"


def workload_key(members: Sequence[Member], results: Sequence[int]) -> str:
    """16 hex digits that name the workload."""
    return hash_text(canonical_text(members, results))


def hash_text(text: str) -> str:
    """The first 16 hex digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _member(member: Member) -> Iterator[str]:
    op = member.op
    yield f"op {_joined(op.dims, 'x')} {_iterators(op)}"
    for operand, source in zip(op.operands, member.sources, strict=True):
        origin = _source(source, operand.element)
        yield f"operand {operand.element} {_shape(operand)} {_map(operand)} {origin}"
    for body_op in op.body:
        attributes = ",".join(canonical_attributes(body_op)) or "-"
        yield f"body {body_op.name} {body_op.result} {_joined(body_op.operands)} {attributes}"
    yield f"yield {op.yields}"


def _joined(numbers: Iterable[int], separator: str = ",") -> str:
    return separator.join(str(n) for n in numbers) or "-"


def _iterators(op: LinalgOp) -> str:
    return "".join(kind[0] for kind in op.iterators) or "-"


def _shape(operand: Operand) -> str:
    return "scalar" if operand.is_scalar else _joined(operand.shape, "x")


def _map(operand: Operand) -> str:
    return ";".join(_joined(row) for row in operand.map) or "-"


def _source(source: Source, element: str) -> str:
    if source.kind in ("argument", "member"):
        return f"{source.kind}:{source.index}"
    if source.kind == "constant":
        return f"constant:{canonical_constant(source.number, element)}"
    return source.kind
