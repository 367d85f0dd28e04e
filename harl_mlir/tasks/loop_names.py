"""Names for the loops of an op, for people."""

from __future__ import annotations

from string import ascii_lowercase

from harl_mlir.tasks.contraction import is_multiply_add
from harl_mlir.tasks.linalg_op import LinalgOp, loops_of

_MATMUL = ("parallel", "parallel", "reduction")
_AXES = "dhw"


def dimension_names(op: LinalgOp) -> tuple[str, ...]:
    """A name for each dimension of an op: `m n k` of a matmul, with `b` before it of a batch of them.

    Of a convolution `n` is the batch, `f` the filters, `c` the channels that are summed, `oh ow` the place in
    the result and `kh kw` that in the window. Letters in order where such names would not be clear.
    """
    if op.iterators == _MATMUL:
        return ("m", "n", "k")
    names = _window_names(op) or _product_names(op)
    if names is None or len(set(names)) != len(names):
        return tuple(ascii_lowercase[d] if d < 26 else f"d{d}" for d in range(len(op.dims)))
    return names


def _window_names(op: LinalgOp) -> tuple[str, ...] | None:
    if len(op.inputs) != 2:
        return None
    names: dict[int, str] = {}
    for operand in op.inputs:
        pairs = [sorted(loops_of(row)) for row in operand.map if len(loops_of(row)) == 2]
        kinds = [[op.iterators[d] for d in pair] for pair in pairs]
        if not pairs or len(pairs) > len(_AXES) or any(k != ["parallel", "reduction"] for k in kinds):
            continue
        for axis, (place, window) in zip(_AXES[-len(pairs) :], pairs, strict=True):
            names |= {place: f"o{axis}", window: f"k{axis}"}
        image = {d for row in operand.map for d in loops_of(row)}
        for d, kind in enumerate(op.iterators):
            in_filter = any(row[d] for other in op.inputs if other is not operand for row in other.map)
            rest = "c" if kind == "reduction" or (d in image and in_filter) else "n" if d in image else "f"
            names.setdefault(d, rest)
        return tuple(names[d] for d in range(len(op.dims)))
    return None


def _product_names(op: LinalgOp) -> tuple[str, ...] | None:
    if not is_multiply_add(op):
        return None
    names = {(True, True): "b", (True, False): "m", (False, True): "n", (False, False): "f"}
    first, second = ({d for row in operand.map for d in loops_of(row)} for operand in op.inputs)
    return tuple(
        "k" if kind == "reduction" else names[d in first, d in second] for d, kind in enumerate(op.iterators)
    )
