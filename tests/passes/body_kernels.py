"""Kernels of one `linalg.generic`: every scalar op with every attribute, and bodies made at random."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.passes.named_kernels import constant

FASTMATH = ("", "fastmath<none>", "fastmath<reassoc>", "fastmath<contract,reassoc>", "fastmath<fast>")
OVERFLOW = ("", "overflow<none>", "overflow<nsw>", "overflow<nuw, nsw>")
EXACT = ("", "exact")

FLOAT_UNARY = (
    "arith.negf", *(f"math.{name}" for name in (
        "absf", "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "ceil", "cos", "cosh", "erf",
        "erfc", "exp", "exp2", "expm1", "floor", "log", "log10", "log1p", "log2", "round", "roundeven",
        "rsqrt", "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
    )),
)  # fmt: skip
FLOAT_BINARY = (
    "arith.addf", "arith.divf", "arith.maximumf", "arith.maxnumf", "arith.minimumf", "arith.minnumf",
    "arith.mulf", "arith.remf", "arith.subf", "math.atan2", "math.copysign", "math.powf",
)  # fmt: skip
INT_UNARY = ("math.absi", "math.ctlz", "math.ctpop", "math.cttz")
INT_BINARY = {
    **dict.fromkeys(("arith.addi", "arith.subi", "arith.muli", "arith.shli"), OVERFLOW),
    **dict.fromkeys(("arith.divsi", "arith.divui", "arith.shrsi", "arith.shrui"), EXACT),
    **dict.fromkeys(
        (
            "arith.andi", "arith.ceildivsi", "arith.ceildivui", "arith.floordivsi", "arith.maxsi",
            "arith.maxui", "arith.minsi", "arith.minui", "arith.ori", "arith.remsi", "arith.remui",
            "arith.xori", "math.ipowi",
        ),
        ("",),
    ),
}  # fmt: skip
COMPARE_FLOATS = (
    "false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord", "ueq", "ugt", "uge", "ult", "ule", "une", "uno",
    "true",
)  # fmt: skip
COMPARE_INTS = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
CASTS = (
    ("arith.extf", "f32", "f64"), ("arith.extf", "bf16", "f32"), ("arith.truncf", "f64", "f32"),
    ("arith.truncf", "f32", "f16"), ("arith.extsi", "i8", "i32"), ("arith.extui", "i8", "i32"),
    ("arith.trunci", "i64", "i16"), ("arith.sitofp", "i32", "f32"), ("arith.uitofp", "i8", "f64"),
    ("arith.fptosi", "f32", "i32"), ("arith.fptoui", "f64", "i8"), ("arith.bitcast", "f32", "i32"),
    ("arith.bitcast", "i16", "bf16"), ("arith.index_cast", "i64", "index"),
    ("arith.index_castui", "index", "i32"),
)  # fmt: skip

CONSTANTS = {
    "f16": ("0.0", "-0.0", "1.0", "0x7C00", "0xFC00", "0x7E00", "0x7C01", "0x0001", "65504.0"),
    "bf16": ("0.0", "-0.0", "1.0", "0x7F80", "0xFF80", "0x7FC0", "0xFFC1", "0x0001"),
    "f32": (
        "0.0",
        "-0.0",
        "1.1",
        "1.0e-45",
        "0x7F800000",
        "0xFF800000",
        "0x7FC00000",
        "0x7F800001",
        "3.4e38",
    ),
    "f64": ("0.0", "-0.0", "0.1", "5.0e-324", "0x7FF0000000000000", "0xFFF8000000000001", "1.0e22"),
    "i1": ("true", "false"),
    "i8": ("0", "-1", "127", "-128"),
    "i16": ("0", "1", "-32768"),
    "i32": ("0", "7", "2147483647", "-2147483648"),
    "i64": ("0", "1", "9007199254740993", "-9223372036854775808", "9223372036854775807"),
    "index": ("0", "5"),
}
TAGS = (
    "tag = 1.0e16 : f64", "tag = 1.5e-05 : f64", "tag = 0.1 : f32", "tag = 123456.75 : f32",
    "tag = 1.0e-4 : f64", "tag = 0x7FC00000 : f32", "tag = -5 : i8", "tag = 200 : ui8", "tag = -3 : si8",
    "tag = true", "tag",
    'tag = "a,b"', "tag = [1, 2.5]", "tag = dense<[1, 2]> : tensor<2xi8>", "tag = f32",
    "b = 1 : i32, a = 2 : i32",
    "tag = 9007199254740993.0 : f64", "tag = 1.0e22 : f64", "tag = 5.0e-324 : f64", "tag = 9.9999e15 : f64",
)  # fmt: skip
"""Attributes that MLIR does not know: they are part of the canonical text."""


def generic(body: str, inputs: Sequence[str], result: str, outside: str = "", rank: int = 2) -> str:
    """A function of one elementwise op; the body's arguments are `%b0`, `%b1`, ... and `%out`."""
    shape = "x".join("456"[:rank])
    loops = ", ".join("ijk"[:rank])
    maps = ", ".join([f"affine_map<({loops}) -> ({loops})>"] * (len(inputs) + 1))
    kinds = ", ".join(['"parallel"'] * rank)
    types = [f"tensor<{shape}x{element}>" for element in (*inputs, result)]
    arguments = ", ".join(f"%a{i}: {type_}" for i, type_ in enumerate(types[:-1]))
    names = ", ".join(f"%a{i}" for i in range(len(inputs)))
    scalars = ", ".join(f"%b{i}: {element}" for i, element in enumerate(inputs))
    return f"""func.func @f({arguments}, %o: {types[-1]}) -> {types[-1]} {{
  {outside}
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
       ins({names} : {", ".join(types[:-1])}) outs(%o : {types[-1]}) {{
  ^bb0({scalars}, %out: {result}):
    {body}
  }} -> {types[-1]}
  return %r : {types[-1]}
}}"""


