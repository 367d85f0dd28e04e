"""What no pass does to a bufferized function: copies to and from views as loops, a buffer for each result."""

from __future__ import annotations

import math

from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import func, ir, linalg, memref


def copies_to_loops(module: ir.Module) -> None:
    """`memref.copy` -> `linalg.copy` where a side is not contiguous.

    LLVM would be given a call of `memrefCopy`, which takes descriptors apart element by element and is
    in none of the libraries a kernel is linked with.
    """
    for copy in [op.opview for op in all_ops(module.operation) if op.name == "memref.copy"]:
        if not (_is_contiguous(copy.source.type) and _is_contiguous(copy.target.type)):
            with ir.InsertionPoint(copy), copy.location:
                linalg.copy(copy.source, outs=[copy.target])
            copy.operation.erase()


def part_equal_results(function: func.FuncOp) -> None:
    """Return a copy where a function returns a buffer for the second time.

    An argument may be returned twice: it is no result of its own. `buffer-results-to-out-params` crashes on
    the others.
    """
    (block,) = function.body.blocks
    end = list(block.operations)[-1]
    seen: list[ir.Value] = []
    for number, value in enumerate(end.operands):
        if value in seen and not isinstance(value, ir.BlockArgument):
            with ir.InsertionPoint(end), end.location:
                other = memref.AllocOp(value.type, [], []).result
                memref.CopyOp(value, other)
            end.operands[number] = other
        seen.append(value)


def _is_contiguous(kind: ir.Type) -> bool:
    """Whether LLVM is given a `memcpy`: rows follow each other, but for outer dimensions of one element."""
    buffer = ir.MemRefType(kind)
    if not buffer.has_static_shape:
        return isinstance(buffer.layout, ir.AffineMapAttr)
    strides, _ = buffer.get_strides_and_offset()
    shape = list(buffer.shape)
    inner = len(shape)
    while inner and strides[inner - 1] == math.prod(shape[inner:]):
        inner -= 1
    return all(size == 1 for size in shape[:inner])
