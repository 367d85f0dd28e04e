"""The places of the rows' greatest elements, found by the loop that finds the elements.

`frontend/arg_max.py` makes two reductions of an arg-max: the greatest elements, and the first places where
they stand. As loops over vectors each reads the row. Here the first loop also keeps, for each lane, the place
of what it keeps, and the second is left out: lanes whose element is the greatest of the row know its place.
Where a row holds a NaN, the second loop is done as before.

`passes/lib/FirstPlaces.cpp` does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.codegen.row_loops import (
    is_same,
    only_result,
    other_operand,
    reduced_to,
    same_steps,
    splat,
    spread_from,
)
from harl_mlir.codegen.vectors import make
from harl_mlir.frontend.generics import copy_body
from harl_mlir.frontend.program import all_ops, made_by
from harl_mlir.mlir import arith, ir, scf

_UEQ, _UNO = 8, 14


@dataclass(frozen=True)
class _Extremum:
    """A reduction that keeps what is `beyond` all others, from `start` on."""

    combiner: str
    start: float
    beyond: int


_EXTREMA = (
    _Extremum("arith.maximumf", float("-inf"), beyond=2),
    _Extremum("arith.minimumf", float("inf"), beyond=4),
)
_RESHAPING = ("vector.broadcast", "vector.shape_cast")
_PLACES = frozenset({"arith.addi", "arith.constant", "arith.index_cast", "vector.step", *_RESHAPING})


@dataclass(frozen=True)
class _Search:
    """A loop over a row that searches the first place where `element` is as `wanted`."""

    loop: ir.Operation
    element: ir.Value
    wanted: ir.Value
    place: ir.Value
    none: ir.Value


def first_places(module: ir.Module) -> None:
    """Leave out, in place, the loops that search what another loop over the same vectors finds."""
    # All found first: of what is inside a loop that is erased nothing may be asked any more.
    for op in [op for op in all_ops(module.operation) if op.name == "scf.for"]:
        search = _search_of(op)
        found = _kept(search.wanted) if search is not None else None
        if search is None or found is None:
            continue
        extremum, kept = found
        for value in reduced_to(kept, extremum.combiner):
            loop = made_by(value, "scf.for")
            if loop is not None and _goes_along(loop, search, extremum):
                _join(loop, search, extremum)
                break


def _search_of(loop: ir.Operation) -> _Search | None:
    body, before = only_result(loop)
    candidate = other_operand(body, before) if body is not None and body.name == "arith.minsi" else None
    if candidate is None:
        return None
    chosen = made_by(candidate, "arith.select")
    hit = None if chosen is None else made_by(chosen.operands[0], "arith.cmpf")
    if chosen is None or hit is None or _predicate(hit) != _UEQ:
        return None
    _, place, none = chosen.operands
    start = loop.operands[3]
    if splat(start) is None or splat(start) != splat(none) or not _grows(place, loop):
        return None
    element, wanted = hit.operands
    return _Search(loop, element, wanted, place, start)


def _predicate(compare: ir.Operation) -> int:
    return int(ir.IntegerAttr(compare.attributes["predicate"]).value)


def _grows(place: ir.Value, loop: ir.Operation) -> bool:
    """Whether all lanes of a place are the loop's step more at each step: a sum that has its number once."""
    induction, count, stack = loop.regions[0].blocks[0].arguments[0], 0, [place]
    while stack:
        value = stack.pop()
        if value == induction:
            count += 1
        elif isinstance(value.owner, ir.Block) or value.owner.name not in _PLACES:
            return False
        else:
            stack += list(value.owner.operands)
    return count == 1


def _kept(wanted: ir.Value) -> tuple[_Extremum, ir.Value] | None:
    """The rows' greatest elements of which each fills a row of `wanted`; an infinity stands for a NaN."""
    spread = spread_from(wanted)
    chosen = None if spread is None else made_by(spread, "arith.select")
    if chosen is None:
        return None
    is_nan, infinity, kept = chosen.operands
    compare = made_by(is_nan, "arith.cmpf")
    if compare is None or _predicate(compare) != _UNO or list(compare.operands) != [kept, kept]:
        return None
    for extremum in _EXTREMA:
        if splat(infinity) == -extremum.start:
            return extremum, kept
    return None


def _goes_along(loop: ir.Operation, search: _Search, extremum: _Extremum) -> bool:
    """Whether `loop` keeps the greatest of the elements that are searched, in the same steps."""
    combiner, before = only_result(loop)
    if combiner is None or combiner.name != extremum.combiner or splat(loop.operands[3]) != extremum.start:
        return False
    if not same_steps(loop, search.loop):
        return False
    lower, upper = (splat(bound) for bound in list(loop.operands)[:2])
    # Else there is no first place.
    if lower is None or upper is None or lower >= upper:
        return False
    element = other_operand(combiner, before)
    steps = [each.regions[0].blocks[0].arguments[0] for each in (loop, search.loop)]
    return element is not None and is_same(element, search.element, {steps[0]: steps[1]})