def single_ops() -> Iterator[str]:
    """Every scalar op, with every attribute it may have."""
    for op, flags in itertools.product(FLOAT_UNARY, FASTMATH[:3]):
        yield _op(f"{op} %b0 {flags} : f32", ["f32"], "f32")
    for op, flags in itertools.product(FLOAT_BINARY, FASTMATH):
        yield _op(f"{op} %b1, %b0 {flags} : f64", ["f64", "f64"], "f64")
    for op in INT_UNARY:
        yield _op(f"{op} %b0 : i32", ["i32"], "i32")
    for op, variants in INT_BINARY.items():
        for flags in variants:
            yield _op(f"{op} %b1, %b0 {flags} : i16", ["i16", "i16"], "i16")
    for name, flags in itertools.product(COMPARE_FLOATS, FASTMATH[:3]):
        yield _op(f"arith.cmpf {name}, %b0, %b1 {flags} : f32", ["f32", "f32"], "i1")
    for name in COMPARE_INTS:
        yield _op(f"arith.cmpi {name}, %b0, %b1 : i64", ["i64", "i64"], "i1")
    for op, source, target in CASTS:
        yield _op(f"{op} %b0 : {source} to {target}", [source], target)
    for mode in ("to_nearest_even", "downward", "upward", "toward_zero", "to_nearest_away"):
        yield _op(f"arith.truncf %b0 {mode} : f64 to f32", ["f64"], "f32")
        yield _op(f"arith.truncf %b0 {mode} fastmath<nnan> : f64 to bf16", ["f64"], "bf16")
    yield _op("arith.extf %b0 fastmath<ninf> : f32 to f64", ["f32"], "f64")
    yield _op("arith.trunci %b0 overflow<nsw> : i32 to i8", ["i32"], "i8")
    for op in ("isfinite", "isinf", "isnan", "isnormal"):
        for flags in ("", "{fastmath = #arith.fastmath<nsz>}"):
            yield _op(f"math.{op} %b0 {flags} : f32", ["f32"], "i1")
    yield _op("math.fma %b0, %b1, %out fastmath<afn> : f32", ["f32", "f32"], "f32")
    yield _op("math.clampf %b0 to [%b1, %out] : f32", ["f32", "f32"], "f32")
    yield _op("math.fpowi %b0, %b1 fastmath<arcp> : f32, i32", ["f32", "i32"], "f32")
    yield _op("arith.select %b0, %b1, %out : f16", ["i1", "f16"], "f16")
    yield _op("linalg.index 1 : index", ["index"], "index")
    for tag in TAGS:
        yield _op(f"arith.addf %b0, %out {{{tag}}} : f32", ["f32"], "f32")


