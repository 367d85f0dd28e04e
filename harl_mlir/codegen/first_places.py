"""The places of the rows' greatest elements, found by the loop that finds the elements.

`frontend/arg_max.py` makes two reductions of an arg-max: the greatest elements, and the first places where
they stand. As loops over vectors, which `lane_extrema.py` makes of the second, each reads the row. Here the
first loop also keeps, for each lane, the place of what it keeps, and the second is left out: lanes whose
element is the greatest of the row know its place. Where a row of floats holds a NaN, the second loop is done
as before.

`passes/lib/FirstPlaces.cpp` does the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.codegen.lane_extrema import keep_lanes
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
from harl_mlir.frontend.arg_max import start_of
from harl_mlir.frontend.generics import copy_body
from harl_mlir.frontend.program import all_ops, made_by
from harl_mlir.mlir import arith, ir, scf

_EQ, _UEQ, _UNO = 0, 8, 14


@dataclass(frozen=True)
class _Extremum:
    """A reduction that keeps what is `beyond` all others, by a predicate of `arith.cmpf` or `arith.cmpi`."""

    combiner: str
    beyond: int

    @property
    def is_float(self) -> bool:
        return self.combiner.endswith("f")


_EXTREMA = (
    _Extremum("arith.maximumf", beyond=2),
    _Extremum("arith.minimumf", beyond=4),
    _Extremum("arith.maxsi", beyond=4),
    _Extremum("arith.minsi", beyond=2),
    _Extremum("arith.maxui", beyond=8),
    _Extremum("arith.minui", beyond=6),
)
_RESHAPING = ("vector.broadcast", "vector.shape_cast")
_PLACES = frozenset({"arith.addi", "arith.constant", "arith.index_cast", "vector.step", *_RESHAPING})


_EQUAL = {("arith.cmpf", _UEQ), ("arith.cmpi", _EQ)}


@dataclass(frozen=True)
class _Search:
    """A loop over a row that searches the first place where `element` is as `wanted`."""

    loop: ir.Operation
    element: ir.Value
    wanted: ir.Value
    place: ir.Value
    none: ir.Value

    @property
    def is_float(self) -> bool:
        return isinstance(self.element.type.element_type, ir.FloatType)


def first_places(module: ir.Module) -> None:
    """Leave out, in place, the loops that search what another loop over the same vectors finds."""
    keep_lanes(module)
    # All found first: of what is inside a loop that is erased nothing may be asked any more.
    for op in [op for op in all_ops(module.operation) if op.name == "scf.for"]:
        search = _search_of(op)
        kept = None if search is None else _kept(search)
        if search is None or kept is None:
            continue
        found = (
            (loop, extremum)
            for extremum in _EXTREMA
            for value in reduced_to(kept, extremum.combiner)
            for loop in [made_by(value, "scf.for")]
            if loop is not None and _goes_along(loop, search, extremum)
        )
        loop, extremum = next(found, (None, None))
        if loop is not None and extremum is not None:
            _join(loop, search, extremum)


def _search_of(loop: ir.Operation) -> _Search | None:
    body, before = only_result(loop)
    candidate = other_operand(body, before) if body is not None and body.name == "arith.minsi" else None
    if candidate is None:
        return None
    chosen = made_by(candidate, "arith.select")
    hit = (
        None if chosen is None or isinstance(chosen.operands[0].owner, ir.Block) else chosen.operands[0].owner
    )
    if chosen is None or hit is None or (hit.name, _predicate(hit)) not in _EQUAL:
        return None
    _, place, none = chosen.operands
    start = loop.operands[3]
    if splat(start) is None or splat(start) != splat(none) or not _grows(place, loop):
        return None
    element, wanted = hit.operands
    return _Search(loop, element, wanted, place, start)


def _predicate(compare: ir.Operation) -> int | None:
    """Of a comparison."""
    if compare.name not in ("arith.cmpf", "arith.cmpi"):
        return None
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


def _kept(search: _Search) -> ir.Value | None:
    """The rows' greatest elements, of which each fills a row of what is wanted; a NaN became an infinity."""
    spread = spread_from(search.wanted)
    if not search.is_float:
        return spread
    chosen = None if spread is None else made_by(spread, "arith.select")
    if chosen is None:
        return None
    is_nan, infinity, kept = chosen.operands
    compare = made_by(is_nan, "arith.cmpf")
    if compare is None or _predicate(compare) != _UNO or list(compare.operands) != [kept, kept]:
        return None
    number = splat(infinity)
    return kept if isinstance(number, float) and math.isinf(number) else None


