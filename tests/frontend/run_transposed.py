"""Compile `@f(image, filter)` raised, on seeded f32 buffers of the shapes given; print its result as JSON.

Run by a test: `python -m tests.frontend.run_transposed IMAGE FILTER RESULT < TEXT`, shapes as `1x4x4x2`.
"""

from __future__ import annotations

import ctypes
import json
import math
import sys

import numpy as np

from harl_mlir.codegen.lowering import pipeline_text
from harl_mlir.frontend.prepare import prepare
from harl_mlir.frontend.program import functions
from harl_mlir.mlir import ExecutionEngine, PassManager, ir

_Pointer = ctypes.POINTER(ctypes.c_byte)


def descriptor(array: np.ndarray) -> ctypes.Array[ctypes.c_int64]:
    """The C form of a memref."""
    steps = [stride // array.itemsize for stride in array.strides]
    numbers = [array.ctypes.data, array.ctypes.data, 0, *array.shape, *steps]
    return (ctypes.c_int64 * len(numbers))(*numbers)


def main() -> None:
    shapes = [tuple(int(n) for n in word.split("x")) for word in sys.argv[1:4]]
    data = [np.zeros(shape, np.float32) for shape in shapes]
    for array in data[:2]:
        array[...] = np.arange(math.prod(array.shape)).reshape(array.shape) % 7 - 3
    with ir.Context(), ir.Location.unknown():
        raised = prepare(sys.stdin.read(), "k.mlir", accuracy="reassociate")
        assert not raised.skipped, raised.skipped
        assert "strides = dense" not in str(raised.module), "not raised"
        functions(raised.module)[0].attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
        PassManager.parse(pipeline_text()).run(raised.module.operation)
        engine = ExecutionEngine(raised.module)
        held = [descriptor(array) for array in data]
        engine.invoke("f", *(ctypes.pointer(ctypes.cast(each, _Pointer)) for each in held))
    print(json.dumps(data[2].tolist()))


main()
