"""The only module that imports the MLIR bindings (those of the `torch-mlir` wheel, pinned exactly).

Only worker processes import it: user input is never parsed, transformed or compiled in the process
that owns the terminal or the database. See ARCHITECTURE.md, Processes.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import (
    arith,
    bufferization,
    func,
    linalg,
    llvm,
    memref,
    scf,
    tensor,
    transform,
)
from torch_mlir.dialects.transform import (
    debug,
    interpreter,
    loop,
    structured,
    tune,
)
from torch_mlir.dialects.transform import tensor as transform_tensor
from torch_mlir.dialects.transform import vector as transform_vector
from torch_mlir.execution_engine import ExecutionEngine
from torch_mlir.passmanager import PassManager

__all__ = [
    "ExecutionEngine",
    "PassManager",
    "arith",
    "bufferization",
    "debug",
    "func",
    "interpreter",
    "ir",
    "linalg",
    "llvm",
    "loop",
    "memref",
    "scf",
    "structured",
    "tensor",
    "transform",
    "transform_tensor",
    "transform_vector",
    "tune",
]
