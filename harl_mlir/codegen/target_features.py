"""What LLVM knows of processors: their names, and the instruction sets each has.

The names are what `-mcpu=help` prints, the features what the pass `llvm-target-to-target-features` finds;
both are those of the LLVM that compiles.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harl_mlir.codegen.target import Target
from harl_mlir.errors import InputError
from harl_mlir.mlir import PassManager, ir

_TRIPLE = "x86_64-unknown-linux-gnu"
_PIPELINE = "builtin.module(llvm-target-to-target-features{initialize-llvm-targets=true})"
_MACHINES = ("x86_64", "AMD64")
_LINE = re.compile(r"^  (\S+)\s+- ", re.MULTILINE)
# Not instruction sets: a subtarget that is given their negation is of another kind or has fewer registers.
_NEVER_NEGATED = re.compile(r".*-mode$|^reserve-")


@dataclass(frozen=True)
class Subtarget:
    """A processor in LLVM's terms; `features` has `+NAME` for each it has and `-NAME` for each other."""

    cpu: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class _Known:
    cpus: tuple[str, ...]
    features: tuple[str, ...]


def subtarget(target: Target) -> Subtarget:
    """Look a processor up. Raises InputError where LLVM knows none of that name with 64 bits."""
    if platform.machine() not in _MACHINES:
        raise InputError(
            f"--target-cpu knows x86-64 processors, and this machine is {platform.machine()}; leave it out"
        )
    known = _known()
    if target.cpu not in known.cpus:
        raise InputError(
            f"LLVM knows no x86 processor {target.cpu!r}, and other architectures are not supported; "
            f"give one of {', '.join(_with_64_bits(known.cpus))}"
        )
    has = {feature.removeprefix("+") for feature in _features_of(target.cpu)}
    if "64bit" not in has:
        raise InputError(f"{target.cpu} has no 64-bit mode; give a processor that has, as x86-64")
    lacks = [f for f in known.features if f not in has and not _NEVER_NEGATED.match(f)]
    unknown = [f for f in target.features if f[:1] not in ("+", "-") or f[1:] not in known.features]
    if unknown:
        raise InputError(
            f"{unknown[0]!r} is no feature of x86 processors that LLVM knows; give +NAME or -NAME"
        )
    listed = [*(f"-{f}" for f in lacks), *(f"+{f}" for f in sorted(has)), *target.features]
    return Subtarget(target.cpu, tuple(listed))


@functools.cache
def _with_64_bits(cpus: tuple[str, ...]) -> list[str]:
    # Names with `_` are other spellings.
    return [cpu for cpu in cpus if "_" not in cpu and "+64bit" in _features_of(cpu)]


@functools.cache
def _known() -> _Known:
    """LLVM prints its list only once a process."""
    said = _said_while(lambda: _features_of("help"))
    processors, _, features = said.partition("Available features")
    found = _Known(tuple(_LINE.findall(processors)), tuple(_LINE.findall(features)))
    if not found.cpus or not found.features:
        raise RuntimeError("LLVM did not list its processors")
    return found


def _features_of(cpu: str) -> tuple[str, ...]:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.create()
        module.operation.attributes["llvm.target"] = ir.Attribute.parse(
            f'#llvm.target<triple = "{_TRIPLE}", chip = "{cpu}">'
        )
        PassManager.parse(_PIPELINE).run(module.operation)
        # The attribute has no class in Python; its text is that of the parser.
        return tuple(re.findall(r'"(\+[^"]+)"', str(module.operation.attributes["llvm.target"])))


def _said_while(act: Callable[[], object]) -> str:
    """What is written to stderr by an act, C++ included."""
    with tempfile.TemporaryFile() as file, _stderr_in(file.fileno()):
        act()
        return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")


@contextlib.contextmanager
def _stderr_in(descriptor: int) -> Iterator[None]:
    kept = os.dup(2)
    try:
        os.dup2(descriptor, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
