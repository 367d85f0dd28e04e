"""Kernels of contractions whose operands are permuted or padded first, in several ways."""

from __future__ import annotations

from random import Random

from tests.passes.named_kernels import tensor

_PRODUCTS = {
    "linalg.matmul": ("mk", "kn", "mn"),
    "linalg.batch_matmul": ("bmk", "bkn", "bmn"),
    "linalg.matvec": ("mk", "k", "m"),
    "linalg.depthwise_conv_1d_nwc_wc": ("bwc", "xc", "bvc"),
    "linalg.conv_2d_nhwc_hwcf": ("bwwc", "xxcn", "bvvn"),
    "linalg.add": ("mn", "mn", "mn"),
}
_SIZES = dict(zip("bmnkwxvc", (2, 6, 7, 9, 8, 3, 6, 5), strict=True))


def permuted(seed: int) -> str:
    """A product, a convolution or a sum of operands that are permuted, some of them twice or read again."""
    random = Random(seed)
    op, letters = random.choice(list(_PRODUCTS.items()))
    shapes = [[_SIZES[letter] for letter in names] for names in letters]
    types = [f"tensor<{'x'.join(map(str, shape))}xf32>" for shape in shapes]
    lines, arguments = [], []
    for i, shape in enumerate(shapes[:2]):
        steps = random.randint(0, 2)
        for step in range(1, steps + 1):
            order = random.sample(range(len(shape)), len(shape))
            given = [size for _, size in sorted(zip(order, shape, strict=True))]
            lines.insert(0, _permutation(random, f"%x{i}_{step}", f"%x{i}_{step - 1}", given, order))
            shape = given
        arguments.append(f"%x{i}_{steps}: tensor<{'x'.join(map(str, shape))}xf32>")
    ends = f"ins(%x0_0, %x1_0 : {types[0]}, {types[1]}) outs(%init : {types[2]}) -> {types[2]}"
    again = random.random() < 0.2
    results = ["%r", "%n"] if again else ["%r"]
    if again:
        lines.append(f"%n = linalg.negf ins(%x0_0 : {types[0]}) outs(%x0_0 : {types[0]}) -> {types[0]}")
    body = "\n  ".join([*lines, f"%r = {op} {ends}"])
    made = ", ".join([types[2], types[0]][: len(results)])
    return (
        f"func.func @f({', '.join(arguments)}, %init: {types[2]}) -> ({made}) {{\n  {body}\n"
        f"  return {', '.join(results)} : {made}\n}}"
    )


def _permutation(random: Random, given: str, made: str, shape: list[int], order: list[int]) -> str:
    """A transpose of an argument of this shape, or a generic that does the same."""
    old, new = (f"tensor<{'x'.join(map(str, s))}xf32>" for s in (shape, [shape[d] for d in order]))
    empty = f"{made}e = tensor.empty() : {new}\n  "
    ends = f"ins({given} : {old}) outs({made}e : {new})"
    if random.random() < 0.5:
        return f"{empty}{made} = linalg.transpose {ends} permutation = {order}"
    loops = [f"d{d}" for d in range(len(order))]
    maps = [[loops[order.index(d)] for d in range(len(order))], loops]
    texts = ", ".join(f"affine_map<({', '.join(loops)}) -> ({', '.join(rows)})>" for rows in maps)
    kinds = ", ".join(['"parallel"'] * len(order))
    return (
        f"{empty}{made} = linalg.generic {{indexing_maps = [{texts}], iterator_types = [{kinds}]}} {ends}"
        f" {{\n  ^bb0(%p: f32, %q: f32):\n    linalg.yield %p : f32\n  }} -> {new}"
    )


_VALUES = {
    "f32": ("0.0", "-0.0", "2.5", "0x7F800000", "0xFF800000", "0x7FC00000"),
    "i8": ("0", "-3", "127"),
    "i1": ("1", "0"),
}
_TOTALS = {"f32": "f32", "i8": "i32", "i1": "i1"}


def padded(seed: int) -> str:
    """A product, a convolution, a pooling or a sum of operands that are padded, in several ways."""
    random = Random(seed)
    pooling = {"linalg.pooling_nwc_sum": ("bwc", "x", "bvc")}
    op, letters = random.choice(list({**_PRODUCTS, **pooling}.items()))
    element = "f32" if op == "linalg.add" else random.choice(list(_VALUES))
    total = _TOTALS[element]
    shapes = [[_SIZES[letter] for letter in names] for names in letters]
    kinds = [tensor(shapes[0], element), tensor(shapes[1], element), tensor(shapes[2], total)]
    lines = [f"%o = arith.constant {random.choice(_VALUES[element])} : {element}"]
    arguments = []
    for i in (0, 1):
        given, line = _padding(random, i, shapes[i], element)
        lines += line
        arguments.append(f"{'%g' if line else '%x'}{i}: {given}")
    again = random.random() < 0.15
    results = ["%r", "%x0"] if again else ["%r"]
    made = ", ".join([kinds[2], kinds[0]][: len(results)])
    lines.append(f"%r = {op} ins(%x0, %x1 : {kinds[0]}, {kinds[1]}) outs(%init : {kinds[2]}) -> {kinds[2]}")
    body = "\n  ".join(lines)
    return (
        f"func.func @f({', '.join(arguments)}, %init: {kinds[2]}) -> ({made}) {{\n  {body}\n"
        f"  return {', '.join(results)} : {made}\n}}"
    )


def _padding(random: Random, operand: int, shape: list[int], element: str) -> tuple[str, list[str]]:
    """The type of the argument that becomes an operand of this shape by padding, and how it does."""
    if random.random() < 0.3:
        return tensor(shape, element), []
    low = [random.choice((0, 0, 1, 2, -1) if size > 3 else (0, 1)) for size in shape]
    high = [random.choice((0, 1)) for _ in shape]
    given = tensor([size - a - b for size, a, b in zip(shape, low, high, strict=True)], element)
    places = ", ".join(f"%i{operand}_{d}: index" for d in range(len(shape)))
    inside = random.random() < 0.3
    value = f"%p{operand}" if inside else "%o"
    constant = f"%p{operand} = arith.constant {random.choice(_VALUES[element])} : {element}\n    "
    lines = [
        f"%x{operand} = tensor.pad %g{operand} low{low} high{high} {{\n  ^bb0({places}):\n"
        f"    {constant if inside else ''}tensor.yield {value} : {element}\n"
        f"  }} : {given} to {tensor(shape, element)}"
    ]
    return given, lines
