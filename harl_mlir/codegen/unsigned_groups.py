"""Contractions of groups of signed numbers become such of unsigned with signed ones, which is exact.

`vpdpbusd` multiplies unsigned by signed numbers. Where all are signed, 128 is added to the group that all
lanes share: `(a + 128) b = a b + 128 b`. What that adds to a lane does not depend on `a`, so that it is the
same for all rows of a register tile and all tiles that read the same panel. It is summed up once, by loops
like those that the products are summed up in, in front of the outermost loop in which the panel stays as it
is, and taken away from what the sums start from. Sums of i32 wrap.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from harl_mlir.codegen.buffer_views import VIEWS, root_of
from harl_mlir.codegen.group_contracts import SUMS, GroupContract, group_contracts
from harl_mlir.codegen.vectors import make, splat
from harl_mlir.frontend.program import constant_number, made_by
from harl_mlir.mlir import arith, ir, scf

_BIAS = -128
"""What is added, as signed and as unsigned numbers."""
_INITS = 3
"""Operands of an `scf.for` before the values that it starts from."""
_PURE = (
    "affine.apply", "affine.max", "affine.min", "ub.poison", "vector.extract", "vector.extract_strided_slice",
    "vector.shape_cast", *VIEWS,
)  # fmt: skip
_READS = ("vector.transfer_read", "vector.load", "memref.load")
_WRITES = ("vector.transfer_write", "vector.store", "vector.maskedstore", "memref.store", "memref.copy")


@dataclass(frozen=True)
class _Loop:
    """A loop that carries sums as its value `number`, and what it adds to them."""

    op: ir.Operation
    number: int
    steps: tuple[GroupContract | _Loop, ...]


_Steps = tuple[GroupContract | _Loop, ...]


def unsign_groups(module: ir.Module) -> None:
    """Rewrite the contractions of signed groups of a module in place.

    Those whose lanes' numbers cannot be read ahead are left as they are.
    """
    found = {contract.result: contract for contract in group_contracts(module, ("i8",)) if contract.is_signed}
    done: set[ir.Value] = set()
    sums: dict[tuple[ir.Value | None, ...], ir.Value] = {}
    for contract in found.values():
        if contract.result in done:
            continue
        steps, start = _steps(_end(contract.result, found), found)
        members = list(_contracts(steps))
        done.update(member.result for member in members)
        place = _place(steps)
        if place is None:
            continue
        key = (_name(place), *_names(steps))
        if key not in sums:
            with ir.InsertionPoint(place), contract.op.location:
                zero = splat(0, contract.result.type)
                sums[key] = _summed(steps, zero, {}, place)
        first = steps[0].op
        with ir.InsertionPoint(first), first.location:
            begun = arith.SubIOp(start, sums[key]).result
        first.operands[SUMS if isinstance(steps[0], GroupContract) else _INITS + steps[0].number] = begun
        for member in members:
            _make_unsigned(member)


def _make_unsigned(contract: GroupContract) -> None:
    op, shared = contract.op, contract.shared.value
    with ir.InsertionPoint(op), op.location:
        biased = arith.XOrIOp(shared, splat(_BIAS, shared.type)).result
    _put(op, contract, biased, contract.groups.value)


def _put(op: ir.Operation, contract: GroupContract, shared: ir.Value, groups: ir.Value) -> None:
    """Make `op`, a contraction like `contract`, one of these factors, the first of them unsigned."""
    wide = ir.VectorType(op.results[0].type).element_type
    for factor, value, name in ((contract.shared, shared, "extui"), (contract.groups, groups, "extsi")):
        with ir.InsertionPoint(op), op.location:
            widened = make(f"arith.{name}", [value], ir.VectorType.get(value.type.shape, wide))
            shape = op.operands[factor.operand].type.shape
            if shape != value.type.shape:
                widened = make("vector.broadcast", [widened], ir.VectorType.get(shape, wide))
            op.operands[factor.operand] = widened


# What becomes of sums.


def _end(value: ir.Value, found: Mapping[ir.Value, GroupContract]) -> ir.Value:
    """What sums are at last to which nothing but contractions and loops of such has added more."""
    while True:
        uses = list(value.uses)
        if len(uses) != 1:
            return value
        user, number = uses[0].owner.operation, uses[0].operand_number
        if user.name == "vector.contract" and number == SUMS and user.results[0] in found:
            value = user.results[0]
            continue
        loop = user.parent.operation if user.name == "scf.yield" else user
        if loop.name != "scf.for":
            return value
        number -= 0 if user.name == "scf.yield" else _INITS
        if number < 0 or _loop(loop, number, found) is None:
            return value
        value = loop.results[number]


def _steps(value: ir.Value, found: Mapping[ir.Value, GroupContract]) -> tuple[_Steps, ir.Value]:
    """What was added, in turn, to come to these sums, and what to; nothing else uses what is between."""
    steps: list[GroupContract | _Loop] = []
    while not isinstance(value, ir.BlockArgument) and (not steps or _is_used_once(value)):
        if value in found:
            steps.append(found[value])
            value = found[value].op.operands[SUMS]
            continue
        loop = value.owner.operation
        step = _loop(loop, value.result_number, found) if loop.name == "scf.for" else None
        if step is None:
            break
        steps.append(step)
        value = loop.operands[_INITS + step.number]
    return tuple(reversed(steps)), value


def _loop(op: ir.Operation, number: int, found: Mapping[ir.Value, GroupContract]) -> _Loop | None:
    """A loop as what it adds to a value that it carries; None where it does anything else with that."""
    body = op.regions[0].blocks[0]
    given, left = body.arguments[number + 1], list(body.operations)[-1].operands[number]
    steps, start = _steps(left, found)
    if not steps or start != given or not _is_used_once(given) or not _is_used_once(left):
        return None
    return _Loop(op, number, steps)


def _is_used_once(value: ir.Value) -> bool:
    return len(list(value.uses)) == 1


def _contracts(steps: _Steps) -> Iterator[GroupContract]:
    for step in steps:
        if isinstance(step, GroupContract):
            yield step
        else:
            yield from _contracts(step.steps)


def _loops(steps: _Steps) -> Iterator[ir.Operation]:
    for step in steps:
        if isinstance(step, _Loop):
            yield step.op
            yield from _loops(step.steps)


def _names(steps: _Steps) -> Iterator[ir.Value | None]:
    """What tells steps from others with regard to what is summed up."""
    for step in steps:
        if isinstance(step, GroupContract):
            yield step.groups.value
        else:
            yield _name(step.op)
            yield from _names(step.steps)
            yield None


def _name(op: ir.Operation) -> ir.Value:
    """A value that stands for a contraction or a loop: handles of the same op need not hash alike."""
    return op.regions[0].blocks[0].arguments[0] if len(op.regions) else op.results[0]


# Where they are summed up.


def _place(steps: _Steps) -> ir.Operation | None:
    """The op to sum up in front of; None where that cannot be done."""
    counted = {loop.regions[0].blocks[0].arguments[0] for loop in _loops(steps)}
    needed = [contract.groups.value for contract in _contracts(steps)]
    needed += [bound for loop in _loops(steps) for bound in list(loop.operands)[:_INITS]]
    place = steps[0].op
    if not all(_can_be_had(value, place, counted) for value in needed):
        return None
    while True:
        around = place.parent.operation
        if around.name != "scf.for" or not _is_run(around):
            return place
        if not all(_can_be_had(value, around, counted) for value in needed):
            return place
        place = around


def _is_run(loop: ir.Operation) -> bool:
    """Whether it is known to have a step."""
    bounds = [made_by(bound, "arith.constant") for bound in list(loop.operands)[:2]]
    if any(bound is None for bound in bounds):
        return False
    first, end = (ir.IntegerAttr(constant_number(bound)).value for bound in bounds if bound is not None)
    return bool(first < end)


def _can_be_had(value: ir.Value, place: ir.Operation, counted: Collection[ir.Value]) -> bool:
    """Whether a value is the same in front of `place`, or can be computed there."""
    if value in counted or _is_before(value, place):
        return True
    if isinstance(value, ir.BlockArgument):
        return False
    op = value.owner.operation
    if op.name in _READS:
        if not _is_unchanged(root_of(op.operands[0]), place):
            return False
    elif op.name not in _PURE and not op.name.startswith("arith."):
        return False
    return all(_can_be_had(operand, place, counted) for operand in op.operands)


def _is_before(value: ir.Value, place: ir.Operation) -> bool:
    if isinstance(value, ir.BlockArgument):
        return _in_block(place, value.owner) is not None
    around = _in_block(place, value.owner.operation.block)
    return around is not None and value.owner.operation.is_before_in_block(around)


def _in_block(op: ir.Operation, block: ir.Block) -> ir.Operation | None:
    """The op of `block` that `op` is, or is in."""
    while op.parent is not None:
        if op.block == block:
            return op
        op = op.parent.operation
    return None


def _is_unchanged(buffer: ir.Value, place: ir.Operation) -> bool:
    """Whether a buffer of its own is written nowhere from `place` to the end of its block."""
    if isinstance(buffer, ir.BlockArgument):
        if buffer.owner.owner.operation.name != "func.func":
            return False
    elif buffer.owner.name not in ("memref.alloc", "memref.alloca"):
        return False
    seen = [buffer]
    for each in seen:
        for use in each.uses:
            user = use.owner.operation
            if user.name in VIEWS:
                seen += user.results
            elif user.name in _WRITES or user.name.startswith("linalg."):
                around = _in_block(user, place.block)
                if around is not None and not around.is_before_in_block(place):
                    return False
            elif user.name not in _READS and user.name != "memref.dealloc":
                return False
    return True


# Summing up.


def _summed(steps: _Steps, total: ir.Value, known: dict[ir.Value, ir.Value], place: ir.Operation) -> ir.Value:
    """`total` with what the bias adds in `steps`; `known` has the values made for those of the steps."""
    for step in steps:
        if isinstance(step, GroupContract):
            groups = _had(step.groups.value, known, place)
            shared = splat(_BIAS, step.shared.value.type)
            op = step.op.clone()
            op.operands[SUMS] = total
            _put(op, step, shared, groups)
            total = op.results[0]
            continue
        lower, upper, width = (_had(bound, known, place) for bound in list(step.op.operands)[:_INITS])
        loop = scf.ForOp(lower, upper, width, [total])
        inside = known | {step.op.regions[0].blocks[0].arguments[0]: loop.induction_variable}
        with ir.InsertionPoint(loop.body):
            scf.YieldOp([_summed(step.steps, loop.inner_iter_args[0], inside, place)])
        total = loop.results[0]
    return total


def _had(value: ir.Value, known: dict[ir.Value, ir.Value], place: ir.Operation) -> ir.Value:
    """A value, or what computes it anew at the current place."""
    if value in known or _is_before(value, place):
        return known.get(value, value)
    operands = [_had(operand, known, place) for operand in value.owner.operands]
    op = value.owner.operation.clone()
    for number, operand in enumerate(operands):
        op.operands[number] = operand
    known.update(zip(value.owner.results, op.results, strict=True))
    return known[value]
