"""The place of each row's greatest or least element, as two reductions that vectors can do.

torch-mlir's one loop keeps the element and its place together. Here the rows are first reduced to their
greatest elements, and then to the first place where that is found. If a row holds a NaN, its element is a
NaN either way; its place is then that of the first NaN or infinity (of the sign that is looked for), where
the loop ends with the place of the greatest before the NaN. Hence this is not for `strict` accuracy, but
of integers.
"""

from __future__ import annotations

from dataclasses import dataclass

from harl_mlir.frontend.generics import copy_body, end_body, generic_like
from harl_mlir.frontend.program import constant_number, indexing_maps, made_by
from harl_mlir.mlir import arith, ir, linalg, tensor

_PREDICATES = {
    "arith.maximumf": 2,
    "arith.minimumf": 4,
    "arith.maxsi": 4,
    "arith.minsi": 2,
    "arith.maxui": 8,
    "arith.minui": 6,
}
"""That an element is beyond what is kept: ogt and olt of floats, sgt, slt, ugt and ult of integers."""
_EQ, _UEQ, _UNO = 0, 8, 14
_WIDTHS = (8, 16, 32, 64)
_LAST_PLACE = 2**31 - 1


@dataclass(frozen=True)
class _ArgMax:
    """The parts of a loop that keeps elements and places."""

    value: ir.Value
    maps: tuple[ir.AffineMap, ir.AffineMap]
    combiner: ir.Operation

    @property
    def is_float(self) -> bool:
        return self.combiner.name in ("arith.maximumf", "arith.minimumf")


def start_of(combiner: str, element: ir.Type) -> float | int:
    """What no element is below, of a greatest one, or above, of a least one: the number of its attribute."""
    if combiner in ("arith.maximumf", "arith.minimumf"):
        return float("-inf") if combiner == "arith.maximumf" else float("inf")
    least = -(1 << (int(element.width) - 1))
    return {"arith.maxsi": least, "arith.minsi": -least - 1, "arith.maxui": 0, "arith.minui": -1}[combiner]


def split_arg_max(op: ir.Operation, *, strict: bool) -> None:
    """Replace a generic that finds elements and their places, if it is one; of integers only if `strict`."""
    found = _recognised(op)
    if found is None or (strict and found.is_float):
        return
    kinds = list(op.attributes["iterator_types"])
    values = generic_like(op, [found.value, op.operands[1]], list(found.maps), 1, iterators=kinds)
    arguments = list(values.regions[0].blocks[0].arguments)
    outer = list(op.regions[0].blocks[0].arguments)
    copies = {outer[0]: arguments[0], outer[1]: arguments[1]}
    copy_body([found.combiner], copies, values)
    end_body(values, [copies[found.combiner.results[0]]])
    places = _first_places(op, found, values.results[0])
    op.results[0].replace_all_uses_with(values.results[0])
    op.results[1].replace_all_uses_with(places)
    op.erase()


def _recognised(op: ir.Operation) -> _ArgMax | None:
    maps = indexing_maps(op)
    if maps is None or len(op.results) != 2 or len(op.operands) != 3 or maps[1] != maps[2]:
        return None
    reducing = ["reduction" in str(kind) for kind in op.attributes["iterator_types"]]
    rank = len(reducing)
    if sum(reducing) != 1 or not reducing[-1] or not list(op.results[1].uses):
        return None
    if maps[0] != ir.AffineMap.get_identity(rank) or maps[1] != _leading(rank):
        return None
    types = [value.type for value in op.operands]
    if not all(isinstance(t, ir.RankedTensorType) and t.has_static_shape for t in types):
        return None
    if (
        rank < 2
        or not 1 < types[0].shape[-1] <= _LAST_PLACE
        or not isinstance(types[2].element_type, ir.IntegerType)
    ):
        return None
    combiner = _combiner(op)
    if combiner is None or types[0].element_type != types[1].element_type:
        return None
    element = types[0].element_type
    if isinstance(element, ir.IntegerType) and element.width not in _WIDTHS:
        return None
    starts = [_filled_with(value) for value in list(op.operands)[1:]]
    wanted = [start_of(combiner.name, element), 0]
    return _ArgMax(op.operands[0], (maps[0], maps[1]), combiner) if starts == wanted else None


