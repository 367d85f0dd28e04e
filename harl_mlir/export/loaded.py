"""Calling compiled functions from Python: on NumPy arrays, or on addresses, without copies."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harl_mlir.codegen.interface import CFunction, CParameter
from harl_mlir.codegen.openmp import load_runtime
from harl_mlir.export.link import link_shared, runtime

Array = npt.NDArray[Any]

_DTYPES: Mapping[str, type[np.generic]] = {
    "f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": np.uint16, "i1": np.bool_,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64, "index": np.int64,
    "si8": np.int8, "si16": np.int16, "si32": np.int32, "si64": np.int64,
    "ui8": np.uint8, "ui16": np.uint16, "ui32": np.uint32, "ui64": np.uint64,
}  # fmt: skip
"""An array of bf16 holds its bits; one of `ml_dtypes.bfloat16` will do too."""
_SCALARS: Mapping[str, Any] = {
    "f64": ctypes.c_double, "f32": ctypes.c_float, "f16": ctypes.c_uint16, "bf16": ctypes.c_uint16,
    "i1": ctypes.c_bool, "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32,
    "i64": ctypes.c_int64, "index": ctypes.c_int64,
    "si8": ctypes.c_int8, "si16": ctypes.c_int16, "si32": ctypes.c_int32, "si64": ctypes.c_int64,
    "ui8": ctypes.c_uint8, "ui16": ctypes.c_uint16, "ui32": ctypes.c_uint32, "ui64": ctypes.c_uint64,
}  # fmt: skip


def dtype_of(element: str) -> np.dtype[Any]:
    """NumPy's type of MLIR's element type."""
    return np.dtype(_DTYPES[element])


class LoadedFunction:
    """A compiled function in this process. Calls release the GIL, and several threads may call it at once.

    Attributes:
        function: how C calls it.
        raw: the C function for ctypes: addresses for pointers, numbers for scalars; nothing is checked.
    """

    def __init__(self, function: CFunction, library: ctypes.CDLL) -> None:
        self.function = function
        self.raw = library[function.symbol]
        self.raw.restype = None
        self.raw.argtypes = [
            _SCALARS[p.type.element] if p.type.is_scalar else ctypes.c_void_p for p in function.parameters
        ]
        self._inputs = tuple(p for p in function.parameters if p.role != "out")
        self._results = tuple(p for p in function.parameters if p.role == "out")
        self._library = library

    def __call__(
        self, *arguments: object, out: Sequence[Array] | None = None
    ) -> Array | tuple[Array, ...] | None:
        """Call it on arrays of exactly its shapes and types, laid out as it wants them.

        Args:
            arguments: arrays, which are not copied, and numbers for scalars. An array of an `inout`
                parameter is changed.
            out: arrays for the results; they must not overlap any argument. None: new ones.

        Returns:
            The result, a tuple of several, or None where there is none.

        Raises:
            TypeError: the number of arguments, or what one is, is wrong.
            ValueError: an array has another shape, layout or alignment, is read-only, or overlaps.
        """
        if len(arguments) != len(self._inputs):
            raise TypeError(
                f"@{self.function.name} takes {len(self._inputs)} arguments, not {len(arguments)}"
            )
        results = self._checked_out(out)
        values = [
            _scalar(p, a) if p.type.is_scalar else _address(p, a)
            for p, a in zip(self._inputs, arguments, strict=True)
        ]
        self._refuse_overlaps(arguments, results, fresh=out is None)
        self.raw(*values, *(_address(p, r) for p, r in zip(self._results, results, strict=True)))
        return None if not results else results[0] if len(results) == 1 else tuple(results)

    def _checked_out(self, out: Sequence[Array] | None) -> list[Array]:
        if out is None:
            return [np.empty(p.type.shape, dtype_of(p.type.element)) for p in self._results]
        if len(out) != len(self._results):
            raise TypeError(f"@{self.function.name} has {len(self._results)} results, not {len(out)}")
        return list(out)

    def _refuse_overlaps(self, arguments: Sequence[object], results: Sequence[Array], *, fresh: bool) -> None:
        pairs = [(p, a) for p, a in zip(self._inputs, arguments, strict=True) if not p.type.is_scalar]
        written = [(p, a) for p, a in pairs if p.role == "inout"]
        written += [] if fresh else zip(self._results, results, strict=True)
        for i, (parameter, array) in enumerate(written):
            others = [pair for pair in (*pairs, *written[:i]) if pair[0] is not parameter]
            for other, held in others:
                if np.may_share_memory(array, held):
                    raise ValueError(
                        f"{parameter.name} is written and overlaps {other.name}; copy one of them"
                    )


class Loaded(Mapping[str, LoadedFunction]):
    """The functions of a loaded library, by their names in MLIR."""

    def __init__(self, library: ctypes.CDLL, functions: Sequence[CFunction]) -> None:
        self._functions = {f.name: LoadedFunction(f, library) for f in functions}

    def __getitem__(self, name: str) -> LoadedFunction:
        return self._functions[name.removeprefix("@")]

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)


def load(library: Path | str | bytes, functions: Sequence[CFunction]) -> Loaded:
    """Load compiled functions into this process, where they stay.

    Args:
        library: a shared library's path, or an object file's bytes, which are linked first.
        functions: what is in it, as the compiler said (`Compiled.functions`).

    Raises:
        InputError: linking failed (see `link_shared`).
        UsageError: the code needs an OpenMP runtime, and there is none.
        OSError: the library cannot be loaded.
    """
    if not isinstance(library, bytes):
        return Loaded(ctypes.CDLL(str(Path(library).resolve())), functions)
    with tempfile.TemporaryDirectory(prefix="harl-") as held:
        linked = Path(held) / "kernel.so"
        link_shared(library, linked)
        if runtime(library) is not None:
            # Before the library asks for it: its idle threads are to sleep.
            load_runtime()
        # The mapping stays when the file is gone.
        return Loaded(ctypes.CDLL(str(linked)), functions)


def _address(parameter: CParameter, array: object) -> int:
    kind = parameter.type
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{parameter.name} must be a NumPy array, not {type(array).__name__}")
    wanted = dtype_of(kind.element)
    if array.dtype != wanted and not (kind.element == "bf16" and array.dtype.name == "bfloat16"):
        raise TypeError(f"{parameter.name} must have elements of {wanted.name}, not {array.dtype}")
    if array.shape != kind.shape:
        raise ValueError(f"{parameter.name} must have shape {kind.shape}, not {array.shape}")
    # The stride of a dimension of one element has no meaning, nor have those of an empty array.
    strides = [s * wanted.itemsize for s in parameter.strides]
    held = zip(array.strides, strides, kind.shape, strict=True)
    if array.size and any(given != needed for given, needed, size in held if size > 1):
        raise ValueError(
            f"{parameter.name} must have strides of {parameter.strides} elements; use np.ascontiguousarray"
        )
    if not array.flags.aligned:
        raise ValueError(f"{parameter.name} is not aligned to its elements; copy it")
    if parameter.role != "in" and not array.flags.writeable:
        raise ValueError(f"{parameter.name} is written to and the array is read-only; copy it")
    return int(array.ctypes.data)


def _scalar(parameter: CParameter, value: object) -> int | float:
    element = parameter.type.element
    if not isinstance(value, (int, float, np.number, np.bool_)):
        raise TypeError(f"{parameter.name} must be a number, not {type(value).__name__}")
    if element == "f16":
        return int(np.float16(value).view(np.uint16))
    if element == "bf16":
        # Rounded to nearest, ties to even.
        bits = int(np.float32(value).view(np.uint32))
        return 0x7FC0 if value != value else ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16) & 0xFFFF
    if element in ("f32", "f64"):
        return float(value)
    if element == "i1":
        return bool(value)
    range_ = np.iinfo(dtype_of(element))
    if value != value or not range_.min <= value <= range_.max or value != int(value):
        raise ValueError(f"{parameter.name} must be a whole number that an {element} holds, not {value}")
    return int(value)
