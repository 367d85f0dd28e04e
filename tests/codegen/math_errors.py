"""Functions of the math dialect as compiled code computes them, and how far off they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.codegen.compiled import run_on

Floats = npt.NDArray[Any]

_PROGRAM = """
from tests.codegen.compositions import function, numbers
element, accuracy, tables, shape, count, *ops = sys.argv[1:]
if tables == "without":
    from harl_mlir.codegen import approximate
    approximate.AVX512 = "no processor's"
count = int(count)
shape = [int(size) for size in shape.split("x")] if shape != "scalar" else None
held = f"tensor<{count}x{element}>"
def result(op, names, kind):
    if len(names) > 1:
        return f"%w = {op} {', '.join(names)} : {kind}"
    return chr(10).join([*numbers(kind), *function(op, "%w", names[0], kind)])
def kernel(op):
    names = ["%x", "%y"][: 2 if op in ("math.powf", "math.atan2") else 1]
    given = ", ".join(f"{name}: {held}" for name in names)
    if shape is None:
        values = ", ".join(f"%v{i}: {element}" for i in range(len(names)))
        listed = [f"%v{i}" for i in range(len(names))]
        body = f'''%r = linalg.map ins({", ".join(names)} : {", ".join([held] * len(names))})
        outs(%e : {held}) ({values}, %o: {element}) {{
          {result(op, listed, element)}
          linalg.yield %w : {element}
        }}'''
    else:
        size = int(np.prod(shape))
        flat = f"vector<{size}x{element}>"
        kind = f"vector<{'x'.join(map(str, shape))}x{element}>"
        read = [f'''%v{i} = vector.transfer_read {name}[%i], %z {{in_bounds=[true]}} : {held}, {flat}
          %s{i} = vector.shape_cast %v{i} : {flat} to {kind}''' for i, name in enumerate(names)]
        listed = [f"%s{i}" for i in range(len(names))]
        body = f'''%c0 = arith.constant 0 : index
        %step = arith.constant {size} : index
        %n = arith.constant {count} : index
        %z = arith.constant 0.0 : {element}
        %r = scf.for %i = %c0 to %n step %step iter_args(%t = %e) -> {held} {{
          {chr(10).join(read)}
          {result(op, listed, kind)}
          %f = vector.shape_cast %w : {kind} to {flat}
          %u = vector.transfer_write %f, %t[%i] {{in_bounds=[true]}} : {flat}, {held}
          scf.yield %u : {held}
        }}'''
    return compiled(f'''func.func @kernel({given}) -> {held} {{
      %e = tensor.empty() : {held}
      {body}
      return %r : {held}
    }}''', accuracy=accuracy)
kind = {"f16": np.float16, "f32": np.float32, "f64": np.float64}[element]
x = np.frombuffer(sys.stdin.buffer.read(), kind).reshape(-1, count)
for op in ops:
    y = np.empty_like(x[0])
    operands = x[: 2 if op in ("math.powf", "math.atan2") else 1]
    kernel(op).bind([*(each.ctypes.data for each in operands), y.ctypes.data])(1)
    sys.stdout.buffer.write(y.tobytes())