def _join(loop: ir.Operation, search: _Search, extremum: _Extremum) -> None:
    """Keep the places in `loop`; the search is left for vectors that hold a NaN."""
    made, kept = _with_places(loop, search, extremum)
    _, places, nans = made.results
    with ir.InsertionPoint(loop), loop.location:
        nan = _filled(kept.type, ir.FloatAttr.get(kept.type.element_type, float("nan")))
        known = arith.SelectOp(nans, nan, kept).result
    loop.results[0].replace_all_uses_with(known)
    with ir.InsertionPoint(search.loop), search.loop.location:
        i1 = nans.type.element_type
        dims = ir.DenseI64ArrayAttr.get(list(range(len(nans.type.shape))))
        kind = ir.Attribute.parse("#vector.kind<or>")
        none = arith.ConstantOp(i1, 0).result
        any_ = make("vector.multi_reduction", [nans, none], i1, kind=kind, reduction_dims=dims)
        chosen = scf.IfOp(any_, [search.none.type], has_else=True)
    search.loop.results[0].replace_all_uses_with(chosen.results[0])
    with ir.InsertionPoint(chosen.then_block), search.loop.location:
        scf.YieldOp([search.loop.clone().results[0]])
    with ir.InsertionPoint(chosen.else_block), search.loop.location:
        hit = arith.CmpFOp(_UEQ, kept, search.wanted).result
        scf.YieldOp([arith.SelectOp(hit, places, search.none).result])
    search.loop.erase()
    loop.erase()


def _with_places(loop: ir.Operation, search: _Search, extremum: _Extremum) -> tuple[scf.ForOp, ir.Value]:
    """`loop` anew: it keeps the elements that are no NaNs, their places, and which lanes had a NaN.

    Returns the elements too.
    """
    lower, upper, step, start = loop.operands
    number = search.loop.regions[0].blocks[0].arguments[0]
    with ir.InsertionPoint(loop), loop.location:
        lanes = ir.VectorType.get(start.type.shape, ir.IntegerType.get_signless(1))
        no_nan = _filled(lanes, ir.BoolAttr.get(False))
        # A row of nothing but infinities has the first place.
        made = scf.ForOp(lower, upper, step, [start, _narrow(search.place, {number: lower}), no_nan])
    old = loop.regions[0].blocks[0]
    values = dict(zip(old.arguments, made.body.arguments, strict=False))
    combiner, before = only_result(loop)
    element = None if combiner is None else other_operand(combiner, before)
    copy_body(
        [op.operation for op in old.operations if op.operation != combiner][:-1], values, made.operation
    )
    induction, kept, place, nans = made.body.arguments
    with ir.InsertionPoint(made.body), loop.location:
        read = values[element]
        beyond = arith.CmpFOp(extremum.beyond, read, kept).result
        is_nan = arith.CmpFOp(_UNO, read, read).result
        here = _narrow(search.place, {number: induction})
        scf.YieldOp(
            [
                arith.SelectOp(beyond, read, kept).result,
                arith.SelectOp(beyond, here, place).result,
                arith.OrIOp(nans, is_nan).result,
            ]
        )
    return made, made.results[0]


def _filled(kind: ir.Type, number: ir.Attribute) -> ir.Value:
    return arith.ConstantOp(kind, ir.DenseElementsAttr.get_splat(kind, number)).result


def _narrow(place: ir.Value, known: Mapping[ir.Value, ir.Value]) -> ir.Value:
    """`place` computed anew at the insertion point in its own type, and not as indices, which are wider."""
    if place in known:
        return known[place]
    element = ir.ShapedType(place.type).element_type

    def of(value: ir.Value) -> ir.Value:
        owner = None if value in known else value.owner
        if owner is not None and owner.name in ("arith.index_cast", "arith.addi", *_RESHAPING):
            parts = [of(operand) for operand in owner.operands]
            if owner.name == "arith.index_cast":
                return parts[0]
            kind = ir.VectorType.get(value.type.shape, element)
            return make(owner.name, parts, kind)
        number = known[value] if owner is None else owner.operation.clone().results[0]
        shape = getattr(value.type, "shape", None)
        kind = element if shape is None else ir.VectorType.get(shape, element)
        return number if number.type == kind else arith.IndexCastOp(kind, number).result

    return of(place)