def constants() -> Iterator[str]:
    """Every constant, in the body and captured from outside of it."""
    for element, values in CONSTANTS.items():
        add = "addi" if element[0] == "i" else "addf"
        for value in values:
            made = f"%c = {constant(value, element)}"
            body = f"%s = arith.{add} %c, %b0 : {element}\n    linalg.yield %s : {element}"
            yield generic(f"{made}\n    {body}", [element], element)
            yield generic(body, [element], element, outside=made)


def powers() -> Iterator[str]:
    """Floats and integers to a constant power."""
    for element, op, kind in (
        ("f32", "math.fpowi", "f32, i32"), ("i32", "math.ipowi", "i32"), ("i8", "math.ipowi", "i8"),
    ):  # fmt: skip
        for exponent in (-1, 0, 1, 2, 3, 4, 5):
            made = f"%c = arith.constant {exponent} : {kind.split()[-1]}"
            body = f"%s = {op} %b0, %c : {kind}\n    linalg.yield %s : {element}"
            yield generic(f"{made}\n    {body}", [element], element)
            yield generic(body, [element], element, outside=made)


def _op(text: str, inputs: Sequence[str], result: str) -> str:
    return generic(f"%s = {text}\n    linalg.yield %s : {result}", inputs, result)


@dataclass
class _Body:
    """A body that is being made at random."""

    random: Random
    lines: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def value(self, element: str) -> str:
        """A value of a type: one there is, or a constant."""
        known = self.values.get(element, [])
        if known and self.random.random() < 0.8:
            return self.random.choice(known)
        name = self.name()
        text = self.random.choice(CONSTANTS[element])
        place = self.lines if self.random.random() < 0.5 else self.outside
        place.append(f"{name} = {constant(text, element)}")
        return self.keep(element, name)

    def keep(self, element: str, name: str) -> str:
        self.values.setdefault(element, []).append(name)
        return name

    def step(self) -> None:
        """One more op."""
        pick = self.random.choice
        element = pick(("f32", "f32", "f64", "i32", "i32", "i64", "i1"))
        a, b = self.value(element), self.value(element)
        result = element
        if element[0] == "f":
            text = pick(
                (
                    f"{pick(FLOAT_BINARY)} {a}, {b} {pick(FASTMATH)} : {element}",
                    f"{pick(FLOAT_UNARY)} {a} {pick(FASTMATH)} : {element}",
                    f"arith.select {self.value('i1')}, {a}, {b} : {element}",
                    f"arith.cmpf {pick(COMPARE_FLOATS)}, {a}, {b} : {element}",
                )
            )
        else:
            op = pick(list(INT_BINARY))
            text = pick(
                (
                    f"{op} {a}, {b} {pick(INT_BINARY[op])} : {element}",
                    f"arith.cmpi {pick(COMPARE_INTS)}, {a}, {b} : {element}",
                )
            )
        if "cmp" in text:
            result = "i1"
        self.lines.append(f"{self.keep(result, self.name())} = {text}")

    def cast(self) -> None:
        """A conversion, or the number of an iteration."""
        op, source, target = self.random.choice([c for c in CASTS if {c[1], c[2]} <= CONSTANTS.keys()])
        value = self.value(source)
        self.lines.append(f"{self.keep(target, self.name())} = {op} {value} : {source} to {target}")


def random_bodies(count: int, seed: int) -> Iterator[str]:
    """Bodies of up to a dozen ops on values of several types, some of them unused, some equal."""
    random = Random(seed)
    for _ in range(count):
        inputs = [
            random.choice(("f32", "f64", "i32", "i64", "i1", "f32")) for _ in range(random.randint(1, 4))
        ]
        result = random.choice(("f32", "f32", "f64", "i32", "i1"))
        body = _Body(random)
        for i, element in enumerate(inputs):
            body.keep(element, f"%b{i}")
        if random.random() < 0.5:
            body.keep(result, "%out")
        for _ in range(random.randint(1, 12)):
            (body.cast if random.random() < 0.15 else body.step)()
        last = body.values.get(result) or [body.value(result)]
        body.lines.append(f"linalg.yield {last[-1]} : {result}")
        yield generic(
            "\n    ".join(body.lines), inputs, result, "\n  ".join(body.outside), random.randint(1, 3)
        )
