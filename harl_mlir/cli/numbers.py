"""Numbers and messages as people read them."""

from __future__ import annotations


def duration(seconds: float | None) -> str:
    """`1.23 ms`; `?` where unknown."""
    if seconds is None:
        return "?"
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def gflops(flops: int, seconds: float | None) -> float | None:
    """10^9 operations a second; None where the time is unknown or there are no operations."""
    return flops / seconds / 1e9 if seconds and flops else None


def first_line(text: str) -> str:
    """The first line of a message; the rest is detail."""
    return (text.strip().splitlines() or [""])[0]


def plain(value: float | None, form: str = ".1f") -> str:
    """The number, or `?` where unknown."""
    return "?" if value is None else format(value, form)


def speed_up(before: float | None, slower_than: float | None, after: float | None) -> str:
    """`3.1x`; `>3.1x` where only a lower bound of the time before is known; `?` where nothing is."""
    if after is None or (before is None and slower_than is None):
        return "?"
    if before is not None:
        return f"{before / after:.3g}x"
    return f">{(slower_than or 0.0) / after:.3g}x"
