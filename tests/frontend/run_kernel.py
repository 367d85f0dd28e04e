"""Run `@f` on three 8x8 f32 buffers, as it is and raised; print both outcomes as JSON. Run by a test."""

from __future__ import annotations

import ctypes
import json
import sys

import numpy as np

from harl_mlir.codegen.lowering import pipeline_text
from harl_mlir.frontend.prepare import prepare
from harl_mlir.frontend.program import functions
from harl_mlir.mlir import ExecutionEngine, PassManager, ir


class Buffer(ctypes.Structure):
    """The C form of a memref<8x8xf32>."""

    _fields_ = [
        ("allocated", ctypes.c_void_p),
        ("aligned", ctypes.c_void_p),
        ("offset", ctypes.c_int64),
        ("shape", ctypes.c_int64 * 2),
        ("strides", ctypes.c_int64 * 2),
    ]


def run(module: ir.Module) -> list[float]:
    functions(module)[0].attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
    PassManager.parse(pipeline_text()).run(module.operation)
    engine = ExecutionEngine(module)
    data = np.random.default_rng(1).uniform(-0.5, 0.5, (3, 8, 8)).astype(np.float32)
    address = [data[i].ctypes.data for i in range(3)]
    buffers = [Buffer(a, a, 0, (8, 8), (8, 1)) for a in address]
    pointers = [ctypes.pointer(ctypes.pointer(buffer)) for buffer in buffers]
    engine.invoke("f", *pointers)
    return [float(value) for value in data.ravel()]


text = sys.stdin.read()
with ir.Context(), ir.Location.unknown():
    raised = prepare(text, "k.mlir")
    assert not raised.skipped, raised.skipped
    print(json.dumps([run(ir.Module.parse(text)), run(raised.module)]))
