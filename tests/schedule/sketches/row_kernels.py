"""Row operations as text: softmax, normalisations and their like, over rows of any shape and type."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st


@dataclass
class RowKernel:
    """A function of one tensor `%x` and a vector `%w` along the row, written op by op."""

    counts: tuple[int, ...]
    length: int
    element: str = "f32"
    lines: list[str] = field(default_factory=list)

    def along(self, body: str, *inputs: str) -> str:
        """Append an elementwise op along the row: `body` computes `%y` from `%a0`, `%a1`, ..."""
        return self._op(body, inputs, self._full, "parallel")

    def each(self, body: str, *inputs: str) -> str:
        """Append an elementwise op on one number a row."""
        return self._op(body, inputs, self._few, None)

    def reduce(self, start: str, body: str, *inputs: str) -> str:
        """Append a reduction of the rows: `body` computes `%y` from the inputs' elements and `%o`."""
        name = f"%f{len(self.lines)}"
        constant = f"%c{len(self.lines)}"
        self.lines += [
            f"{constant} = arith.constant {start} : {self.element}",
            f"{name} = linalg.fill ins({constant} : {self.element}) outs(%few : {self._few}) -> {self._few}",
        ]
        return self._op(body, inputs, self._few, "reduction", init=name)

    def text(self, result: str) -> str:
        """The module that returns `result`."""
        made = self._types[result]
        head = (
            f"func.func @f(%x: {self._full}, %w: {self._vector}) -> {made} {{",
            f"%few = tensor.empty() : {self._few}",
            f"%full = tensor.empty() : {self._full}",
        )
        return "\n  ".join([*head, *self.lines, f"return {result} : {made}\n}}"])

    def __post_init__(self) -> None:
        self._full = self._tensor(*self.counts, self.length)
        self._few = self._tensor(*self.counts)
        self._vector = self._tensor(self.length)
        self._types = {"%x": self._full, "%w": self._vector}

    def _tensor(self, *shape: int) -> str:
        return f"tensor<{'x'.join(str(size) for size in shape)}x{self.element}>"

    def _op(
        self, body: str, inputs: tuple[str, ...], type_: str, last: str | None, init: str | None = None
    ) -> str:
        name = f"%t{len(self.lines)}"
        loops = [f"d{i}" for i in range(len(self.counts) + (last is not None))]
        maps = {self._full: loops, self._few: loops[: len(self.counts)], self._vector: loops[-1:]}
        types = [self._types[value] for value in inputs]
        written = ", ".join(
            f"affine_map<({', '.join(loops)}) -> ({', '.join(maps[t])})>" for t in (*types, type_)
        )
        kinds = ", ".join(f'"{kind}"' for kind in ["parallel"] * len(self.counts) + [last] * bool(last))
        init = init or ("%full" if type_ == self._full else "%few")
        arguments = ", ".join(f"%a{i}: {self.element}" for i in range(len(inputs)))
        self.lines.append(
            f"{name} = linalg.generic {{indexing_maps = [{written}], iterator_types = [{kinds}]}}\n"
            f"    ins({', '.join(inputs)} : {', '.join(types)}) outs({init} : {type_}) {{\n"
            f"  ^bb0({arguments}, %o: {self.element}):\n    {body}\n    linalg.yield %y : {self.element}\n"
            f"  }} -> {type_}"
        )
        self._types[name] = type_
        return name


def softmax(counts: tuple[int, ...], length: int, element: str = "f32") -> str:
    """The rows' exponentials by their sums."""
    k = RowKernel(counts, length, element)
    least = {"f32": "0xFF800000", "f64": "0xFFF0000000000000"}[element]
    most = k.reduce(least, f"%y = arith.maximumf %a0, %o : {element}", "%x")
    shifted = f"%s = arith.subf %a0, %a1 : {element}\n    %y = math.exp %s : {element}"
    powers = k.along(shifted, "%x", most)
    total = k.reduce("0.0", f"%y = arith.addf %a0, %o : {element}", powers)
    return k.text(k.along(f"%y = arith.divf %a0, %a1 : {element}", powers, total))


def log_sum_exp(counts: tuple[int, ...], length: int) -> str:
    """One number a row."""
    k = RowKernel(counts, length)
    most = k.reduce("0xFF800000", "%y = arith.maximumf %a0, %o : f32", "%x")
    powers = k.along("%s = arith.subf %a0, %a1 : f32\n    %y = math.exp %s : f32", "%x", most)
    total = k.reduce("0.0", "%y = arith.addf %a0, %o : f32", powers)
    return k.text(k.each("%s = math.log %a0 : f32\n    %y = arith.addf %s, %a1 : f32", total, most))


