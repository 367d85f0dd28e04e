"""The FMA peak of a core: many independent chains of fused multiply-adds, compiled like any kernel."""

from __future__ import annotations

import ctypes
import time

import numpy as np

from harl_mlir.mlir import ExecutionEngine, PassManager, ir
from harl_mlir.processor import Processor, this_processor
from harl_mlir.tasks.task import element_bytes

_LINKS = 8
"""Dependent operations of a chain in one iteration of the loop."""
_SAMPLES = 40
_SAMPLE_SECONDS = 0.0005
_PASSES = (
    "builtin.module(convert-scf-to-cf,convert-vector-to-llvm,convert-math-to-llvm,finalize-memref-to-llvm,"
    "convert-arith-to-llvm,convert-index-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,"
    "reconcile-unrealized-casts)"
)


def fma_peak(element: str = "f32", processor: Processor | None = None) -> float:
    """Floating-point operations a second, the best over vector widths and samples; takes about a second.

    `element` is `f32` or `f64`. Raises ValueError for another.
    """
    if element not in ("f32", "f64"):
        raise ValueError(f"the peak is measured for f32 and f64, not {element}")
    processor = processor or this_processor()
    widths = [width for width in (16, 32, 64) if width <= processor.vector_bytes]
    # All registers but the two factors and a spare; at least as many chains as hide the latency.
    chains = min(24, processor.vector_registers - 3)
    return max(_flops(element, width // element_bytes(element), chains) for width in widths)


def _flops(element: str, lanes: int, chains: int) -> float:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(_kernel(element, lanes, chains))
        PassManager.parse(_PASSES).run(module.operation)
        engine = ExecutionEngine(module, opt_level=3)
    # Factors read at run time, so that nothing is computed before.
    kind = np.float32 if element == "f32" else np.float64
    buffer = np.zeros(64 // element_bytes(element) * (chains + 2), kind)
    buffer[:lanes] = 0.5
    descriptor = (ctypes.c_int64 * 5)(buffer.ctypes.data, buffer.ctypes.data, 0, buffer.size, 1)
    pointer = ctypes.c_void_p(ctypes.addressof(descriptor))
    count = ctypes.c_int64(1)
    packed = (ctypes.c_void_p * 2)(ctypes.addressof(pointer), ctypes.addressof(count))
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(engine.raw_lookup("_mlir_ciface_peak"))
    best = 0.0
    for _ in range(_SAMPLES + 12):
        start = time.perf_counter()
        function(ctypes.addressof(packed))
        seconds = time.perf_counter() - start
        if seconds < _SAMPLE_SECONDS:
            count.value *= 4
        else:
            best = max(best, 2.0 * lanes * chains * _LINKS * count.value / seconds)
    return best


def _kernel(element: str, lanes: int, chains: int) -> str:
    """Text of `@peak(memory, n)`: n times `_LINKS` steps `x = a * a + x` on each of `chains` vectors."""
    vector = f"vector<{lanes}x{element}>"
    memory = f"memref<?x{element}>"
    starts = "\n".join(
        f"  %o{c} = arith.constant {lanes * (c + 2)} : index\n"
        f"  %s{c} = vector.load %memory[%o{c}] : {memory}, {vector}"
        for c in range(chains)
    )
    steps = []
    for link in range(_LINKS):
        for c in range(chains):
            before = f"%x{c}" if link == 0 else f"%y{link - 1}_{c}"
            steps.append(f"    %y{link}_{c} = math.fma %a, %a, {before} : {vector}")
    carried = ", ".join(f"%x{c} = %s{c}" for c in range(chains))
    types = ", ".join([vector] * chains)
    last = ", ".join(f"%y{_LINKS - 1}_{c}" for c in range(chains))
    stores = "\n".join(f"  vector.store %r#{c}, %memory[%o{c}] : {memory}, {vector}" for c in range(chains))
    return f"""
func.func @peak(%memory: {memory}, %n: index) attributes {{llvm.emit_c_interface}} {{
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %a = vector.load %memory[%zero] : {memory}, {vector}
{starts}
  %r:{chains} = scf.for %i = %zero to %n step %one iter_args({carried}) -> ({types}) {{
{chr(10).join(steps)}
    scf.yield {last} : {types}
  }}
{stores}
  return
}}"""
