"""Buffers for a task's arguments and results, placed so that a stray access is noticed.

Every buffer is 64-byte aligned inside an anonymous mapping between two stretches of pages that cannot
be touched. What lies between the buffer and those pages is filled with a pattern that reads as NaN
and shows writes. Buffers of 4 MiB and more ask for huge pages, as NumPy's do.
"""

from __future__ import annotations

import ctypes
import math
import mmap
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from harl_mlir.tasks.task import Task, TensorType

Array: TypeAlias = npt.NDArray[Any]
Placement = Literal["start", "end"]
"""Flush against the guard page in front, or (but for alignment) against the one behind."""

FLOATS: dict[str, type[np.floating[Any]]] = {"f16": np.float16, "f32": np.float32, "f64": np.float64}
DTYPES: dict[str, type[np.generic]] = {
    **FLOATS,
    "bf16": np.uint16,
    "i1": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "index": np.int64,
}
"""NumPy types of the element types that can be measured; integers are signless.

NumPy has no bf16: arrays hold its bits.
"""

ALIGNMENT = 64
_HUGE_PAGES_FROM = 4 << 20
_GUARD_BYTES = 2 << 20  # address space only; wide, so that a stray access by whole rows meets it
_PROT_NONE = 0
# Alternating bytes: 0xFFA5FFA5 is a NaN in f32, 0xFFA5 one in f16 and bf16.
_CANARY = (0xA5, 0xFF)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class GuardedBuffer:
    """One buffer between guard pages.

    Attributes:
        array: the buffer.
        guards: address ranges `(first, past the last)` of the guard pages.
    """

    def __init__(self, kind: TensorType, placement: Placement) -> None:
        size = math.prod(kind.shape) * np.dtype(DTYPES[kind.element]).itemsize
        page = mmap.PAGESIZE
        inside = -(-max(size, 1) // page) * page
        # Private: shared memory, the default here, is not given huge pages.
        self._mapping = mmap.mmap(-1, inside + 2 * _GUARD_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        whole = np.frombuffer(self._mapping, dtype=np.uint8)
        base = whole.ctypes.data
        behind = _GUARD_BYTES + inside
        self.guards = ((base, base + _GUARD_BYTES), (base + behind, base + behind + _GUARD_BYTES))
        for first, past in self.guards:
            if _libc.mprotect(first, past - first, _PROT_NONE) != 0:
                raise OSError(ctypes.get_errno(), "mprotect of a guard page failed")
        if size >= _HUGE_PAGES_FROM and hasattr(mmap, "MADV_HUGEPAGE"):
            self._mapping.madvise(mmap.MADV_HUGEPAGE, _GUARD_BYTES, inside)
        at = _GUARD_BYTES
        if placement == "end":
            at += (inside - size) // ALIGNMENT * ALIGNMENT
        self._slack = (whole[_GUARD_BYTES:at], whole[at + size : behind])
        self._bytes = whole[at : at + size]
        self.array: Array = self._bytes.view(DTYPES[kind.element]).reshape(kind.shape)
        for slack in self._slack:
            _fill(slack)

    @property
    def address(self) -> int:
        """Address of the first element."""
        return int(self._bytes.ctypes.data)

    def spoil(self) -> None:
        """Fill the buffer with the pattern, so that an element left unwritten shows."""
        _fill(self._bytes)

    def slack_intact(self) -> bool:
        """Whether the bytes around the buffer are as they were."""
        return all(bool((slack[i::2] == _CANARY[i]).all()) for slack in self._slack for i in (0, 1))

    def holds(self, values: Array) -> bool:
        """Whether the buffer is bit-identical to `values`."""
        return bool((self._bytes == values.reshape(-1).view(np.uint8)).all())


def _fill(stretch: Array) -> None:
    for i in (0, 1):
        stretch[i::2] = _CANARY[i]


@dataclass(frozen=True)
class Arguments:
    """The values a task is called with: an array for a tensor, a number for a scalar."""

    values: tuple[Array | int | float, ...]


def seeded_arguments(task: Task) -> Arguments:
    """The values of a task's arguments, the same for the same key: floats in [-0.5, 0.5), small integers."""
    rng = np.random.default_rng(zlib.crc32(task.key.encode()))
    values: list[Array | int | float] = []
    for argument in task.arguments:
        drawn = _draw(rng, argument)
        values.append(drawn.item() if argument.is_scalar else drawn)
    return Arguments(tuple(values))


def exact(values: Array | int | float, element: str) -> Array:
    """Numbers of an element type as double precision or 64-bit integers."""
    array = np.asarray(values)
    if element == "bf16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def stored(values: Array, element: str) -> Array:
    """Numbers rounded to a float type, as arrays hold it. bf16: to nearest, ties to even; NaNs stay."""
    if element != "bf16":
        return values.astype(DTYPES[element])
    # To odd first, so that rounding twice is rounding once.
    single = values.astype(np.float32)
    bits = single.view(np.uint32)
    off = (single.astype(np.float64) != values) & ~np.isnan(values) & ((bits & 1) == 0)
    toward = np.where(np.abs(single.astype(np.float64)) > np.abs(values), bits - np.uint32(1), bits | 1)
    bits = np.where(off, toward, bits)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(values), bits >> 16 | 0x40, rounded).astype(np.uint16)


def _draw(rng: np.random.Generator, kind: TensorType) -> Array:
    if kind.element == "bf16":
        drawn = rng.random(kind.shape, dtype=np.float32) - np.float32(0.5)
        return np.asarray(drawn.view(np.uint32) >> 16).astype(np.uint16)
    dtype = np.dtype(DTYPES[kind.element])
    if dtype.kind == "f":
        wide = np.float64 if dtype.itemsize == 8 else np.float32
        drawn = (rng.random(kind.shape, dtype=wide) - wide(0.5)).astype(dtype)
        # Rounding to half precision may reach 0.5 itself.
        return np.asarray(np.minimum(drawn, np.nextafter(dtype.type(0.5), dtype.type(0))))
    low, high = (0, 2) if kind.element == "i1" else (-8, 8)
    return np.asarray(rng.integers(low, high, kind.shape)).astype(dtype)


class OperandSet:
    """Buffers for one call of a task: a guarded one for each tensor argument and each result."""

    def __init__(
        self, task: Task, results: Sequence[TensorType], given: Arguments, placement: Placement
    ) -> None:
        self._given = given
        self.arguments = tuple(None if t.is_scalar else GuardedBuffer(t, placement) for t in task.arguments)
        self.results = tuple(GuardedBuffer(kind, placement) for kind in results)
        self.reset()

    @property
    def guards(self) -> list[tuple[int, int]]:
        """Address ranges of all guard pages."""
        return [guard for buffer in self._buffers() for guard in buffer.guards]

    def _buffers(self) -> list[GuardedBuffer]:
        return [*(buffer for buffer in self.arguments if buffer is not None), *self.results]

    def reset(self) -> None:
        """Put all arguments back to their values and spoil the results."""
        self.reset_arguments(range(len(self.arguments)))
        for result in self.results:
            result.spoil()

    def reset_arguments(self, numbers: Sequence[int]) -> None:
        """Put some arguments back to their values."""
        for number in numbers:
            buffer = self.arguments[number]
            if buffer is not None:
                buffer.array[...] = self._given.values[number]

    def value(self, argument: int) -> int | float:
        """What to pass for an argument: the address of its buffer, or the scalar itself."""
        buffer = self.arguments[argument]
        if buffer is not None:
            return buffer.address
        given = self._given.values[argument]
        assert isinstance(given, int | float)
        return given

    def slack_intact(self) -> bool:
        """Whether nothing was written beside any buffer."""
        return all(buffer.slack_intact() for buffer in self._buffers())

    def changed_arguments(self) -> list[int]:
        """Numbers of the tensor arguments that are no longer bit-identical to what was given."""
        return [
            number
            for number, (buffer, given) in enumerate(zip(self.arguments, self._given.values, strict=True))
            if buffer is not None and isinstance(given, np.ndarray) and not buffer.holds(given)
        ]
