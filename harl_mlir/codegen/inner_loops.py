"""Which `scf.forall` threads share: the outermost. Those inside run one iteration after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harl_mlir.frontend.program import ALONE, all_ops
from harl_mlir.mlir import arith, ir, scf

_LOOPS = frozenset({"scf.for", "scf.forall", "scf.while", "scf.parallel"})


def inner_loops_alone(module: ir.Module) -> None:
    """`scf.forall` -> `scf.for` in bufferized functions, but for those that threads share.

    These are in no other loop, and not marked for one thread.
    """
    for op in reversed(all_ops(module.operation)):
        if op.name == "scf.forall" and (ALONE in op.attributes or _is_in_loop(op)):
            _to_for(op.opview)


def _is_in_loop(op: ir.Operation) -> bool:
    around = op.parent
    while around is not None:
        if around.name in _LOOPS:
            return True
        around = around.operation.parent
    return False


def _to_for(forall: scf.ForallOp) -> None:
    with forall.location:
        with ir.InsertionPoint(forall):
            lower = _values(forall.staticLowerBound, forall.dynamicLowerBound)
            upper = _values(forall.staticUpperBound, forall.dynamicUpperBound)
            steps = _values(forall.staticStep, forall.dynamicStep)
        place = ir.InsertionPoint(forall)
        for index, *bounds in zip(forall.body.arguments, lower, upper, steps, strict=True):
            with place:
                loop = scf.ForOp(*bounds)
            with ir.InsertionPoint(loop.body):
                end = scf.YieldOp([])
            index.replace_all_uses_with(loop.induction_variable)
            place = ir.InsertionPoint(end)
    for op in list(forall.body.operations)[:-1]:
        op.move_before(end)
    forall.operation.erase()


def _values(static: Sequence[int], dynamic: Sequence[ir.Value]) -> list[ir.Value]:
    """Bounds as values; `dynamic` holds those that are no numbers."""
    given: Iterator[ir.Value] = iter(dynamic)
    index = ir.IndexType.get()
    return [
        next(given) if size == ir.ShapedType.get_dynamic_size() else arith.ConstantOp(index, size).result
        for size in static
    ]
