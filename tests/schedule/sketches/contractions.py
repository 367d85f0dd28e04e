"""Random kernels that are contraction-like: tensor contractions and convolutions in any layout."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.schedule.sketches.loop_nests import LoopNest, Row, plain

_EXTENTS = (1, 2, 3, 5, 8, 15, 16, 17, 20, 31, 33)
_VECTORS = (1, 2, 7, 16, 17, 32, 33, 45, 64, 70)
_SHORT = (1, 2, 3, 5)
Body = tuple[str, str, str]
"""The element types of operands and result, and what is computed of them."""


def _widened(given: str, to: str, *casts: str) -> Body:
    wide = [f"%w{n} = arith.{cast} %x{n} : {given} to {to}" for n, cast in enumerate(casts)]
    kind = to[0]
    lines = [*wide, f"%t = arith.mul{kind} %w0, %w1 : {to}", f"%y = arith.add{kind} %out, %t : {to}"]
    return given, to, "\n    ".join(lines)


_BODIES: list[Body] = [
    ("f32", "f32", "%t = arith.mulf %x0, %x1 : f32\n %y = arith.addf %out, %t : f32"),
    ("f64", "f64", "%t = arith.mulf %x1, %x0 : f64\n %y = arith.addf %t, %out : f64"),
    ("i32", "i32", "%t = arith.muli %x0, %x1 : i32\n %y = arith.addi %out, %t : i32"),
    _widened("f16", "f32", "extf", "extf"),
    _widened("bf16", "f32", "extf", "extf"),
    _widened("bf16", "f64", "extf", "extf"),
    _widened("i8", "i32", "extsi", "extsi"),
    _widened("i16", "i64", "extsi", "extui"),
    # Summed up in f32.
    ("f16", "f16", "%t = arith.mulf %x0, %x1 : f16\n %y = arith.addf %out, %t : f16"),
    ("bf16", "bf16", "%t = arith.mulf %x0, %x1 : bf16\n %y = arith.addf %t, %out : bf16"),
]
DOTS: list[Body] = [
    _widened("bf16", "f32", "extf", "extf"),
    ("bf16", "bf16", "%t = arith.mulf %x0, %x1 : bf16\n %y = arith.addf %t, %out : bf16"),
    _widened("i8", "i32", "extsi", "extsi"),
    _widened("i8", "i32", "extui", "extsi"),
    _widened("i8", "i32", "extsi", "extui"),
]
"""Those that processors have dot products for."""
_MOSTLY_F32 = [*[_BODIES[0]] * len(_BODIES), *_BODIES]


@st.composite
def contractions(draw: st.DrawFn, bodies: list[Body] = _MOSTLY_F32) -> LoopNest:
    """`C[batch, rows, columns] += A[batch, rows, k] * B[batch, k, columns]`, dimensions in any order."""
    batch = draw(st.integers(0, 1))
    rows, columns, contracted = (draw(st.sampled_from((1, 1, 1, 2))) for _ in range(3))
    if draw(st.integers(0, 9)) == 0:
        rows = 0
    parallel = batch + rows + columns
    dims = [draw(st.sampled_from(_SHORT if i else _EXTENTS)) for i in range(batch + rows)]
    dims += [draw(st.sampled_from(_SHORT)) for _ in range(columns - 1)]
    dims += [draw(st.sampled_from(_VECTORS)), *(draw(st.sampled_from(_EXTENTS)) for _ in range(contracted))]
    both = [*range(batch), *range(parallel, parallel + contracted)]
    a = draw(st.permutations([*both, *range(batch, batch + rows)]))
    b = draw(st.permutations([*both, *range(batch + rows, parallel)]))
    c = tuple(range(parallel)) if draw(st.booleans()) else tuple(draw(st.permutations(range(parallel))))
    return _nest(draw, bodies, dims, "p" * parallel + "r" * contracted, [plain(*a), plain(*b)], c)


@st.composite
def convolutions(draw: st.DrawFn, bodies: list[Body] = _MOSTLY_F32) -> LoopNest:
    """Over one to three dimensions, channels first or last, filters in any order."""
    rank = draw(st.integers(1, 3))
    channels_last, channels_outside = draw(st.booleans()), draw(st.booleans())
    sizes = [draw(st.sampled_from(_SHORT)) for _ in range(rank - 1)] + [draw(st.sampled_from(_EXTENTS))]
    kernels = [draw(st.integers(1, 3)) for _ in range(rank)]
    n, f = draw(st.integers(1, 2)), draw(st.sampled_from(_VECTORS))
    out, taps, c = range(2, 2 + rank), range(2 + rank, 2 + 2 * rank), 2 + 2 * rank
    if channels_outside:
        taps, c = range(3 + rank, 3 + 2 * rank), 2 + rank
    dims = [n, f, *sizes, *kernels]
    dims.insert(c, draw(st.sampled_from((*_SHORT, 16))))
    stride = draw(st.sampled_from((1, 1, 2, 3)))
    windows: list[Row] = []
    for i in range(rank):
        # The innermost dimension decides how rows are computed.
        by = stride if i == rank - 1 else draw(st.integers(1, 2))
        windows.append(((out[i], by), (taps[i], draw(st.integers(1, 2)))))
    image = (((0, 1),), *windows, ((c, 1),)) if channels_last else (((0, 1),), ((c, 1),), *windows)
    filters = draw(st.permutations([1, c, *taps]))
    usual = [*taps, c, 1] if channels_last else [1, c, *taps]
    result = (0, *out, 1) if channels_last else (0, 1, *out)
    chosen = plain(*(usual if draw(st.booleans()) else filters))
    return _nest(draw, bodies, dims, "pp" + "p" * rank + "r" * (rank + 1), [image, chosen], result)


def _nest(
    draw: st.DrawFn,
    bodies: list[Body],
    dims: list[int],
    kinds: str,
    maps: list[tuple[Row, ...]],
    result: tuple[int, ...],
) -> LoopNest:
    given, element, body = draw(st.sampled_from(bodies))
    if draw(st.booleans()):
        maps.reverse()
    is_float = not element.startswith("i")
    return LoopNest(
        tuple(dims),
        kinds,
        tuple((given, rows) for rows in maps),
        result,
        element,
        body,
        init=draw(st.sampled_from((None, "0.25" if is_float else "3", "0.0" if is_float else "0"))),
        epilogue=f"%y = arith.{'subf' if is_float else 'subi'} %p, %q : {element}"
        if draw(st.booleans())
        else None,
    )
