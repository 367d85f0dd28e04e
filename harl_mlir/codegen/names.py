"""Names in C for what has a name in MLIR."""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Callable, Container, Sequence

_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """
    alignas alignof and and_eq asm atomic auto bitand bitor bool break case catch char class co_await
    co_return co_yield compl complex concept const const_cast consteval constexpr constinit continue
    decltype default delete do double dynamic_cast else enum explicit export extern false float for friend
    fortran goto if imaginary inline int long mutable namespace new noexcept noreturn not not_eq nullptr
    operator or or_eq private protected public register reinterpret_cast requires restrict return short
    signed sizeof static static_assert static_cast struct switch template this thread_local throw true try
    typedef typeid typename typeof typeof_unqual union unix unsigned using virtual void volatile wchar_t
    while xor xor_eq linux main NULL size_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t
    """,
    )
)
"""Of C and C++, and what the header's own declarations use."""


def c_function_name(name: str) -> str:
    """The name in C of MLIR's function `name`: other characters become `_`.

    A `_` is added where the name is a keyword of C or C++, `main`, or a function of libc or libm, which
    the kernel would replace in the whole program.
    """
    return _identifier(name, "kernel_", lambda symbol: symbol in _KEYWORDS or is_in_libm(symbol))


def parameter_names(names: Sequence[str | None], results: int) -> list[str]:
    """Names in C of a function's parameters: of its arguments (None: it was given none) and results."""
    found: list[str] = []
    for number, name in enumerate(names):
        bare = f"arg{number}" if name is None or name.isdigit() else name
        found.append(_unused(_identifier(bare, "arg_", _KEYWORDS.__contains__), found))
    for number in range(results):
        found.append(_unused("out" if results == 1 else f"out{number}", found))
    return found


@functools.cache
def _libm() -> ctypes.CDLL:
    # Linked with libc, whose symbols are found through it.
    try:
        return ctypes.CDLL("libm.so.6")
    except OSError:
        return ctypes.CDLL(None)


def is_in_libm(symbol: str) -> bool:
    """Whether libm or libc has a function of that name."""
    return hasattr(_libm(), symbol)


def _identifier(name: str, prefix: str, is_taken: Callable[[str], bool]) -> str:
    symbol = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not symbol or symbol[0].isdigit():
        symbol = prefix + symbol
    # Names that begin so are the compiler's, or the execution engine's.
    if re.match(r"_[_A-Z]|_mlir_", symbol):
        symbol = prefix + symbol.lstrip("_")
    while is_taken(symbol):
        symbol += "_"
    return symbol


def _unused(name: str, taken: Container[str]) -> str:
    while name in taken:
        name += "_"
    return name