def layer_norm(counts: tuple[int, ...], length: int, element: str = "f32") -> str:
    """In two passes, with a weight along the row."""
    k = RowKernel(counts, length, element)
    by = f"%n = arith.constant {float(length)} : {element}\n    %y = arith.divf %a0, %n : {element}"
    mean = k.each(by, k.reduce("0.0", f"%y = arith.addf %a0, %o : {element}", "%x"))
    square = (
        f"%d = arith.subf %a0, %a1 : {element}\n    %q = arith.mulf %d, %d : {element}\n"
        f"    %y = arith.addf %q, %o : {element}"
    )
    spread = k.each(by, k.reduce("0.0", square, "%x", mean))
    scale = (
        f"%e = arith.constant 0.00001 : {element}\n    %v = arith.addf %a2, %e : {element}\n"
        f"    %r = math.rsqrt %v : {element}\n    %d = arith.subf %a0, %a1 : {element}\n"
        f"    %s = arith.mulf %d, %r : {element}\n    %y = arith.mulf %s, %a3 : {element}"
    )
    return k.text(k.along(scale, "%x", mean, spread, "%w"))


def rms_norm(counts: tuple[int, ...], length: int) -> str:
    """Of one reduction."""
    k = RowKernel(counts, length)
    total = k.reduce("0.0", "%q = arith.mulf %a0, %a0 : f32\n    %y = arith.addf %q, %o : f32", "%x")
    scale = (
        f"%n = arith.constant {float(length)} : f32\n    %m = arith.divf %a1, %n : f32\n"
        "    %r = math.rsqrt %m : f32\n    %s = arith.mulf %a0, %r : f32\n    %y = arith.mulf %s, %a2 : f32"
    )
    return k.text(k.along(scale, "%x", total, "%w"))


def distance_from_most(counts: tuple[int, ...], length: int) -> str:
    """Of integers."""
    k = RowKernel(counts, length, "i32")
    most = k.reduce("-2147483648", "%y = arith.maxsi %a0, %o : i32", "%x")
    return k.text(k.along("%y = arith.subi %a1, %a0 : i32", "%x", most))


