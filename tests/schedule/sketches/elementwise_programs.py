"""Random programs of elementwise ops: their functions and types, what is broadcast, transposed or fused."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import assume
from hypothesis import strategies as st

from tests.codegen.compositions import function, numbers

_PARALLEL = '"parallel"'
_SIZES = (1, 2, 3, 5, 8, 13, 16, 17, 24, 31, 33, 48, 64, 67, 100, 131, 300)
_ELEMENTS = ("f32", "f32", "f32", "f64", "f16", "bf16")
_OF_ONE = (
    *("arith.negf", "math.absf", "math.exp", "math.tanh", "math.erf", "math.sin"),
    *("log_of_more", "sqrt_of_size", "rsqrt_of_more", "sigmoid", "silu", "gelu", "gelu_of_half", "gelu_tanh"),
)
_OF_TWO = ("arith.addf", "arith.subf", "arith.mulf", "arith.maximumf", "arith.minimumf")


@dataclass(frozen=True)
class Operand:
    """Which loops an argument is indexed by, in order; none for a scalar tensor."""

    loops: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """One `linalg.generic`: its arguments besides the step before, its functions, and what joins them."""

    operands: tuple[Operand, ...]
    functions: tuple[str, ...]
    joins: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """A chain of elementwise ops on tensors of `shape`; each step takes the one before."""

    shape: tuple[int, ...]
    element: str
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """The kernel file."""
        whole = self._tensor(range(len(self.shape)))
        arguments: list[str] = []
        lines: list[str] = []
        before = ""
        for number, step in enumerate(self.steps):
            names = [f"%a{number}_{k}" for k in range(len(step.operands))]
            kinds = [self._tensor(operand.loops) for operand in step.operands]
            arguments += [f"{name}: {kind}" for name, kind in zip(names, kinds, strict=True)]
            maps = [operand.loops for operand in step.operands]
            if before:
                names, kinds, maps = [*names, before], [*kinds, whole], [*maps, self._all]
            before = f"%r{number}"
            lines += self._generic(before, step, names, kinds, [*maps, self._all])
        return "\n".join(
            [f"func.func @k({', '.join(arguments)}) -> {whole} {{", *lines, f"return {before} : {whole}", "}"]
        )

    @property
    def _all(self) -> tuple[int, ...]:
        return tuple(range(len(self.shape)))

    def _tensor(self, loops: range | tuple[int, ...]) -> str:
        return f"tensor<{''.join(f'{self.shape[loop]}x' for loop in loops)}{self.element}>"

    def _generic(
        self, name: str, step: Step, names: list[str], kinds: list[str], maps: list[tuple[int, ...]]
    ) -> list[str]:
        loops = ", ".join(f"d{loop}" for loop in self._all)
        written = [f"affine_map<({loops}) -> ({', '.join(f'd{each}' for each in rows)})>" for rows in maps]
        block = ", ".join(f"%x{k}: {self.element}" for k in range(len(names)))
        whole = kinds and self._tensor(self._all)
        return [
            f"{name}_e = tensor.empty() : {whole}",
            f"{name} = linalg.generic {{indexing_maps = [{', '.join(written)}],",
            f"  iterator_types = [{', '.join(len(self.shape) * [_PARALLEL])}]}}",
            f"  ins({', '.join(names)} : {', '.join(kinds)}) outs({name}_e : {whole}) {{",
            f"^bb0({block}, %out: {self.element}):",
            *self._body(step, len(names)),
            f"}} -> {whole}",
        ]

    def _body(self, step: Step, count: int) -> list[str]:
        lines = numbers(self.element)
        values = [f"%x{k}" for k in range(count)]
        for number, name in enumerate(step.functions):
            made = f"%f{number}"
            lines += function(name, made, values[number % count], self.element)
            values[number % count] = made
        joined = values[0]
        for number, value in enumerate(values[1:]):
            join = step.joins[number % len(step.joins)]
            lines.append(f"%j{number} = {join} {joined}, {value} : {self.element}")
            joined = f"%j{number}"
        return [*lines, f"linalg.yield {joined} : {self.element}"]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Chains of one to three ops of one to three operands."""
    rank = draw(st.integers(1, 3))
    shape = tuple(draw(st.lists(st.sampled_from(_SIZES), min_size=rank, max_size=rank)))
    assume(1 < math.prod(shape) <= 20000)
    steps = []
    for number in range(draw(st.integers(1, 3))):
        operands = []
        for _ in range(draw(st.integers(0 if number else 1, 2))):
            order = tuple(draw(st.permutations(range(rank)))) if draw(st.booleans()) else tuple(range(rank))
            operands.append(Operand(order[draw(st.integers(0, rank)) if draw(st.booleans()) else 0 :]))
        functions = tuple(draw(st.lists(st.sampled_from(_OF_ONE), min_size=1, max_size=3)))
        joins = tuple(draw(st.lists(st.sampled_from(_OF_TWO), min_size=1, max_size=2)))
        steps.append(Step(tuple(operands), functions, joins))
    return Program(shape, draw(st.sampled_from(_ELEMENTS)), tuple(steps))
