"""Writes the MLIR text of a case: one function on tensors, an op at a time."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.shapes import Shape
from benchmarks.suite import Case

INFINITY = float("inf")
LETTERS = "ijkl"
"""Of the loops of an operation on all dimensions."""


@dataclass(frozen=True)
class Value:
    """A tensor in the text: its name there, its shape and its element type."""

    name: str
    shape: Shape
    element: str = "f32"

    @property
    def type(self) -> str:
        """As MLIR writes it."""
        return tensor(self.shape, self.element)


def tensor(shape: Shape, element: str = "f32") -> str:
    """The type of a tensor."""
    return f"tensor<{'x'.join(str(extent) for extent in (*shape, element))}>"


class Writer:
    """The function `kernel` of a case in the making; `arguments` are its tensors."""

    def __init__(self, case: Case) -> None:
        pairs = zip(case.inputs, case.elements, strict=True)
        self.arguments = tuple(Value(f"%arg{n}", shape, e) for n, (shape, e) in enumerate(pairs))
        self._lines: list[str] = []
        self._count = 0

    def finished(self, result: Value) -> str:
        """The module's text, with `result` returned."""
        given = ", ".join(f"{value.name}: {value.type}" for value in self.arguments)
        head = f"func.func @kernel({given}) -> {result.type} {{"
        return "\n".join((head, *self._lines, f"  return {result.name} : {result.type}", "}", ""))

    def line(self, text: str) -> None:
        """A line of the function's body."""
        self._lines.append(f"  {text}")

    def fresh(self, shape: Shape, element: str = "f32") -> Value:
        """A name that nothing has yet."""
        self._count += 1
        return Value(f"%v{self._count}", shape, element)

    def scalar(self, value: float, element: str = "f32") -> str:
        """The name of a constant."""
        self._count += 1
        name = f"%c{self._count}"
        bits = f"0x{struct.unpack('<I', struct.pack('<f', value))[0]:08X}"
        text = bits if element == "f32" else str(int(value)) if element[0] == "i" else f"{value:e}"
        self.line(f"{name} = arith.constant {text} : {element}")
        return name

    def empty(self, shape: Shape, element: str = "f32") -> Value:
        """A tensor whose elements are not set."""
        value = self.fresh(shape, element)
        self.line(f"{value.name} = tensor.empty() : {value.type}")
        return value

    def filled(self, value: float, shape: Shape, element: str = "f32") -> Value:
        """A tensor of one value."""
        scalar, into, made = (
            self.scalar(value, element),
            self.empty(shape, element),
            self.fresh(shape, element),
        )
        fill = f"linalg.fill ins({scalar} : {element}) outs({into.name} : {into.type})"
        self.line(f"{made.name} = {fill} -> {made.type}")
        return made

    def generic(
        self, loops: str, inputs: Sequence[tuple[Value, str]], into: Value, axes: str, body: Sequence[str]
    ) -> Value:
        """A `linalg.generic` with a letter for each loop; those that `axes` lacks are reduced.

        Args:
            loops: their letters.
            inputs: operands with the letter of the loop along each dimension.
            into: what is overwritten or added to.
            axes: the letters of its dimensions.
            body: operations without types on `%x`, `%y`, `%z`, ... and the old value `%o`; the last one
                names the result, all are of the result's element type unless they say another.
        """
        names = [f"%{letter}" for letter in "xyzuvw"[: len(inputs)]]
        operands = ", ".join(value.name for value, _ in inputs)
        types = ", ".join(value.type for value, _ in inputs)
        block = ", ".join(
            [
                *(f"{name}: {value.element}" for name, (value, _) in zip(names, inputs, strict=True)),
                f"%o: {into.element}",
            ]
        )
        maps = ", ".join(
            f"affine_map<({', '.join(loops)}) -> ({', '.join(letters)})>"
            for letters in (*(letters for _, letters in inputs), axes)
        )
        kinds = ", ".join('"parallel"' if letter in axes else '"reduction"' for letter in loops)
        made = self.fresh(into.shape, into.element)
        self.line(
            f"{made.name} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}"
            f" ins({operands} : {types}) outs({into.name} : {into.type}) {{"
        )
        self.line(f"^bb0({block}):")
        for op in body:
            self.line(f"  {op if ' : ' in op else f'{op} : {into.element}'}")
        last = body[-1].partition(" ")[0] if body else "%x"
        self.line(f"  linalg.yield {last} : {into.element}")
        self.line(f"}} -> {made.type}")
        return made

    def mapped(
        self, loops: str, inputs: Sequence[tuple[Value, str]], shape: Shape, body: Sequence[str]
    ) -> Value:
        """Elementwise into a new tensor along all loops; see `generic`."""
        return self.generic(loops, inputs, self.empty(shape), loops, body)

    def reduced(self, value: Value, op: str, start: float) -> Value:
        """`op` over the last dimension, from `start`."""
        loops = LETTERS[: len(value.shape)]
        into = self.filled(start, value.shape[:-1])
        return self.generic(loops, [(value, loops)], into, loops[:-1], [f"%r = arith.{op} %x, %o"])