def random_program(seed: int, counts: tuple[int, ...] = (6,), length: int = 40) -> str:
    """Ops on rows that use one another at random, as far as their shapes allow; the last is returned."""
    rng = Random(seed)
    k = RowKernel(counts, length)
    full, few = ["%x"], list[str]()
    for _ in range(rng.randint(3, 9)):
        kind = rng.choice(("reduce", "reduce", "along", "along", "each"))
        if kind == "reduce":
            start, combiner = rng.choice((("0.0", "addf"), ("0xFF800000", "maximumf")))
            inputs = [rng.choice(full), *rng.sample([*few, "%w"], rng.randint(0, 1))]
            body = "%m = arith.addf %a0, %a1 : f32" if len(inputs) > 1 else "%m = math.absf %a0 : f32"
            body += f"\n    %y = arith.{combiner} %m, %o : f32"
            few.append(k.reduce(start, body, *inputs))
        elif kind == "along":
            second = rng.choice([*full, *few, "%w"])
            body = f"%y = arith.{rng.choice(('addf', 'subf', 'maximumf'))} %a0, %a1 : f32"
            full.append(k.along(body, rng.choice(full), second))
        elif few:
            few.append(k.each("%y = arith.subf %a0, %a1 : f32", rng.choice(few), rng.choice(few)))
    return k.text(
        (full + few)[-1]
        if not few or rng.random() < 0.3
        else k.along("%y = arith.addf %a0, %a1 : f32", full[-1], few[-1])
    )


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Ops on rows that use one another at random, as far as their shapes allow; the last is returned.

    Of any types and shapes: with dimensions of one, of primes, of more or less than a vector.
    """
    element = draw(st.sampled_from(_ELEMENTS))
    counts = tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=3)))
    length = draw(st.sampled_from((2, 3, 8, 15, 16, 31, 40, 64, 67, 128, 200, 257)))
    kernel = RowKernel(counts, length, element)
    full, few = ["%x"], list[str]()
    for _ in range(draw(st.integers(2, 8))):
        kind = draw(st.sampled_from(("reduce", "along", "along", "each")))
        if kind == "reduce":
            few.append(_reduction(draw, kernel, full, few))
        elif kind == "along":
            second = draw(st.sampled_from([*full, *few, "%w"]))
            full.append(kernel.along(_body(draw, element), draw(st.sampled_from(full)), second))
        elif few:
            body = _body(draw, element)
            few.append(kernel.each(body, draw(st.sampled_from(few)), draw(st.sampled_from(few))))
    if not (few or full[1:]):
        few.append(_reduction(draw, kernel, full, few))
    if few and draw(st.booleans()):
        return kernel.text(kernel.along(_body(draw, element), full[-1], few[-1]))
    return kernel.text(draw(st.sampled_from((few or full)[-1:] + full[-1:])))


@st.composite
def exponentials(draw: st.DrawFn) -> str:
    """Sums of exponentials of long rows relative to their greatest elements, and what else is made of these.

    Among them softmax, log-softmax and log-sum-exp, and what is nearly one of them.
    """
    element = draw(st.sampled_from(("f32", "f32", "f64")))
    counts = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=2)))
    length = draw(st.one_of(st.sampled_from((1025, 1536, 2048, 2080, 3000, 4160)), st.integers(1030, 5000)))
    k = RowKernel(counts, length, element)

    def along(body: str, *inputs: str) -> str:
        return k.along(f"%y = arith.{body} %a0, %a1 : {element}", *inputs)

    x = draw(st.sampled_from(("%x", "%x", "sum")))
    x = along("addf", "%x", "%w") if x == "sum" else x
    most = k.reduce(_STARTS["least", element], f"%y = arith.maximumf %a0, %o : {element}", x)
    of = draw(st.sampled_from((x, x, x, "%x")))
    power = f"%s = arith.subf %a0, %a1 : {element}\n    %y = math.exp %s : {element}"
    powers = k.along(power, of, most)
    total = k.reduce("0.0", f"%y = arith.addf %a0, %o : {element}", powers)
    logarithm = f"%s = math.log %a0 : {element}\n    %y = arith.addf %s, %a1 : {element}"
    kind = draw(
        st.sampled_from(("softmax", "softmax", "log-softmax", "log-sum-exp", "else", "both", "twice"))
    )
    if kind == "softmax":
        return k.text(along("divf", powers, total))
    if kind == "log-sum-exp":
        return k.text(k.each(logarithm, total, most))
    if kind == "log-softmax":
        return k.text(along("subf", x, k.each(logarithm, total, most)))
    if kind == "else":
        return k.text(along(draw(st.sampled_from(("addf", "mulf", "maximumf"))), powers, total))
    if kind == "both":
        return k.text(along("addf", along("divf", powers, total), powers))
    squares = k.reduce(
        "0.0", f"%q = arith.mulf %a0, %a0 : {element}\n    %y = arith.addf %q, %o : {element}", powers
    )
    return k.text(along("divf", along("divf", powers, total), squares))


def _reduction(draw: st.DrawFn, kernel: RowKernel, full: list[str], few: list[str]) -> str:
    start, combiner = draw(st.sampled_from(_REDUCTIONS[_is_float(kernel.element)]))
    inputs = [draw(st.sampled_from(full)), *draw(st.lists(st.sampled_from([*few, "%w"]), max_size=1))]
    add = "arith.addf" if _is_float(kernel.element) else "arith.addi"
    kept = f"%y = arith.{combiner} {'%m' if len(inputs) > 1 else '%a0'}, %o : {kernel.element}"
    if len(inputs) > 1:
        kept = f"%m = {add} %a0, %a1 : {kernel.element}\n    {kept}"
    return kernel.reduce(_STARTS.get((start, kernel.element), start), kept, *inputs)


def _body(draw: st.DrawFn, element: str) -> str:
    combiner = draw(st.sampled_from(_COMBINING[_is_float(element)]))
    function = draw(st.sampled_from(_FUNCTIONS)) if element in ("f32", "f64") else ""
    if not function:
        return f"%y = arith.{combiner} %a0, %a1 : {element}"
    return f"%u = math.{function} %a0 : {element}\n    %y = arith.{combiner} %u, %a1 : {element}"


def _is_float(element: str) -> bool:
    return element.startswith(("f", "bf"))


_ELEMENTS = ("f32", "f32", "f64", "f16", "bf16", "i32", "i8", "i64")
_REDUCTIONS = {
    True: (("0.0", "addf"), ("least", "maximumf"), ("most", "minimumf")),
    False: (("0", "addi"), ("0", "maxsi"), ("0", "minsi"), ("0", "xori")),
}
_COMBINING = {True: ("addf", "subf", "maximumf", "mulf"), False: ("addi", "subi", "maxsi", "muli")}
# Of arguments that stay small: results of unbounded functions would leave the range of their type.
_FUNCTIONS = ("", "", "", "tanh", "erf", "absf")
_STARTS = {
    ("least", "f16"): "0xFC00", ("least", "bf16"): "0xFF80", ("least", "f32"): "0xFF800000",
    ("least", "f64"): "0xFFF0000000000000", ("most", "f16"): "0x7C00", ("most", "bf16"): "0x7F80",
    ("most", "f32"): "0x7F800000", ("most", "f64"): "0x7FF0000000000000",
}  # fmt: skip
