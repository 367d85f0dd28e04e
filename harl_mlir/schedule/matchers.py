"""Matching a task in a program from within a transform script.

A pattern is matched from the root: its kind, attributes, operand types and body; then each operand
that is made by another member, by walking to its producer; then the constants. Values that pass from
member to member may have no other use.

What a script cannot see, and what is therefore not compared: which of its block arguments a body op
reads where the types are equal (`a - b` against `b - a`), and what produces the operands from outside
or uses the result. Such ops have the same loops, maps, types and arithmetic, so a schedule for one is
a correct schedule for the other.
"""

from __future__ import annotations

from harl_mlir.frontend.fills import is_fill
from harl_mlir.mlir import ir
from harl_mlir.schedule.handles import Handle
from harl_mlir.schedule.spelling import Pattern
from harl_mlir.schedule.steps import Steps

# What decides the meaning of a linalg op besides its operands and its body.
_ATTRIBUTES = frozenset(
    {
        "indexing_maps",
        "iterator_types",
        "strides",
        "dilations",
        "dimensions",
        "permutation",
        "kind",
        "cast",
        "static_low",
        "static_high",
    }
)
_WRITTEN_BODIES = frozenset({"linalg.generic", "linalg.map", "linalg.reduce", "tensor.pad"})
_BODY_DEFAULTS = frozenset(
    {"#arith.fastmath<none>", "#arith.overflow<none>", "#arith.rounding_mode<to_nearest_even>"}
)


def emit_find(steps: Steps, scope: Handle, op: ir.Operation) -> Handle:
    """All ops in `scope` spelled like `op`, bodies not compared."""
    return steps.match(
        scope,
        name=op.name,
        attributes=_attributes(op),
        operand_types=[value.type for value in op.operands],
        result_type=op.results[0].type if len(op.results) == 1 else None,
    )


def find_text(op: ir.Operation) -> str:
    """What `emit_find` looks for, as text: equal where it finds the same ops."""
    attributes = {name: str(value) for name, value in sorted(_attributes(op).items())}
    return f"{op.name} {attributes} {[str(value.type) for value in (*op.operands, *op.results)]}"


def emit_check(steps: Steps, root: Handle, pattern: Pattern) -> None:
    """Steps that fail unless `root` is the root of a group that `pattern` describes."""
    numbers = {op: i for i, op in enumerate(pattern.ops)}
    handles: dict[ir.Operation, Handle] = {pattern.ops[-1]: root}
    # Consumers come after producers, so from the last op each is reached before it is looked at.
    for op in reversed(pattern.ops):
        handle = handles.get(op)
        if handle is None:
            continue
        spelled = pattern.spelled[numbers[op]]
        _check_op(steps, handle, spelled)
        # A fill may be shared: each task gets its own.
        if op != pattern.ops[-1] and not is_fill(spelled):
            steps.require_count(steps.consumers(handle), len(list(op.results[0].uses)))
        for number, value in enumerate(op.operands):
            owner = value.owner
            if isinstance(owner, ir.Block):
                continue
            made = owner.operation
            if made in numbers:
                producer = steps.producer(handle, number)
                if made not in handles:
                    handles[made] = producer
                elif not is_fill(pattern.spelled[numbers[made]]):
                    steps.require_one(steps.merge([handles[made], producer]))
            elif made.name == "arith.constant":
                _check_value(steps, steps.producer(handle, number), made)


def _check_op(steps: Steps, handle: Handle, op: ir.Operation) -> None:
    steps.require_one(emit_find(steps, handle, op))
    if op.name not in _WRITTEN_BODIES:
        return
    body = list(op.regions[0].blocks[0].operations)
    steps.require_count(steps.match(handle), 1 + len(body))
    _check_operands(steps, steps.match(handle, name=body[-1].operation.name), body[-1].operation, set())


def _check_operands(steps: Steps, handle: Handle, op: ir.Operation, seen: set[ir.Operation]) -> None:
    """Compare, all the way up, what computes the operands of a body op; constants may be outside."""
    for number, value in enumerate(op.operands):
        owner = value.owner
        if isinstance(owner, ir.Block) or owner.operation in seen:
            continue
        seen.add(owner.operation)
        producer = steps.producer(handle, number)
        _check_value(steps, producer, owner.operation)
        _check_operands(steps, producer, owner.operation, seen)


def _check_value(steps: Steps, handle: Handle, op: ir.Operation) -> None:
    attributes = {
        name: op.attributes[name] for name in op.attributes if str(op.attributes[name]) not in _BODY_DEFAULTS
    }
    steps.require_one(
        steps.match(handle, name=op.name, attributes=attributes, result_type=op.results[0].type)
    )


def _attributes(op: ir.Operation) -> dict[str, ir.Attribute]:
    return {
        name: op.attributes[name]
        for name in op.attributes
        if name in _ATTRIBUTES and not _is_default(name, op.attributes[name])
    }


def _is_default(name: str, attribute: ir.Attribute) -> bool:
    """Whether the attribute may as well be left out, so that it cannot be asked for.

    The shapes tell strides and dilations of one from others, but for windows that do not reach the end.
    """
    if name in ("strides", "dilations"):
        return all(value == 1 for value in ir.DenseIntElementsAttr(attribute))
    return name == "cast" and "cast_signed" in str(attribute)
