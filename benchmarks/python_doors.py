"""A tuned kernel called from Python: exported as a shared library, and through torch.compile."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harl_mlir.export.loaded import Array, load
from harl_mlir.measure.pool import Pool

if TYPE_CHECKING:
    import torch

_SAMPLES, _CALLS = 10, 20
_LINE = 64


def exported_door(pool: Pool, kernel: Path, library: Path) -> Callable[[], float]:
    """What times the exported kernel on arrays of its own, in seconds a call, called as C would."""
    compiled = pool.compile(kernel.read_text(), kernel.name, library.read_text())
    (function,) = load(compiled.object, compiled.functions).values()
    rng = np.random.default_rng(0)
    shapes = [parameter.type.shape for parameter in function.function.parameters]
    arrays = [_aligned(shape) for shape in shapes]
    for array in arrays:
        array[...] = rng.random(array.shape, dtype=np.float32)
    addresses = [array.ctypes.data for array in arrays]

    def timed(held: object = arrays) -> float:
        """`held` keeps the arrays as long as what calls the kernel on them."""
        return _timed(lambda: function.raw(*addresses))

    return timed


def torch_door(name: str, database: Path) -> Callable[[], float]:
    """What times the same computation compiled by torch.compile with what is in the database."""
    import torch

    torch.set_num_threads(1)
    function, inputs = _in_torch(name)
    compiled = torch.compile(function, backend="harl_mlir", options={"trials": 0, "database": str(database)})
    with torch.no_grad():
        torch.testing.assert_close(compiled(*inputs), function(*inputs), rtol=1e-4, atol=1e-3)

    def timed() -> float:
        with torch.no_grad():
            return _timed(lambda: compiled(*inputs))

    return timed


def _aligned(shape: tuple[int, ...]) -> Array:
    """An array that starts at a cache line, as torch's do; NumPy's own start 16 bytes beside one."""
    memory = np.empty(math.prod(shape) * 4 + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    return memory[start : start + math.prod(shape) * 4].view(np.float32).reshape(shape)


def _in_torch(name: str) -> tuple[Callable[..., torch.Tensor], tuple[torch.Tensor, ...]]:
    import torch

    rng = torch.Generator().manual_seed(0)
    shapes = {
        "matmul": ((512, 512), (512, 512)),
        "conv": ((1, 64, 58, 58), (64, 64, 3, 3)),
        "dense": ((256, 512), (512, 384), (384,)),
    }[name]
    functions: dict[str, Callable[..., torch.Tensor]] = {
        "matmul": torch.matmul,
        "conv": torch.nn.functional.conv2d,
        "dense": lambda x, w, b: torch.relu(x @ w + b),
    }
    return functions[name], tuple(torch.rand(shape, generator=rng) for shape in shapes)


def _timed(call: Callable[[], object]) -> float:
    samples = []
    for _ in range(_SAMPLES):
        start = time.perf_counter()
        for _ in range(_CALLS):
            call()
        samples.append((time.perf_counter() - start) / _CALLS)
    return statistics.median(samples)
