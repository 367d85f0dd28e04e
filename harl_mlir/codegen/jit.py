"""From a module on tensors to a function in memory that repeats a kernel on the caller's buffers."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.bench_loop import REPEAT, add_repeat_loop
from harl_mlir.codegen.lowering import ResultPlace, bufferize, find_function, to_llvm
from harl_mlir.codegen.memory import check_memory
from harl_mlir.codegen.openmp import load_runtime
from harl_mlir.codegen.vector_library import level_of
from harl_mlir.mlir import ExecutionEngine, ir
from harl_mlir.processor import this_processor
from harl_mlir.tasks.task import TensorType

OPT_LEVEL = 3

_PACKED = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "f32": ctypes.c_float,
    "f64": ctypes.c_double,
    "i1": ctypes.c_bool,
    "i8": ctypes.c_int8,
    "i16": ctypes.c_int16,
    "i32": ctypes.c_int32,
    "i64": ctypes.c_int64,
    "index": ctypes.c_int64,
}


class LowerError(Exception):
    """A pass of the lowering failed; the message is MLIR's."""


class JitError(Exception):
    """The lowered module could not be compiled or linked."""


@dataclass(frozen=True)
class Bound:
    """A kernel bound to buffers. Keeps the descriptors alive; the buffers are the caller's to keep."""

    _function: Callable[[int], None]
    _packed: ctypes.Array[ctypes.c_void_p]
    _count: ctypes.c_int64
    _kept: tuple[object, ...]

    def __call__(self, count: int) -> None:
        """Call the kernel `count` times: one foreign call, which releases the GIL."""
        self._count.value = count
        self._function(ctypes.addressof(self._packed))


@dataclass(frozen=True)
class LoweredKernel:
    """A module in the LLVM dialect that repeats a kernel, ready to be compiled.

    Attributes:
        parameters: types of all parameters: the arguments, then the out-parameters.
        results: where each result is left.
        threads: how many threads it runs on.
    """

    module: ir.Module
    parameters: tuple[TensorType, ...]
    results: tuple[ResultPlace, ...]
    threads: int = 1


class CompiledKernel:
    """A kernel in memory.

    Attributes:
        parameters: types of all parameters: the arguments, then the out-parameters.
        results: where each result is left.
    """

    def __init__(
        self, engine: ExecutionEngine, parameters: tuple[TensorType, ...], results: tuple[ResultPlace, ...]
    ) -> None:
        address = engine.raw_lookup(f"_mlir_ciface_{REPEAT}")
        if not address:
            raise JitError("the compiled module does not hold the repeat loop")
        self._engine = engine
        self._function = _PACKED(address)
        self.parameters = parameters
        self.results = results

    def bind(self, values: Sequence[int | float]) -> Bound:
        """Bind buffers: for a tensor parameter the address of its row-major data, for a scalar its value."""
        kept: list[object] = []
        packed = (ctypes.c_void_p * (len(self.parameters) + 1))()
        for i, (parameter, value) in enumerate(zip(self.parameters, values, strict=True)):
            if parameter.is_scalar:
                cell = _SCALARS[parameter.element](value)
            else:
                descriptor = _descriptor(int(value), parameter.shape)
                kept.append(descriptor)
                cell = ctypes.c_void_p(ctypes.addressof(descriptor))
            kept.append(cell)
            packed[i] = ctypes.addressof(cell)
        count = ctypes.c_int64(0)
        packed[len(self.parameters)] = ctypes.addressof(count)
        return Bound(self._function, packed, count, (*kept, self))


def lower_kernel(
    module: ir.Module,
    kernel: str = "kernel",
    memory_bytes: int | None = None,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    *,
    loops: bool = False,
    threads: int = 1,
) -> LoweredKernel:
    """Lower a module, which is consumed.

    `memory_bytes` and `loops` are what `check_memory` refuses. Raises LowerError, AllocationError,
    LoopMemoryError.
    """
    with module.context, ir.Location.unknown():
        try:
            results = bufferize(module, kernel, threads)
            parameters = tuple(
                _parameter(argument.type) for argument in find_function(module, kernel).arguments
            )
            check_memory(module, memory_bytes, loops=loops, threads=threads)
            add_repeat_loop(module, kernel)
            features = this_processor().features
            to_llvm(module, accuracy, threads, features=features, vectors=level_of(features))
        except (ir.MLIRError, ValueError, RuntimeError) as error:
            raise LowerError(str(error)) from error
        return LoweredKernel(module, parameters, results, threads)


def compile_lowered(lowered: LoweredKernel) -> CompiledKernel:
    """Compile a lowered kernel, which is consumed. Raises JitError, UsageError (no runtime for threads)."""
    if lowered.threads > 1:
        load_runtime()
    with lowered.module.context, ir.Location.unknown():
        try:
            engine = ExecutionEngine(lowered.module, opt_level=OPT_LEVEL)
            return CompiledKernel(engine, lowered.parameters, lowered.results)
        except (ir.MLIRError, ValueError, RuntimeError) as error:
            raise JitError(str(error)) from error


def _parameter(given: ir.Type) -> TensorType:
    if isinstance(given, ir.MemRefType):
        kind = ir.MemRefType(given)
        if not kind.has_static_shape:
            raise ValueError(f"a parameter has no static shape: {given}")
        strides, offset = kind.get_strides_and_offset()
        if offset != 0 or list(strides) != _row_major(tuple(kind.shape)):
            raise ValueError(f"a parameter is not row-major: {given}")
        return TensorType(tuple(kind.shape), str(kind.element_type))
    if str(given) not in _SCALARS:
        raise ValueError(f"a parameter of type {given} cannot be passed")
    return TensorType((), str(given), is_scalar=True)


def _descriptor(address: int, shape: tuple[int, ...]) -> ctypes.Array[ctypes.c_int64]:
    """An MLIR memref descriptor: allocated and aligned pointer, offset, sizes, strides (row-major)."""
    return (ctypes.c_int64 * (3 + 2 * len(shape)))(address, address, 0, *shape, *_row_major(shape))


def _row_major(shape: tuple[int, ...]) -> list[int]:
    return [math.prod(shape[i + 1 :]) for i in range(len(shape))]
