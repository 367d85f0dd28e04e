"""The bandwidth of memory at a footprint: what is there is read, and as much written, by plain wide loops."""

from __future__ import annotations

import ctypes
import functools
import statistics
import threading
import time
from collections.abc import Sequence

import numpy as np

from harl_mlir.mlir import ExecutionEngine, PassManager, ir
from harl_mlir.processor import this_processor

_SAMPLES = 7
_SAMPLE_SECONDS = 0.004
_UNROLLED = 4
_ALIGNMENT = 64
_PASSES = (
    "builtin.module(convert-scf-to-cf,convert-vector-to-llvm,finalize-memref-to-llvm,"
    "convert-arith-to-llvm,convert-index-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,"
    "reconcile-unrealized-casts)"
)


def stream_bandwidth(read_bytes: int, written_bytes: int, threads: int = 1) -> float:
    """Bytes a second, read and written, of going through so many bytes of each again and again.

    The median of a few samples, with stores through the caches or past them, whichever is faster. What both
    have is copied, more to read is summed, more to write is filled. Each of `threads` threads has its part.
    """
    width = this_processor().vector_bytes
    step = width * _UNROLLED
    reads, writes = (max(step, -(-size // threads // step) * step) for size in (read_bytes, written_bytes))
    parts = [_Part(reads, writes, width) for _ in range(threads)]
    moved = (reads + writes) * threads
    return moved / min(_median_seconds(parts, past_caches) for past_caches in (False, True))


class _Part:
    """The memory of one thread."""

    def __init__(self, reads: int, writes: int, width: int) -> None:
        self._width = width
        step = width * _UNROLLED
        self._counts = [size // step for size in (min(reads, writes), reads, writes)]
        self._source, source = _memory(reads)
        self._target, target = _memory(writes)
        addresses = ((source, reads), (target, writes))
        self._descriptors = [(ctypes.c_int64 * 5)(a, a, 0, size // width, 1) for a, size in addresses]
        pointers = [ctypes.c_void_p(ctypes.addressof(descriptor)) for descriptor in self._descriptors]
        self._times = ctypes.c_int64(1)
        numbers = [*(ctypes.c_int64(count) for count in self._counts), self._times]
        self._values = [*pointers, *numbers]
        self._packed = (ctypes.c_void_p * len(self._values))(*map(ctypes.addressof, self._values))

    def go(self, times: int, past_caches: bool) -> None:
        """Go through the memory so many times."""
        self._times.value = times
        _compiled(self._width, past_caches)(ctypes.addressof(self._packed))


def _memory(size: int) -> tuple[np.ndarray, int]:
    """Zeros of which every page is there, and where they begin, aligned to a line of the caches."""
    array = np.empty(size + _ALIGNMENT, np.uint8)
    array[:] = 0
    return array, array.ctypes.data + -array.ctypes.data % _ALIGNMENT


def _median_seconds(parts: Sequence[_Part], past_caches: bool) -> float:
    """Of going through all parts at once, one time."""
    times = 1
    while (seconds := _seconds(parts, times, past_caches)) < _SAMPLE_SECONDS:
        times = max(times + 1, min(8 * times, round(1.2 * times * _SAMPLE_SECONDS / seconds)))
    return statistics.median(_seconds(parts, times, past_caches) for _ in range(_SAMPLES)) / times


def _seconds(parts: Sequence[_Part], times: int, past_caches: bool) -> float:
    others = [threading.Thread(target=part.go, args=(times, past_caches)) for part in parts[1:]]
    start = time.perf_counter()
    for other in others:
        other.start()
    parts[0].go(times, past_caches)
    for other in others:
        other.join()
    return time.perf_counter() - start


class _Loop:
    """The compiled loop; kept, as its engine holds the code."""

    def __init__(self, width: int, past_caches: bool) -> None:
        with ir.Context(), ir.Location.unknown():
            module = ir.Module.parse(_kernel(width // 4, past_caches))
            PassManager.parse(_PASSES).run(module.operation)
            self._engine = ExecutionEngine(module, opt_level=3)
        self.function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(
            self._engine.raw_lookup("_mlir_ciface_stream")
        )

    def __call__(self, packed: int) -> None:
        self.function(packed)


_compiled = functools.cache(_Loop)


def _kernel(lanes: int, past_caches: bool) -> str:
    """Text of `@stream(source, target, copied, read, written, times)`, counted in `_UNROLLED` vectors."""
    vector = f"vector<{lanes}xf32>"
    memory = f"memref<?x{vector}>"
    how = " {nontemporal = true}" if past_caches else ""
    each = range(_UNROLLED)
    places = "\n".join(
        [
            "      %base = arith.muli %i, %unrolled : index",
            *(f"      %at{n} = arith.addi %base, %n{n} : index" for n in each),
        ]
    )
    loads = "\n".join(f"      %v{n} = memref.load %source[%at{n}] : {memory}" for n in each)
    copies = "\n".join(f"      memref.store %v{n}, %target[%at{n}]{how} : {memory}" for n in each)
    fills = "\n".join(f"      memref.store %zeros, %target[%at{n}]{how} : {memory}" for n in each)
    sums = "\n".join(f"      %t{n} = arith.addf %s{n}, %v{n} : {vector}" for n in each)
    numbers = "\n".join(f"  %n{n} = arith.constant {n} : index" for n in each)
    carried = ", ".join(f"%s{n} = %zeros" for n in each)
    types = ", ".join([vector] * _UNROLLED)
    kept = "\n".join(f"    memref.store %r#{n}, %target[%n{n}] : {memory}" for n in each)
    arguments = ", ".join(f"%{name}: index" for name in ("copied", "read", "written", "times"))
    return f"""
func.func @stream(%source: {memory}, %target: {memory}, {arguments}) attributes {{llvm.emit_c_interface}} {{
  %zeros = arith.constant dense<0.0> : {vector}
  %unrolled = arith.constant {_UNROLLED} : index
{numbers}
  scf.for %time = %n0 to %times step %n1 {{
    scf.for %i = %n0 to %copied step %n1 {{
{places}
{loads}
{copies}
    }}
    %r:{_UNROLLED} = scf.for %i = %copied to %read step %n1 iter_args({carried}) -> ({types}) {{
{places}
{loads}
{sums}
      scf.yield {", ".join(f"%t{n}" for n in each)} : {types}
    }}
    scf.for %i = %copied to %written step %n1 {{
{places}
{fills}
    }}
{kept}
  }}
  return
}}"""
