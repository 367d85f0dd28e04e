"""Kernels of several ops: chains, shared fills, several uses, reductions, and ops that are not tunable."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.passes.named_kernels import constant

T = "tensor<8x8xf32>"
V = "tensor<8xf32>"
ID = "affine_map<(i, j) -> (i, j)>"
MAPS = {
    "identity": (ID, T),
    "row": ("affine_map<(i, j) -> (j)>", V),
    "column": ("affine_map<(i, j) -> (i)>", V),
    "swapped": ("affine_map<(i, j) -> (j, i)>", T),
    "scalar": ("affine_map<(i, j) -> ()>", "f32"),
    "first row": ("affine_map<(i, j) -> (0, j)>", T),
}
PARALLEL = 'iterator_types = ["parallel", "parallel"]'


def program(lines: list[str], results: list[str], types: list[str] | None = None) -> str:
    """A function of five arguments: three matrices, a vector and a scalar; `%z` and `%e` are there too."""
    types = types or [T] * len(results)
    head = f"""func.func @f(%A: {T}, %B: {T}, %C: {T}, %v: {V}, %s: f32) -> ({", ".join(types)}) {{
  %z = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %ones = arith.constant dense<1.0> : {T}
  %ramp = arith.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : {V}
  %e = tensor.empty() : {T}
  %ev = tensor.empty() : {V}"""
    tail = f"return {', '.join(results)} : {', '.join(types)}\n}}"
    return "\n  ".join([head, *lines, tail])


class _Maker:
    """Makes a program of random ops; `matrices` are the values that later ops may use."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.lines: list[str] = []
        self.matrices = ["%A", "%B", "%C", "%ones"]
        self.fills: list[str] = []
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"%t{self.count}"

    def matrix(self) -> str:
        """A value: often the newest one, as in a chain."""
        return self.matrices[-1] if self.random.random() < 0.6 else self.random.choice(self.matrices)

    def add(self, text: str) -> str:
        name = self.name()
        self.lines.append(f"{name} = {text}")
        self.matrices.append(name)
        return name

    def fill(self) -> str:
        if self.fills and self.random.random() < 0.5:
            return self.random.choice(self.fills)
        value = self.random.choice(("%z", "%z", "%s", "%one"))
        name = self.name()
        self.lines.append(f"{name} = linalg.fill ins({value} : f32) outs(%e : {T}) -> {T}")
        self.fills.append(name)
        return name

    def step(self) -> None:
        pick = self.random.choice
        kind = self.random.random()
        if kind < 0.25:
            init = self.fill() if self.random.random() < 0.7 else self.matrix()
            self.add(
                f"linalg.matmul ins({self.matrix()}, {self.matrix()} : {T}, {T}) outs({init} : {T}) -> {T}"
            )
        elif kind < 0.45:
            out = pick(("%e", "%e", "%C", self.matrix()))
            self.add(f"linalg.{pick(('exp', 'abs'))} ins({self.matrix()} : {T}) outs({out} : {T}) -> {T}")
        elif kind < 0.6:
            name = pick(("add", "mul", "max"))
            a, b = self.matrix(), self.matrix()
            self.add(f"linalg.{name} ins({a}, {b} : {T}, {T}) outs(%e : {T}) -> {T}")
        elif kind < 0.9:
            self.add(self._generic())
        elif kind < 0.95:
            self.add(f"tensor.insert_slice {self.matrix()} into %C[0, 0] [8, 8] [1, 1] : {T} into {T}")
        else:
            self.matrices.append(self.fill())

    def _generic(self) -> str:
        map_, type_ = self.random.choice(list(MAPS.values()))
        other = {V: self.random.choice(("%v", "%ramp")), "f32": self.random.choice(("%s", "%one"))}
        second = other.get(type_) or self.matrix()
        constant = self.random.choice(("%z", "%one", "%b"))
        return f"""linalg.generic {{indexing_maps = [{ID}, {map_}, {ID}], {PARALLEL}}}
       ins({self.matrix()}, {second} : {T}, {type_}) outs(%e : {T}) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.addf %a, %b : f32
    %q = arith.maximumf %p, {constant} : f32
    linalg.yield %q : f32
  }} -> {T}"""


def random_programs(count: int, seed: int) -> Iterator[str]:
    """Programs of up to a dozen matmuls, elementwise ops, fills and slices; some results are unused."""
    random = Random(seed)
    for _ in range(count):
        maker = _Maker(random)
        for _ in range(random.randint(2, 12)):
            maker.step()
        maker.add(f"linalg.exp ins({maker.matrix()} : {T}) outs(%e : {T}) -> {T}")
        results = {maker.matrices[-1], *random.sample(maker.matrices, 1)}
        yield program(maker.lines, sorted(results))


def reductions() -> Iterator[str]:
    """Reductions over several element types, filled with several constants, splats and other tensors."""
    neutral = {
        "f16": ("arith.maximumf", "0xFC00"),
        "bf16": ("arith.minnumf", "0x7F80"),
        "f32": ("arith.maxnumf", "0xFF800000"),
        "f64": ("arith.addf", "-0.0"),
        "i1": ("arith.ori", "false"),
        "i8": ("arith.maxsi", "-128"),
        "i16": ("arith.minui", "-1"),
        "i32": ("arith.muli", "1"),
        "i64": ("arith.minsi", "9223372036854775807"),
        "index": ("arith.maxui", "0"),
    }
    for element, (op, value) in neutral.items():
        x, y = f"tensor<4x6x{element}>", f"tensor<4x{element}>"
        splat = f"arith.constant dense<{value}> : {y}"
        for made in (
            f"%z = {constant(value, element)}\n  %e = tensor.empty() : {y}\n"
            f"  %i = linalg.fill ins(%z : {element}) outs(%e : {y}) -> {y}",
            f"%i = {splat}",
            f"%i = tensor.empty() : {y}",
        ):
            yield (
                f"func.func @f(%x: {x}) -> {y} {{\n  {made}\n  %r = linalg.reduce {{ {op} }}"
                f" ins(%x : {x}) outs(%i : {y}) dimensions = [1]\n  return %r : {y}\n}}"
            )


def left_alone() -> Iterator[str]:
    """Ops that are not tunable, each for another reason, next to ones that are."""
    exp = f"linalg.exp ins(%A : {T}) outs(%e : {T}) -> {T}"
    head = f"%ok = {exp}"
    copy = "linalg.copy ins({0} : {1}) outs({0} : {1}) -> {1}"
    yield program([head, f"%dead = {exp}"], ["%ok"])
    yield program([head, f"%q = linalg.softmax dimension(1) ins(%ok : {T}) outs(%e : {T}) -> {T}"], ["%q"])
    for type_ in (
        "tensor<4xcomplex<f32>>",
        "tensor<4xf8E5M2>",
        "tensor<0x4xf32>",
        "tensor<4xi4>",
        "tensor<f32>",
    ):
        yield program([f"%w = tensor.empty() : {type_}", f"%q = {copy.format('%w', type_)}"], ["%q"], [type_])
    dynamic = "tensor<?x8xf32>"
    cast = f"%d = tensor.cast %A : {T} to {dynamic}"
    yield program([cast, f"%q = {copy.format('%d', dynamic)}", head], ["%q", "%ok"], [dynamic, T])
    slice_ = f"%p = tensor.extract_slice %C[1, 1] [6, 6] [1, 1] : {T} to tensor<6x6xf32>"
    small = "%x = linalg.exp ins(%p : tensor<6x6xf32>) outs(%p : tensor<6x6xf32>) -> tensor<6x6xf32>"
    yield program([slice_, small], ["%x"], ["tensor<6x6xf32>"])
    # A reduction may write into a slice.
    product = small.replace("exp ins(%p : tensor", "matmul ins(%p, %p : tensor<6x6xf32>, tensor")
    yield program([slice_, product], ["%x"], ["tensor<6x6xf32>"])
    yield from _odd_generics()


def _odd_generics() -> Iterator[str]:
    mod = "affine_map<(i, j) -> (i, j mod 4)>"
    diagonal = "affine_map<(i, j) -> (i + j, j)>"
    yields = "linalg.yield %a : f32"
    outside = f"%k = arith.addf %s, %one : f32\n    {yields}"
    for map_, body in (
        (mod, yields),
        (diagonal, yields),
        (ID, "%p = arith.mulf %a, %s : f32\n    linalg.yield %p : f32"),
        (ID, outside),
        (ID, f"%c, %d = math.sincos %a : f32\n    {yields}"),
        (
            ID,
            "%p = arith.extf %a : f32 to f128\n    %q = arith.truncf %p : f128 to f32\n"
            "    linalg.yield %q : f32",
        ),
        (
            ID,
            f"%c = linalg.index 0 : index\n    %x = tensor.extract %A[%c, %c] : {T}\n"
            "    linalg.yield %x : f32",
        ),
    ):
        type_ = "tensor<15x8xf32>" if map_ == diagonal else T
        lines = [
            f"%in = tensor.empty() : {type_}",
            f"%r = linalg.generic {{indexing_maps = [{map_}, {ID}], {PARALLEL}}}",
            f"ins(%in : {type_}) outs(%e : {T}) {{",
            f"^bb0(%a: f32, %o: f32):\n    {body}\n  }} -> {T}",
        ]
        yield program(lines, ["%r"])
    maps = f"[{ID}, affine_map<(i, j) -> (i)>]"
    kinds = 'iterator_types = ["parallel", "parallel"]'
    yield program(
        [
            f"%r = linalg.generic {{indexing_maps = {maps}, {kinds}}}",
            f"ins(%A : {T}) outs(%v : {V}) {{\n  ^bb0(%a: f32, %o: f32):\n    {yields}\n  }} -> {V}",
        ],
        ["%r"],
        [V],
    )
