"""Chains as text: products, row operations on their results, products with these; and what is nearly one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

_EXTREME = {"f32": "0xFF800000", "f64": "0xFFF0000000000000"}


@dataclass
class ChainKernel:
    """A function that is written op by op; `sizes` are of the loops, by letter."""

    sizes: dict[str, int]
    element: str = "f32"
    arguments: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    loops: dict[str, str] = field(default_factory=dict)

    def argument(self, loops: str) -> str:
        """A new argument with a dimension for each of these loops."""
        name = f"%x{len(self.arguments)}"
        self.arguments.append(f"{name}: {self._type(loops)}")
        self.loops[name] = loops
        return name

    def op(
        self, result: str, body: str, inputs: Sequence[str], start: str | None = None, order: str = ""
    ) -> str:
        """Append an op: `body` computes `%y` from `%a0`, `%a1`, ... and, for a reduction, `%o`.

        `result` are the loops of its result, `start` what a reduction starts from; loops are in the order of
        `order`, else the result's first.
        """
        number = len(self.lines)
        used = "".join(self.loops[value] for value in inputs)
        order = order or "".join(dict.fromkeys(result + used))
        lines = [f"%e{number} = tensor.empty() : {self._type(result)}"]
        init = f"%e{number}"
        if start is not None:
            lines += [
                f"%c{number} = arith.constant {start} : {self.element}",
                f"%f{number} = linalg.fill ins(%c{number} : {self.element}) outs(%e{number} :"
                f" {self._type(result)}) -> {self._type(result)}",
            ]
            init = f"%f{number}"
        maps = ", ".join(
            f"affine_map<({', '.join(order)}) -> ({', '.join(loops)})>"
            for loops in (*(self.loops[value] for value in inputs), result)
        )
        kinds = ", ".join('"parallel"' if loop in result else '"reduction"' for loop in order)
        types = ", ".join(self._type(self.loops[value]) for value in inputs)
        taken = ", ".join(f"%a{i}: {self.element}" for i in range(len(inputs)))
        lines.append(
            f"%t{number} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}\n"
            f"    ins({', '.join(inputs)} : {types}) outs({init} : {self._type(result)}) {{\n"
            f"  ^bb0({taken}, %o: {self.element}):\n    {body}\n    linalg.yield %y : {self.element}\n"
            f"  }} -> {self._type(result)}"
        )
        self.lines.append("\n  ".join(lines))
        self.loops[f"%t{number}"] = result
        return f"%t{number}"

    def product(self, result: str, left: str, right: str) -> str:
        """Append a product that starts from zero."""
        e = self.element
        body = f"%m = arith.mulf %a0, %a1 : {e}\n    %y = arith.addf %o, %m : {e}"
        return self.op(result, body, [left, right], "0.0")

    def softmax(self, scores: str, *, late: bool = False) -> tuple[str, str]:
        """Append the exponentials of rows and their sums; unless `late`, what is divided by them."""
        e, loops = self.element, self.loops[scores]
        most = self.op(loops[:-1], f"%y = arith.maximumf %a0, %o : {e}", [scores], _EXTREME[e], order=loops)
        shifted = f"%d = arith.subf %a0, %a1 : {e}\n    %y = math.exp %d : {e}"
        powers = self.op(loops, shifted, [scores, most])
        total = self.op(loops[:-1], f"%y = arith.addf %a0, %o : {e}", [powers], "0.0", order=loops)
        if not late:
            powers = self.op(loops, f"%y = arith.divf %a0, %a1 : {e}", [powers, total])
        return powers, total

    def norm(self, x: str) -> str:
        """Append a normalisation of rows."""
        e, loops = self.element, self.loops[x]
        by = f"%n = arith.constant {float(self.sizes[loops[-1]])} : {e}\n    %y = arith.divf %a0, %n : {e}"
        add = f"%y = arith.addf %a0, %o : {e}"
        square = f"%d = arith.subf %a0, %a1 : {e}\n    %q = arith.mulf %d, %d : {e}\n    "
        square += f"%y = arith.addf %q, %o : {e}"
        mean = self.op(loops[:-1], by, [self.op(loops[:-1], add, [x], "0.0", order=loops)])
        spread = self.op(loops[:-1], by, [self.op(loops[:-1], square, [x, mean], "0.0", order=loops)])
        scale = (
            f"%c = arith.constant 0.001 : {e}\n    %v = arith.addf %a2, %c : {e}\n"
            f"    %r = math.rsqrt %v : {e}\n    %d = arith.subf %a0, %a1 : {e}\n"
            f"    %y = arith.mulf %d, %r : {e}"
        )
        return self.op(loops, scale, [x, mean, spread])

    def text(self, *results: str) -> str:
        """The module that returns these."""
        types = ", ".join(self._type(self.loops[result]) for result in results)
        lines = "\n  ".join(self.lines)
        return (
            f"func.func @f({', '.join(self.arguments)}) -> ({types}) {{\n  {lines}\n"
            f"  return {', '.join(results)} : {types}\n}}"
        )

    def _type(self, loops: str) -> str:
        return f"tensor<{''.join(f'{self.sizes[loop]}x' for loop in loops)}{self.element}>"


def attention(
    sizes: Sequence[int],
    *,
    batch: str = "b",
    keys: str = "bkd",
    values: str = "bkv",
    result: str = "",
    late: bool = False,
    element: str = "f32",
) -> str:
    """Of queries, keys and values; `sizes` are of batch, queries, keys, depth, width of the values.

    `late` divides rows of the result, in the loops `result`, by the sums.
    """
    kernel = ChainKernel(dict(zip("bqkdv", sizes, strict=True)), element)
    q, k, v = (kernel.argument(loops) for loops in (f"{batch}qd", keys, values))
    scores = kernel.product(f"{batch}qk", q, k)
    powers, total = kernel.softmax(scores, late=late)
    summed = kernel.product(f"{batch}qv", powers, v)
    if late:
        summed = kernel.op(result or f"{batch}qv", f"%y = arith.divf %a0, %a1 : {element}", [summed, total])
    return kernel.text(summed)


def product_and_rows(rows: int, width: int, depth: int, *, norm: bool, element: str = "f32") -> str:
    """A product with a bias, and a normalisation or softmax of its rows."""
    kernel = ChainKernel({"q": rows, "k": width, "d": depth}, element)
    x, w, bias = kernel.argument("qd"), kernel.argument("dk"), kernel.argument("k")
    biased = kernel.op("qk", f"%y = arith.addf %a0, %a1 : {element}", [kernel.product("qk", x, w), bias])
    return kernel.text(kernel.norm(biased) if norm else kernel.softmax(biased)[0])


def random_program(seed: int, most: int = 40) -> str:
    """A chain of random sizes and steps, or what is nearly one."""
    rng = Random(seed)
    element = rng.choice(("f32", "f32", "f64"))
    sizes = {loop: rng.choice((1, 2, 3, 4, rng.randint(5, most), 16, 32)) for loop in "bqkdv"}
    kernel = ChainKernel(sizes, element)
    batch = rng.choice(("", "b"))
    left = kernel.argument(rng.choice((f"{batch}qd", f"{batch}qd", f"{batch}dq")))
    right = kernel.argument(rng.choice((f"{batch}kd", f"{batch}dk", "dk", "kd")))
    if rng.random() < 0.3:
        left = kernel.op(kernel.loops[left], f"%y = arith.negf %a0 : {element}", [left])
    scores = kernel.product(f"{batch}qk", left, right)
    results = [scores] if rng.random() < 0.1 else []
    if rng.random() < 0.5:
        added = kernel.argument(rng.choice(("k", "qk", f"{batch}qk")))
        scores = kernel.op(f"{batch}qk", f"%y = arith.addf %a0, %a1 : {element}", [scores, added])
    kind = rng.choice(("softmax", "softmax", "late", "norm", "most", "none"))
    total = None
    if kind == "norm":
        rows = kernel.norm(scores)
    elif kind == "most":
        most_body = f"%y = arith.maximumf %a0, %o : {element}"
        rows = kernel.op(f"{batch}q", most_body, [scores], "0.0", order=f"{batch}qk")
    elif kind == "none":
        rows = kernel.op(f"{batch}qk", f"%y = math.absf %a0 : {element}", [scores])
    else:
        rows, total = kernel.softmax(scores, late=kind == "late")
    if kind != "most" and rng.random() < 0.6:
        value = kernel.argument(rng.choice((f"{batch}kv", f"{batch}vk", "kv")))
        if rng.random() < 0.2:
            value = kernel.op(kernel.loops[value], f"%y = math.absf %a0 : {element}", [value])
        rows = kernel.product(f"{batch}qv", rows, value)
    loops = kernel.loops[rows]
    if kind == "late" and total is not None:
        order = rng.choice((loops, loops[::-1], loops[1:] + loops[:1]))
        rows = kernel.op(order, f"%y = arith.divf %a0, %a1 : {element}", [rows, total])
    if rng.random() < 0.2:
        rows = kernel.op(kernel.loops[rows], f"%y = arith.addf %a0, %a0 : {element}", [rows])
    return kernel.text(rows, *results)
