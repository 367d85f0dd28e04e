"""Random programs of elementwise ops on masks: comparisons, logic, selections, numbers made of masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import assume
from hypothesis import strategies as st

_SIZES = (1, 2, 3, 5, 8, 13, 16, 17, 24, 31, 33, 48, 64, 67, 100, 128, 131, 300, 1000)
_ELEMENTS = ("f32", "f32", "f64", "f16", "bf16", "i8", "i32", "i64")
_LOGIC = ("arith.andi", "arith.ori", "arith.xori")
_ORDERS = ("ogt", "olt", "une", "oeq", "ult")
_INTEGER_ORDERS = ("sgt", "slt", "ne", "ule", "eq")


@dataclass(frozen=True)
class _Value:
    """A tensor, and the loops that it is indexed by."""

    name: str
    element: str
    loops: tuple[int, ...]


@dataclass
class _Program:
    """A kernel that is being written."""

    shape: tuple[int, ...]
    element: str
    arguments: list[_Value] = field(default_factory=list)
    made: list[_Value] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def tensor(self, value: _Value) -> str:
        """Its type."""
        return f"tensor<{''.join(f'{self.shape[loop]}x' for loop in value.loops)}{value.element}>"

    def argument(self, element: str, loops: tuple[int, ...]) -> _Value:
        """One more."""
        self.arguments.append(_Value(f"%a{len(self.arguments)}", element, loops))
        return self.arguments[-1]

    def generic(self, element: str, operands: Sequence[_Value], body: str) -> None:
        """An op; `body` makes `%y` of `%x0`, `%x1`, ..."""
        whole = tuple(range(len(self.shape)))
        made = _Value(f"%r{len(self.made)}", element, whole)
        loops = ", ".join(f"d{loop}" for loop in whole)
        maps = [
            f"affine_map<({loops}) -> ({', '.join(f'd{d}' for d in v.loops)})>" for v in (*operands, made)
        ]
        held = ", ".join(f"%x{number}: {v.element}" for number, v in enumerate(operands))
        kinds = ", ".join(['"parallel"'] * len(whole))
        self.lines += [
            f"{made.name}_e = tensor.empty() : {self.tensor(made)}",
            f"{made.name} = linalg.generic {{indexing_maps = [{', '.join(maps)}], ",
            f"  iterator_types = [{kinds}]}}",
            f"  ins({', '.join(v.name for v in operands)} : {', '.join(map(self.tensor, operands))})",
            f"  outs({made.name}_e : {self.tensor(made)}) {{",
            f"^bb0({held}, %o: {element}):",
            body,
            f"linalg.yield %y : {element}",
            f"}} -> {self.tensor(made)}",
        ]
        self.made.append(made)

    def text(self, results: int) -> str:
        """The kernel file, which returns the last values."""
        returned = self.made[-results:]
        kinds = ", ".join(map(self.tensor, returned))
        arguments = ", ".join(f"{value.name}: {self.tensor(value)}" for value in self.arguments)
        end = f"return {', '.join(value.name for value in returned)} : {kinds}"
        return "\n".join([f"func.func @k({arguments}) -> ({kinds}) {{", *self.lines, end, "}"])


@st.composite
def mask_programs(draw: st.DrawFn) -> str:
    """One to four ops, each on what was made before or on arguments, some of them broadcast."""
    rank = draw(st.integers(1, 3))
    shape = tuple(draw(st.lists(st.sampled_from(_SIZES), min_size=rank, max_size=rank)))
    assume(1 < math.prod(shape) <= 20000)
    program = _Program(shape, draw(st.sampled_from(_ELEMENTS)))
    whole = tuple(range(rank))

    def operand(element: str) -> _Value:
        before = [value for value in program.made if value.element == element]
        if before and draw(st.booleans()):
            return before[-1]
        return program.argument(element, whole[draw(st.integers(0, rank)) if draw(st.booleans()) else 0 :])

    ways = ("compare", "logic", "not", "select", "select masks", "number", "compare and select")
    for _ in range(draw(st.integers(1, 4))):
        _append(draw, program, draw(st.sampled_from(ways)), operand)
    return program.text(draw(st.integers(1, min(2, len(program.made)))))


def _append(draw: st.DrawFn, program: _Program, way: str, operand: Callable[[str], _Value]) -> None:
    kind = program.element
    integers = kind.startswith("i")
    order = draw(st.sampled_from(_INTEGER_ORDERS if integers else _ORDERS))
    compare = f"{'arith.cmpi' if integers else 'arith.cmpf'} {order}"
    zero = f"%z = arith.constant {'0' if integers else '0.0'} : {kind}\n"
    match way:
        case "compare":
            program.generic("i1", [operand(kind), operand(kind)], f"%y = {compare}, %x0, %x1 : {kind}")
        case "logic":
            name = draw(st.sampled_from(_LOGIC))
            program.generic("i1", [operand("i1"), operand("i1")], f"%y = {name} %x0, %x1 : i1")
        case "not":
            body = "%t = arith.constant true\n%y = arith.xori %x0, %t : i1"
            program.generic("i1", [operand("i1")], body)
        case "select":
            values = [operand("i1"), operand(kind)]
            program.generic(kind, values, f"{zero}%y = arith.select %x0, %x1, %z : {kind}")
        case "select masks":
            values = [operand("i1"), operand("i1"), operand("i1")]
            program.generic("i1", values, "%y = arith.select %x0, %x1, %x2 : i1")
        case "number":
            made = "arith.extui" if integers else "arith.uitofp"
            program.generic(kind, [operand("i1")], f"%y = {made} %x0 : i1 to {kind}")
        case _:
            body = f"{zero}%c = {compare}, %x0, %x1 : {kind}\n%d = arith.andi %c, %x2 : i1\n"
            values = [operand(kind), operand(kind), operand("i1")]
            program.generic(kind, values, f"{body}%y = arith.select %d, %x0, %z : {kind}")
