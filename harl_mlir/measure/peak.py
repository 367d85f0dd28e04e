"""The FMA peak of a core: many independent chains of fused multiply-adds, compiled like any kernel."""

from __future__ import annotations

import ctypes
import functools
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
    """Floating-point operations a second, the best over vector widths and samples, in a tenth of a second.

    The first time takes a few tenths, to compile. `element` is `f32` or `f64`. Raises ValueError for another.
    """
    if element not in ("f32", "f64"):
        raise ValueError(f"the peak is measured for f32 and f64, not {element}")
    processor = processor or this_processor()
    widths = [width for width in (16, 32, 64) if width <= processor.vector_bytes]
    # All registers but the two factors and a spare; at least as many chains as hide the latency.
    chains = min(24, processor.vector_registers - 3)
    return max(_flops(element, width // element_bytes(element), chains) for width in widths)


class _Chains:
    """The compiled loop for vectors of so many lanes, with the memory it works on."""

    def __init__(self, element: str, lanes: int, chains: int) -> None:
        with ir.Context(), ir.Location.unknown():
            module = ir.Module.parse(_kernel(element, lanes, chains))
            PassManager.parse(_PASSES).run(module.operation)
            self._engine = ExecutionEngine(module, opt_level=3)
        # Factors read at run time, so that nothing is computed before.
        kind = np.float32 if element == "f32" else np.float64
        self._buffer = np.zeros(64 // element_bytes(element) * (chains + 2), kind)
        self._buffer[:lanes] = 0.5
        address = self._buffer.ctypes.data
        self._descriptor = (ctypes.c_int64 * 5)(address, address, 0, self._buffer.size, 1)
        self._pointer = ctypes.c_void_p(ctypes.addressof(self._descriptor))
        self._count = ctypes.c_int64(1)
        self._packed = (ctypes.c_void_p * 2)(ctypes.addressof(self._pointer), ctypes.addressof(self._count))
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._engine.raw_lookup("_mlir_ciface_peak"))

    def seconds(self, iterations: int) -> float:
        """What so many iterations take."""
        self._count.value = iterations
        start = time.perf_counter()
        self._function(ctypes.addressof(self._packed))
        return time.perf_counter() - start


_chains = functools.cache(_Chains)
"""Compiled once a process: a benchmark probes often."""


def _flops(element: str, lanes: int, chains: int) -> float:
    compiled = _chains(element, lanes, chains)
    best, iterations = 0.0, 1
    for _ in range(_SAMPLES + 12):
        seconds = compiled.seconds(iterations)
        if seconds < _SAMPLE_SECONDS:
            iterations *= 4
        else:
            best = max(best, 2.0 * lanes * chains * _LINKS * iterations / seconds)
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