"""

_ELEMENTS = {np.dtype(np.float16): "f16", np.dtype(np.float32): "f32", np.dtype(np.float64): "f64"}
_ERF_OF_ONE = np.frompyfunc(math.erf, 1, 1)
_ERFC_OF_ONE = np.frompyfunc(math.erfc, 1, 1)
EXACT: dict[str, Callable[..., Floats]] = {
    "math.acos": np.arccos,
    "math.acosh": np.arccosh,
    "math.asin": np.arcsin,
    "math.asinh": np.arcsinh,
    "math.atan": np.arctan,
    "math.atanh": np.arctanh,
    "math.cbrt": np.cbrt,
    "math.cos": np.cos,
    "math.cosh": np.cosh,
    "math.erf": lambda x: _ERF_OF_ONE(x).astype(np.float64),
    "math.erfc": lambda x: _ERFC_OF_ONE(x).astype(np.float64),
    "math.exp": np.exp,
    "math.exp2": np.exp2,
    "math.expm1": np.expm1,
    "math.log": np.log,
    "math.log10": np.log10,
    "math.log1p": np.log1p,
    "math.log2": np.log2,
    "math.rsqrt": lambda x: 1 / np.sqrt(x),
    "math.sin": np.sin,
    "math.sinh": np.sinh,
    "math.sqrt": np.sqrt,
    "math.tan": np.tan,
    "math.tanh": np.tanh,
    "math.powf": np.power,
    "math.atan2": np.arctan2,
}
"""In the type that is given, which is to be wider than that of the code."""

_EXACT_COMPOSED: dict[str, Callable[[Floats], Floats]] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * EXACT["math.erfc"](-x * math.sqrt(0.5)) / 2,
    # x sigmoid(2 t), which keeps its digits where 1 + tanh(t) is small.
    "gelu_tanh": lambda x: x / (1 + np.exp(-2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}

SPECIAL = (
    *(0.0, -0.0, math.inf, -math.inf, math.nan, 1e-45, -1e-45, 1.1754942e-38, 1.1754944e-38, 1.0, -1.0),
    *(88.72283, 88.73, -103.98, -87.5, 3.4028235e38, -3.4028235e38, 2.0, 0.5, 1e-20, -1e-20),
)


def singles(count: int = 1 << 18, around: float = 12.0) -> Floats:
    """Floats spread over all bit patterns, half of them where the functions bend, and the special ones."""
    bits = np.arange(0, 1 << 32, (1 << 33) // count, dtype=np.uint64).astype(np.uint32) + np.uint32(12345)
    near = np.linspace(-around, around, count // 2 - len(SPECIAL))
    rest = np.concatenate([near, SPECIAL]).astype(np.float32)
    return np.concatenate([bits.view(np.float32), rest])


def sixteenths() -> Iterator[Floats]:
    """All bit patterns of singles but for 60 of 61, in 16 parts."""
    for part in range(16):
        bits = np.arange(part << 28, (part + 1) << 28, 61, dtype=np.uint64)[: (1 << 22)]
        yield bits.astype(np.uint32).view(np.float32)


def computed(
    ops: Sequence[str],
    operands: Floats,
    shape: Sequence[int] | None,
    accuracy: str = "reassociate",
    tables: bool = True,
) -> list[Floats]:
    """What compiled code makes of `operands` (one row an operand), by vectors of `shape` or by scalars.

    Polynomials are those for AVX-512 where the processor has it, unless `tables` is false.
    """
    rows = np.atleast_2d(operands)
    said = "scalar" if shape is None else "x".join(map(str, shape))
    element = _ELEMENTS[rows.dtype]
    form = "with" if tables else "without"
    out = run_on(rows.tobytes(), _PROGRAM, element, accuracy, form, said, str(rows.shape[1]), *ops)
    return list(np.frombuffer(out, rows.dtype).reshape(len(ops), -1))


def exactly(op: str, x: Floats) -> Floats:
    """A function of singles in double precision."""
    with np.errstate(all="ignore"):
        return {**EXACT, **_EXACT_COMPOSED}[op](x.astype(np.float64))


def errors(op: str, operands: Floats, result: Floats) -> Floats:
    """How far off each finite number is, in units in the last place; all others have to be as they should."""
    wide = np.float64 if result.dtype != np.float64 else np.longdouble
    with np.errstate(all="ignore"):
        exact = EXACT[op](*np.atleast_2d(operands).astype(wide))
        expected = exact.astype(result.dtype)
        least = np.finfo(result.dtype).smallest_subnormal
        ulp = np.maximum(np.spacing(np.abs(expected)), least).astype(wide)
        off = np.abs(result.astype(wide) - exact) / ulp
    finite = np.isfinite(expected)
    # What is just above the largest number may become infinite or not.
    edge = np.abs(exact) > np.finfo(result.dtype).max * wide(1 - 1e-6)
    kept = ~finite & ~edge
    np.testing.assert_array_equal(result[kept], expected[kept])
    known = ~np.isnan(expected)
    assert (np.signbit(result) == np.signbit(expected))[known].all()
    return np.where(finite & ~edge, off, 0).astype(np.float64)
