"""A task: one fusion group of linalg ops that is tuned as a whole, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harl_mlir.tasks.linalg_op import LinalgOp


@dataclass(frozen=True)
class TensorType:
    """A static tensor type, or a scalar where `is_scalar` (then `shape` is `()`)."""

    shape: tuple[int, ...]
    element: str
    is_scalar: bool = False


@dataclass(frozen=True)
class Source:
    """Where an operand of a member comes from.

    `argument`: the kernel's argument `index`; `member`: the result of member `index`;
    `empty`: a `tensor.empty`; `constant`: the splat or scalar `value`; `other`: the result of
    something that is no member (only in tasks with a reason in `unchecked`).

    `value` is text where JSON has no such number: `"inf"`, `"-inf"`, `"nan"`, and integers that a
    double cannot hold. `number` reads both.
    """

    kind: Literal["argument", "member", "empty", "constant", "other"]
    index: int = 0
    value: float | str = 0.0

    @property
    def number(self) -> float | int:
        """The constant's value, exactly."""
        if isinstance(self.value, str) and self.value.lstrip("-").isdigit():
            return int(self.value)
        return float(self.value)


@dataclass(frozen=True)
class Member:
    """One op of a task with a source for each of its operands."""

    op: LinalgOp
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Task:
    """A fusion group, extracted into a function of its own.

    Attributes:
        key: the workload key (see `key.py`); equal tasks have equal keys.
        kernel: MLIR text of a module with one public function `@kernel`, tensors in and out, whose
            arguments are `arguments` in order and whose results are those of the members `results`.
        members: the ops in program order; the last one is the root, whose result leaves the task.
        anchor: number of the member that decides the sketch (the contraction, the reduction, or
            the root itself).
        weight: how many times the program holds this task.
        function, place: of its first occurrence, for people (`kernel.mlir:12:8`).
        spellings: kernels of equal tasks of the program whose ops are spelled differently (another
            name of the op, other attributes). What matches ops as they are spelled needs an entry
            for `kernel` and for each of these.
        zero_flops: operations of the members on zeros inserted into an image, which the direct algorithm
            of a transposed convolution does without.
        unchecked: why no reference can be computed for the results; empty where one can. Only tasks
            of whole functions have a reason here; their `results` names only those results that are
            members'.
    """

    key: str
    kernel: str
    arguments: tuple[TensorType, ...]
    members: tuple[Member, ...]
    anchor: int
    results: tuple[int, ...]
    weight: int = 1
    function: str = ""
    place: str = ""
    spellings: tuple[str, ...] = ()
    unchecked: str = ""
    zero_flops: int = 0

    @property
    def anchor_op(self) -> LinalgOp:
        """The op that decides how the task is tuned."""
        return self.members[self.anchor].op

    @property
    def root(self) -> Member:
        """The last member; a schedule library matches a task by it."""
        return self.members[-1]

    @cached_property
    def flops(self) -> int:
        """Arithmetic operations of one call by the direct algorithm, all members: without `zero_flops`."""
        return sum(member.op.flops for member in self.members) - self.zero_flops

    @cached_property
    def bytes(self) -> int:
        """Bytes of all arguments and results, each counted once."""
        types = [*self.arguments, *(self.result_type(r) for r in self.results)]
        return sum(math.prod(t.shape) * element_bytes(t.element) for t in types)

    def result_type(self, member: int) -> TensorType:
        """Type of the result of one member."""
        init = self.members[member].op.init
        return TensorType(init.shape, init.element)

    def label(self) -> str:
        """A short name for tables: `matmul 512x512x512 f32`."""
        op = self.anchor_op
        dims = "x".join(str(d) for d in op.dims)
        fused = len([m for m in self.members[self.anchor + 1 :] if m.op.flops])
        name = op.name.removeprefix("linalg.")
        return f"{name} {dims} {op.init.element}" + (f" +{fused}" if fused else "")


def element_bytes(element: str) -> int:
    """Size of one element in memory: `f32` is 4, `i1` is 1, `index` is 8."""
    if element == "index":
        return 8
    bits = int("".join(c for c in element if c.isdigit()) or 0)
    if bits == 0:
        raise ValueError(f"no size is known for element type {element}")
    return max(1, bits // 8)