def _combiner(op: ir.Operation) -> ir.Operation | None:
    """The op that keeps the element, in a body that does nothing but keep it and its place."""
    block = op.regions[0].blocks[0]
    element, kept, place = block.arguments
    *body, end = [inner.operation for inner in block.operations]
    if len(body) != 5:
        return None
    value, chosen = (v.owner for v in end.operands)
    if isinstance(value, ir.Block) or isinstance(chosen, ir.Block) or value.name not in _PREDICATES:
        return None
    if chosen.name != "arith.select" or set(value.operands) != {element, kept}:
        return None
    greater, here, _ = (v.owner for v in chosen.operands)
    if chosen.operands[2] != place or isinstance(greater, ir.Block) or isinstance(here, ir.Block):
        return None
    compare = "arith.cmpf" if value.name.endswith("f") else "arith.cmpi"
    if greater.name != compare or list(greater.operands) != [element, kept]:
        return None
    if ir.IntegerAttr(greater.attributes["predicate"]).value != _PREDICATES[value.name]:
        return None
    index = here.operands[0].owner if here.name == "arith.index_cast" else None
    if index is None or isinstance(index, ir.Block) or index.name != "linalg.index":
        return None
    last = len(op.attributes["iterator_types"]) - 1
    return value.operation if ir.IntegerAttr(index.attributes["dim"]).value == last else None


def _leading(rank: int) -> ir.AffineMap:
    return ir.AffineMap.get(rank, 0, [ir.AffineDimExpr.get(d) for d in range(rank - 1)])


def _filled_with(value: ir.Value) -> float | int | None:
    """The number that a fill puts everywhere."""
    fill = made_by(value, "linalg.fill")
    constant = None if fill is None else made_by(fill.operands[0], "arith.constant")
    number = None if constant is None else constant_number(constant)
    return number.value if isinstance(number, (ir.IntegerAttr, ir.FloatAttr)) else None


def _first_places(op: ir.Operation, found: _ArgMax, kept: ir.Value) -> ir.Value:
    """The first places where the rows' elements are those kept, as the type of `op`'s places."""
    type_, kinds = op.results[1].type, list(op.attributes["iterator_types"])
    rows = list(type_.shape)
    i32 = ir.IntegerType.get_signless(32)
    all_, row = found.maps
    with ir.InsertionPoint(op), op.location:
        none = arith.ConstantOp(i32, _LAST_PLACE).result
        start = linalg.fill(none, outs=[tensor.EmptyOp(rows, i32).result])
    operands = [found.value, _wanted(op, found, kept) if found.is_float else kept, start]
    places = generic_like(op, operands, [all_, row, row], 1, iterators=kinds)
    element, wanted, before = places.regions[0].blocks[0].arguments
    with ir.InsertionPoint(places.regions[0].blocks[0]), op.location:
        place = arith.IndexCastOp(i32, linalg.IndexOp(len(rows)).result).result
        equal = arith.CmpFOp(_UEQ, element, wanted) if found.is_float else arith.CmpIOp(_EQ, element, wanted)
        hit = equal.result
        candidate = arith.SelectOp(hit, place, none).result
        least = arith.MinSIOp(candidate, before).result
    end_body(places, [least])
    if type_.element_type == i32:
        return places.results[0]
    cast = arith.TruncIOp if type_.element_type.width < i32.width else arith.ExtSIOp
    wide = _each(op, places.results[0], type_)
    with ir.InsertionPoint(wide.regions[0].blocks[0]), op.location:
        result = cast(type_.element_type, wide.regions[0].blocks[0].arguments[0]).result
    end_body(wide, [result])
    return wide.results[0]


def _wanted(op: ir.Operation, found: _ArgMax, kept: ir.Value) -> ir.Value:
    """What the elements are compared with: those kept, or infinity for a NaN. A NaN compares as equal."""
    start = start_of(found.combiner.name, kept.type.element_type)
    with ir.InsertionPoint(op), op.location:
        infinity = arith.ConstantOp(kept.type.element_type, -start).result
    made = _each(op, kept, kept.type)
    block = made.regions[0].blocks[0]
    with ir.InsertionPoint(block), op.location:
        is_nan = arith.CmpFOp(_UNO, block.arguments[0], block.arguments[0]).result
        result = arith.SelectOp(is_nan, infinity, block.arguments[0]).result
    end_body(made, [result])
    return made.results[0]


def _each(op: ir.Operation, value: ir.Value, type_: ir.Type) -> ir.Operation:
    """A generic over the elements of `value` with results of another type, its body still empty."""
    with ir.InsertionPoint(op), op.location:
        empty = tensor.EmptyOp(list(type_.shape), type_.element_type).result
    rank = len(type_.shape)
    maps = [ir.AffineMap.get_identity(rank)] * 2
    return generic_like(op, [value, empty], maps, 1, iterators=list(op.attributes["iterator_types"])[:-1])