def _goes_along(loop: ir.Operation, search: _Search, extremum: _Extremum) -> bool:
    """Whether `loop` keeps the greatest of the elements that are searched, in the same steps."""
    combiner, before = only_result(loop)
    start = loop.operands[3]
    if combiner is None or combiner.name != extremum.combiner or not same_steps(loop, search.loop):
        return False
    if splat(start) != start_of(extremum.combiner, start.type.element_type):
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
    made = _with_places(loop, search, extremum)
    kept, places, *nans = made.results
    known = kept
    with ir.InsertionPoint(loop), loop.location:
        for lanes in nans:
            nan = _filled(kept.type, ir.FloatAttr.get(kept.type.element_type, float("nan")))
            known = arith.SelectOp(lanes, nan, kept).result
    loop.results[0].replace_all_uses_with(known)
    with ir.InsertionPoint(search.loop), search.loop.location:
        found = _found(search, kept, places, nans[0]) if nans else _at_greatest(search, kept, places)
    search.loop.results[0].replace_all_uses_with(found)
    search.loop.erase()
    loop.erase()


def _at_greatest(search: _Search, kept: ir.Value, places: ir.Value) -> ir.Value:
    """The places of the lanes that keep the greatest element of their row, at the insertion point."""
    equal = (
        arith.CmpFOp(_UEQ, kept, search.wanted) if search.is_float else arith.CmpIOp(_EQ, kept, search.wanted)
    )
    return arith.SelectOp(equal.result, places, search.none).result


def _found(search: _Search, kept: ir.Value, places: ir.Value, nans: ir.Value) -> ir.Value:
    """The same where no lane had a NaN, else what the search finds."""
    i1 = nans.type.element_type
    dims = ir.DenseI64ArrayAttr.get(list(range(len(nans.type.shape))))
    kind = ir.Attribute.parse("#vector.kind<or>")
    none = arith.ConstantOp(i1, 0).result
    any_ = make("vector.multi_reduction", [nans, none], i1, kind=kind, reduction_dims=dims)
    chosen = scf.IfOp(any_, [search.none.type], has_else=True)
    with ir.InsertionPoint(chosen.then_block):
        scf.YieldOp([search.loop.clone().results[0]])
    with ir.InsertionPoint(chosen.else_block):
        scf.YieldOp([_at_greatest(search, kept, places)])
    return chosen.results[0]


def _with_places(loop: ir.Operation, search: _Search, extremum: _Extremum) -> scf.ForOp:
    """`loop` anew: it keeps elements that are no NaNs, their places and, of floats, which lanes had a NaN."""
    lower, upper, step, start = loop.operands
    number = search.loop.regions[0].blocks[0].arguments[0]
    with ir.InsertionPoint(loop), loop.location:
        # A row of nothing but what it starts from has the first place.
        carried = [start, _narrow(search.place, {number: lower})]
        if extremum.is_float:
            lanes = ir.VectorType.get(start.type.shape, ir.IntegerType.get_signless(1))
            carried.append(_filled(lanes, ir.BoolAttr.get(False)))
        made = scf.ForOp(lower, upper, step, carried)
    old = loop.regions[0].blocks[0]
    values = dict(zip(old.arguments, made.body.arguments, strict=False))
    combiner, before = only_result(loop)
    element = None if combiner is None else other_operand(combiner, before)
    copy_body(
        [op.operation for op in old.operations if op.operation != combiner][:-1], values, made.operation
    )
    induction, kept, place, *nans = made.body.arguments
    with ir.InsertionPoint(made.body), loop.location:
        read = values[element]
        compare = arith.CmpFOp if extremum.is_float else arith.CmpIOp
        beyond = compare(extremum.beyond, read, kept).result
        nans = [arith.OrIOp(lanes, arith.CmpFOp(_UNO, read, read).result).result for lanes in nans]
        here = _narrow(search.place, {number: induction})
        taken = [arith.SelectOp(beyond, new, old).result for new, old in ((read, kept), (here, place))]
        scf.YieldOp([*taken, *nans])
    return made


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
