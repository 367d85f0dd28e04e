"""Facts of the processor that default schedules and record keys depend on."""

from __future__ import annotations

import platform
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

BF16_DOTS = "avx512_bf16"
"""The feature of processors that multiply and add pairs of bf16."""

AVX512 = "avx512f"
"""The feature of processors that have vectors of 64 bytes, and scale them by powers of two at once."""

I8_DOTS = "avx512_vnni"
"""The feature of processors that multiply and add groups of four i8."""


@dataclass(frozen=True)
class DotProduct:
    """An instruction that multiplies groups of numbers and adds what comes of a group to one sum.

    Attributes:
        feature: what processors that have it say.
        group: numbers of each factor that go to a sum.
        total: the element type of sums.
    """

    feature: str
    group: int
    total: str


DOT_PRODUCTS = {"bf16": DotProduct(BF16_DOTS, 2, "f32"), "i8": DotProduct(I8_DOTS, 4, "i32")}
"""Those that kernels use, by the element type of the factors."""

_FEATURES_THAT_MATTER = (
    "avx", "avx2", "fma", "f16c", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_bf16",
    "avx512_fp16", "avx512_vnni", "avx_vnni", "amx_tile", "asimd", "asimddp", "sve", "sve2",
)  # fmt: skip


@dataclass(frozen=True)
class Processor:
    """What a schedule is made for. Sizes in bytes."""

    name: str
    features: tuple[str, ...]
    vector_bytes: int
    vector_registers: int
    l1_bytes: int
    l2_bytes: int
    l3_bytes: int

    def lanes(self, bytes_per_element: int) -> int:
        """Elements of a vector register."""
        return max(1, self.vector_bytes // bytes_per_element)


@lru_cache(maxsize=1)
def this_processor() -> Processor:
    """Read the facts from the running system; unknown cache sizes get common values."""
    name, flags = _cpuinfo()
    vector_bytes, registers = vector_unit(flags)
    caches = _cache_sizes()
    return Processor(
        name=name,
        features=tuple(f for f in _FEATURES_THAT_MATTER if f in flags),
        vector_bytes=vector_bytes,
        vector_registers=registers,
        l1_bytes=caches.get(1, 32 << 10),
        l2_bytes=caches.get(2, 512 << 10),
        l3_bytes=caches.get(3, 8 << 20),
    )


def vector_unit(features: Collection[str]) -> tuple[int, int]:
    """Bytes of a vector register, and how many of them there are."""
    if AVX512 in features:
        return 64, 32
    if "avx" in features:
        return 32, 16
    return (16, 32) if "asimd" in features else (16, 16)


def _cpuinfo() -> tuple[str, frozenset[str]]:
    name, flags = platform.processor() or platform.machine(), frozenset[str]()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return name, flags
    for line in text.splitlines():
        field, _, value = (part.strip() for part in line.partition(":"))
        if field == "model name":
            name = value
        elif field in ("flags", "Features"):
            flags = frozenset(value.split())
        if name and flags and not line.strip():
            break
    return name, flags


def _cache_sizes() -> dict[int, int]:
    sizes: dict[int, int] = {}
    for cache in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            level = int((cache / "level").read_text())
            kind = (cache / "type").read_text().strip()
            kibibytes = int((cache / "size").read_text().strip().removesuffix("K"))
        except (OSError, ValueError):
            continue
        if kind in ("Data", "Unified"):
            sizes[level] = kibibytes << 10
    return sizes
