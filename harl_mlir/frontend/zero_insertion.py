"""Transposed convolutions without the multiplications by the zeros between the image's elements.

A transposed convolution reaches linalg as a convolution, of stride one, over an image whose elements
were spread out by `tensor.insert_slice` with strides into zeros. Along a dimension of stride `s` only
one tap in `s` meets an element. With the output position `o = s*a + p` the others drop out:

    y[o] = sum over j of z[o + j] * w[j],  z[offset + s*i] = x[i], else 0
    y[s*a + p] = sum over u of x[a + p + u - low] * w[2*u + p]              s = 2, offset = 2*low
    y[s*a + p] = sum over u of x[a + u - low] * w[s*u + s-1 - p]            offset = s*low + s-1

which is an ordinary `linalg.generic` over the image, padded, and the filter and the result with the
dimension split in two. Other offsets, and filters that `s` does not divide, get taps of zero.

The sums are the same ones in the same order, less terms `0 * w`: where `w` is infinite or no number
these were no numbers, and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harl_mlir.frontend.program import constant_number, made_by
from harl_mlir.mlir import ir
from harl_mlir.tasks.contraction import is_multiply_add, is_plain_in
from harl_mlir.tasks.facts import UnsupportedOpError, read_facts
from harl_mlir.tasks.linalg_op import LinalgOp, loops_of


@dataclass(frozen=True)
class Insertion:
    """An image inserted into zeros of `shape`, by dimension."""

    op: ir.Operation
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Split:
    """What becomes of a strided dimension.

    Attributes:
        output, window: the loops that move in it.
        stride: outputs to one element of the image: phases.
        low: zeros before the image.
        extent: of the padded image.
        front, back: taps of zero around the filter.
        taps: of the filter in each phase, those of zero included.
        turned: whether phase `p` uses tap `stride-1 - p` of every `stride`, and not tap `p`.
    """

    output: int
    window: int
    stride: int
    low: int
    extent: int
    front: int
    back: int
    taps: int
    turned: bool


@dataclass(frozen=True)
class Plan:
    """How an op is rewritten; `splits` by dimension of operand number `image`."""

    facts: LinalgOp
    image: int
    insertion: Insertion
    splits: dict[int, Split]

    @property
    def filter(self) -> int:
        """The number of the other operand."""
        return 1 - self.image

    def output(self, loop: int) -> Split | None:
        """The split whose output loop this is."""
        return next((split for split in self.splits.values() if split.output == loop), None)

    def window(self, loop: int) -> Split | None:
        """The split whose window loop this is."""
        return next((split for split in self.splits.values() if split.window == loop), None)

    @property
    def flops(self) -> int:
        """Arithmetic operations of the rewritten op."""
        taps = {split.window: split.taps for split in self.splits.values()}
        dims = tuple(taps.get(loop, extent) for loop, extent in enumerate(self.facts.dims))
        return replace(self.facts, dims=dims).flops


def plan_of(op: ir.Operation) -> Plan | None:
    """How to rewrite a linalg op, or None where it is none of this kind."""
    insertions = [_insertion(value) for value in op.operands]
    if not any(insertions[:-1]):
        return None
    try:
        facts = read_facts(op)
    except UnsupportedOpError:
        return None
    if not is_multiply_add(facts):
        return None
    for image, insertion in enumerate(insertions[:-1]):
        if insertion is None:
            continue
        splits = {d: _split(facts, image, d, insertion) for d, s in enumerate(insertion.strides) if s > 1}
        known = {d: split for d, split in splits.items() if split is not None}
        if known and len(known) == len(splits):
            return Plan(facts, image, insertion, known)
    return None


def zero_flops(op: ir.Operation) -> int:
    """Arithmetic operations that rewriting a linalg op leaves out; 0 where it is none of this kind."""
    plan = plan_of(op)
    return 0 if plan is None else plan.facts.flops - plan.flops


def _split(facts: LinalgOp, image: int, dimension: int, insertion: Insertion) -> Split | None:
    row = facts.operands[image].map[dimension]
    loops = loops_of(row)
    outputs = [d for d in loops if facts.iterators[d] == "parallel"]
    if len(loops) != 2 or len(outputs) != 1 or any(row[d] != 1 for d in loops) or row[-1]:
        return None
    output = outputs[0]
    window = next(d for d in loops if d != output)
    once = (
        _uses(facts, image, output) == 1
        and _uses(facts, image, window) == 1
        and _uses(facts, 1 - image, output) == 0
        and is_plain_in(facts.operands[1 - image], window)
        and is_plain_in(facts.init, output)
    )
    stride, size = insertion.strides[dimension], insertion.sizes[dimension]
    if not once or facts.dims[output] % stride:
        return None
    splits = _ways(output, window, stride, insertion.offsets[dimension], facts)
    found = min(splits, key=lambda split: split.front + split.back)
    return found if found.low + size <= found.extent else None


def _ways(output: int, window: int, stride: int, offset: int, facts: LinalgOp) -> list[Split]:
    ways = []
    for turned in (False, True) if stride == 2 else (True,):
        front = ((stride - 1 if turned else 0) - offset) % stride
        back = -(facts.dims[window] + front) % stride
        taps = (facts.dims[window] + front + back) // stride
        low = (offset + front) // stride
        extent = facts.dims[output] // stride + taps - int(turned)
        ways.append(Split(output, window, stride, low, extent, front, back, taps, turned))
    return ways


def _uses(facts: LinalgOp, operand: int, loop: int) -> int:
    return sum(1 for row in facts.operands[operand].map if row[loop])


def _insertion(value: ir.Value) -> Insertion | None:
    """The strided insertion into zeros that makes a value."""
    op = made_by(value, "tensor.insert_slice")
    if op is None:
        return None
    offsets, sizes, strides = (
        tuple(ir.DenseI64ArrayAttr(op.attributes[f"static_{name}"]))
        for name in ("offsets", "sizes", "strides")
    )
    source, zeros = op.operands[0], op.operands[1]
    static = len(op.operands) == 2 and value.type.has_static_shape and tuple(source.type.shape) == sizes
    if not static or max(strides, default=1) == 1 or not _is_zero(zeros):
        return None
    return Insertion(op, offsets, sizes, strides, tuple(value.type.shape))


def _is_zero(value: ir.Value) -> bool:
    fill = made_by(value, "linalg.fill")
    constant = made_by(value if fill is None else fill.operands[0], "arith.constant")
    number = None if constant is None else constant_number(constant)
    return number is not None and float(number.value) == 0.0
