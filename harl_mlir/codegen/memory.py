"""What a bufferized kernel does with memory beside its operands: how much, and what of it in loops."""

from __future__ import annotations

import math

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir
from harl_mlir.tasks.task import element_bytes

_ALLOCATES = frozenset({"memref.alloc", "memref.alloca"})
_COPIES = frozenset({"memref.copy", "linalg.copy"})
_LOOPS = frozenset({"scf.for", "scf.forall", "scf.while", "scf.parallel"})
_VIEWS = frozenset(
    {
        "memref.subview", "memref.cast", "memref.collapse_shape", "memref.expand_shape",
        "memref.reinterpret_cast", "memref.transpose",
    }
)  # fmt: skip


class AllocationError(Exception):
    """The kernel asks for more memory than allowed."""


class LoopMemoryError(Exception):
    """The kernel allocates in a loop, or copies there what it has computed."""


def check_memory(module: ir.Module, memory_bytes: int | None, *, loops: bool, threads: int = 1) -> None:
    """Refuse a bufferized module for its memory.

    `memory_bytes` bounds what a single allocation may ask for. With `loops` no loop may allocate, nor
    copy from a buffer of the kernel's own to one that is not: a tile that is computed beside its place.
    Copies into own buffers are how panels are packed. The outermost loop may allocate where it is shared by
    several `threads`, as each needs buffers of its own. Raises AllocationError, LoopMemoryError.
    """
    for op in all_ops(module.operation):
        if op.name in _ALLOCATES:
            kind = ir.MemRefType(op.results[0].type)
            if memory_bytes is not None and _bytes(kind) > memory_bytes:
                raise AllocationError(f"the kernel allocates a buffer of {kind}")
            if loops and _is_in_loop(op, shared=threads > 1):
                raise LoopMemoryError(f"a buffer of {kind} is allocated in a loop")
        elif op.name in _COPIES and loops and _leaves_own(op) and _is_in_loop(op, shared=False):
            raise LoopMemoryError(f"a tile of {op.operands[0].type} is copied in a loop to where it belongs")


def _bytes(kind: ir.MemRefType) -> int:
    if not kind.has_static_shape:
        return 0
    try:
        size = element_bytes(str(kind.element_type))
    except ValueError:
        size = 1
    return int(math.prod(kind.shape)) * size


def _is_in_loop(op: ir.Operation, *, shared: bool) -> bool:
    """Whether an op is in a loop; in another than the outermost `scf.forall` if that is `shared`."""
    around = op.parent
    while around is not None:
        if around.name in _LOOPS:
            outermost = around.name == "scf.forall" and not _is_in_loop(around.operation, shared=False)
            return not (shared and outermost)
        around = around.operation.parent
    return False


def _leaves_own(copy: ir.Operation) -> bool:
    return _is_own(copy.operands[0]) and not _is_own(copy.operands[1])


def _is_own(value: ir.Value) -> bool:
    """Whether a buffer is, or lies in, one that the kernel allocates."""
    while not isinstance(value, ir.BlockArgument):
        owner = value.owner
        if owner.name in _ALLOCATES:
            return True
        if owner.name not in _VIEWS:
            return False
        value = owner.operands[0]
    return False
