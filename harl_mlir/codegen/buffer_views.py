"""What views of buffers are of."""

from __future__ import annotations

from harl_mlir.mlir import ir

AS_BYTES = "builtin.unrealized_conversion_cast"
"""A buffer of i1 as one of i8 (`mask_bytes.py`)."""
VIEWS = ("memref.cast", "memref.collapse_shape", "memref.expand_shape", "memref.subview", AS_BYTES)


def root_of(buffer: ir.Value) -> ir.Value:
    """The buffer that a view is of, or that itself."""
    while not isinstance(buffer, ir.BlockArgument) and buffer.owner.name in VIEWS:
        buffer = buffer.owner.operands[0]
    return buffer
