"""The bandwidth of memory at a footprint: what is there is read, and as much written, by plain wide loops.

What such a loop reaches depends on where its pages lie, on how large they are, and on who else uses the
memory at that moment. So it goes through buffers that are made as a kernel's operands are, with pages as
large, in several sets one after the other, and the ways to copy take turns.
"""

from __future__ import annotations

import ctypes
import functools
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.measure.operands import GuardedBuffer
from harl_mlir.mlir import ExecutionEngine, PassManager, ir
from harl_mlir.processor import this_processor
from harl_mlir.tasks.task import TensorType

_PLACEMENTS = 3
_SAMPLES = 3
_SAMPLE_SECONDS = 0.004
_UNROLLED = 4
_AHEAD_BYTES = 3072
_PASSES = (
    "builtin.module(convert-scf-to-cf,convert-vector-to-llvm,finalize-memref-to-llvm,"
    "convert-arith-to-llvm,convert-index-to-llvm,convert-func-to-llvm,convert-cf-to-llvm,"
    "reconcile-unrealized-casts)"
)


@dataclass(frozen=True)
class _Way:
    """How a loop copies.

    Attributes:
        past_caches: whether its stores are nontemporal.
        ahead: whether it asks for what it reads some lines before.
    """

    past_caches: bool = False
    ahead: bool = False


_WAYS = (_Way(), _Way(past_caches=True), _Way(past_caches=True, ahead=True))


def stream_bandwidth(read_bytes: int, written_bytes: int, threads: int = 1) -> float:
    """Bytes a second, read and written, of going through so many bytes of each again and again.

    The median of some samples, in several places, of the way that is fastest. What both have is copied, more
    to read is summed, more to write is filled. Each of `threads` threads has its part.
    """
    width = this_processor().vector_bytes
    step = width * _UNROLLED
    reads, writes = (max(step, -(-size // threads // step) * step) for size in (read_bytes, written_bytes))
    samples: dict[_Way, list[float]] = {way: [] for way in _WAYS}
    for _ in range(_PLACEMENTS):
        parts = [_Part(reads, writes, width) for _ in range(threads)]
        times = {way: _times(parts, way) for way in _WAYS}
        for _ in range(_SAMPLES):
            for way in _WAYS:
                samples[way].append(_seconds(parts, times[way], way) / times[way])
    return (reads + writes) * threads / min(map(statistics.median, samples.values()))


class _Part:
    """The memory of one thread."""

    def __init__(self, reads: int, writes: int, width: int) -> None:
        self._width = width
        step = width * _UNROLLED
        self._counts = [size // step for size in (min(reads, writes), reads, writes)]
        self.source, self.target = (GuardedBuffer(TensorType((n,), "i8"), "start") for n in (reads, writes))
        for buffer in (self.source, self.target):
            buffer.array[:] = 0
        addresses = ((self.source.address, reads), (self.target.address, writes))
        self._descriptors = [(ctypes.c_int64 * 5)(a, a, 0, size // width, 1) for a, size in addresses]
        pointers = [ctypes.c_void_p(ctypes.addressof(descriptor)) for descriptor in self._descriptors]
        self._times = ctypes.c_int64(1)
        numbers = [*(ctypes.c_int64(count) for count in self._counts), self._times]
        self._values = [*pointers, *numbers]
        self._packed = (ctypes.c_void_p * len(self._values))(*map(ctypes.addressof, self._values))

    def go(self, times: int, way: _Way) -> None:
        """Go through the memory so many times."""
        self._times.value = times
        _compiled(self._width, way)(ctypes.addressof(self._packed))


def _times(parts: Sequence[_Part], way: _Way) -> int:
    """How often to go through all parts for a sample to be long enough."""
    times = 1
    while (seconds := _seconds(parts, times, way)) < _SAMPLE_SECONDS:
        times = max(times + 1, min(8 * times, round(1.2 * times * _SAMPLE_SECONDS / seconds)))
    return times


def _seconds(parts: Sequence[_Part], times: int, way: _Way) -> float:
    others = [threading.Thread(target=part.go, args=(times, way)) for part in parts[1:]]
    start = time.perf_counter()
    for other in others:
        other.start()
    parts[0].go(times, way)
    for other in others:
        other.join()
    return time.perf_counter() - start


class _Loop:
    """The compiled loop; kept, as its engine holds the code."""

    def __init__(self, width: int, way: _Way) -> None:
        with ir.Context(), ir.Location.unknown():
            module = ir.Module.parse(_kernel(width // 4, way))
            PassManager.parse(_PASSES).run(module.operation)
            self._engine = ExecutionEngine(module, opt_level=3)
        self.function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(
            self._engine.raw_lookup("_mlir_ciface_stream")
        )

    def __call__(self, packed: int) -> None:
        self.function(packed)


_compiled = functools.cache(_Loop)


def _kernel(lanes: int, way: _Way) -> str:
    """Text of `@stream(source, target, copied, read, written, times)`, counted in `_UNROLLED` vectors."""
    vector = f"vector<{lanes}xf32>"
    memory = f"memref<?x{vector}>"
    how = " {nontemporal = true}" if way.past_caches else ""
    each = range(_UNROLLED)
    places = "\n".join(
        [
            "      %base = arith.muli %i, %unrolled : index",
            *(f"      %at{n} = arith.addi %base, %n{n} : index" for n in each),
        ]
    )
    loads = "\n".join(f"      %v{n} = memref.load %source[%at{n}] : {memory}" for n in each)
    asked = [
        f"""      %ahead{n} = arith.addi %at{n}, %ahead : index
      memref.prefetch %source[%ahead{n}], read, locality<3>, data : {memory}"""
        for n in each
    ]
    loads = "\n".join([*(asked if way.ahead else []), loads])
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
  %ahead = arith.constant {_AHEAD_BYTES // (4 * lanes)} : index
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
