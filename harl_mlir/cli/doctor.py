"""`harl-mlir doctor`: what is installed, what is missing, and its remedy.

Nothing here may fail because something is missing: versions are read from the installed
distributions' metadata, and the worker is asked for the peak only where the bindings are there.
"""

from __future__ import annotations

import platform
import re
import shutil
import sqlite3
import subprocess
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from harl_mlir import __version__
from harl_mlir.cli.terminal import DONE, REFUSED, Outcome, Terminal
from harl_mlir.errors import HarlError
from harl_mlir.export.link import COMPILERS
from harl_mlir.plugins import KINDS, installed
from harl_mlir.processor import Processor, this_processor

_DISTRIBUTIONS = ("torch-mlir", "torch", "numpy", "xgboost-cpu", "networkx", "gymnasium", "msgspec", "rich")
_BINDINGS = "torch-mlir"
_MLIR_OPT = ("mlir-opt-22", "mlir-opt")
_VERSION = re.compile(r"LLVM version (\S+)")


@dataclass(frozen=True)
class Lack:
    """Something that is not there; `needed` if tuning does not work without it."""

    what: str
    needed: bool
    remedy: str


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Print what was found; exit code 1 if something needed is missing."""
    versions = installed_versions()
    processor = this_processor()
    peak, broken = (None, None) if versions[_BINDINGS] is None else _peak()
    lacks = list(_lacks(versions, processor, broken))
    for name, version in versions.items():
        terminal.result(f"{name:12} {version or 'missing'}")
    for line in _processor_lines(processor, peak):
        terminal.result(line)
    found = [plugin for kind in KINDS for plugin in installed(kind)]
    for plugin in found:
        terminal.result(f"{'plug-in':12} {plugin.kind} {plugin.name} of {plugin.distribution}")
    for lack in lacks:
        terminal.result(f"missing ({'needed' if lack.needed else 'optional'}): {lack.what}; {lack.remedy}")
    needed = [lack for lack in lacks if lack.needed]
    error = HarlError(f"{needed[0].what} is missing; {needed[0].remedy}") if needed else None
    if error is None:
        terminal.result("ready to tune")
    return Outcome(
        status="error" if error else "ok",
        error=error,
        exit_code=REFUSED if error else DONE,
        fields={
            "versions": versions,
            "processor": {
                "name": processor.name,
                "features": list(processor.features),
                "vector_bytes": processor.vector_bytes,
                "l1_bytes": processor.l1_bytes,
                "l2_bytes": processor.l2_bytes,
                "l3_bytes": processor.l3_bytes,
            },
            "peak_gflops": peak,
            "plugins": [{"kind": p.kind, "name": p.name, "distribution": p.distribution} for p in found],
            "missing": [{"what": k.what, "needed": k.needed, "remedy": k.remedy} for k in lacks],
        },
    )


def installed_versions() -> dict[str, str | None]:
    """Versions of everything tuning rests on; None where it is missing."""
    versions: dict[str, str | None] = {"harl-mlir": __version__, "python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        versions[name] = _distribution(name)
    versions["LLVM"] = _bindings_llvm()
    versions["mlir-opt"] = _tool_version(next(filter(None, map(shutil.which, _MLIR_OPT)), None))
    versions["SQLite"] = sqlite3.sqlite_version
    return versions


def _distribution(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _bindings_llvm() -> str | None:
    """The LLVM version of the bindings, told by the tool that ships beside them."""
    spec = util.find_spec("torch_mlir")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        return _tool_version(str(Path(root) / "_mlir_libs" / "torch-mlir-opt"))
    return None


def _tool_version(tool: str | None) -> str | None:
    if tool is None:
        return None
    try:
        answer = subprocess.run([tool, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(answer.stdout)
    return found[1] if found else None


def _peak() -> tuple[float | None, str | None]:
    """The FMA peak in GFLOP/s, or why a worker could not measure it."""
    try:
        from harl_mlir.measure.pool import Pool

        with Pool() as pool:
            return pool.peak() / 1e9, None
    except Exception as error:
        return None, (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _lacks(versions: dict[str, str | None], processor: Processor, broken: str | None) -> Iterator[Lack]:
    for name in _DISTRIBUTIONS:
        if versions[name] is None:
            yield Lack(f"the Python package {name}", True, "run `pip install .` in the checkout again")
    if broken is not None:
        yield Lack(f"a working measuring process ({broken})", True, "run `pip install --force-reinstall .`")
    for tools, package in ((COMPILERS, "gcc"), (("ar",), "binutils")):
        if not any(map(shutil.which, tools)):
            remedy = f"install Debian's {package} to export or call them"
            yield Lack(f"`{tools[0]}`, to link kernels with", False, remedy)
    if not processor.features:
        yield Lack("the list of processor features", False, "defaults assume 16-byte vectors")
    if versions["mlir-opt"] is None:
        yield Lack(
            "mlir-opt 22",
            False,
            "install Debian's mlir-22-tools to apply libraries and run the lit tests with it",
        )


def _processor_lines(processor: Processor, peak: float | None) -> Iterator[str]:
    yield f"{'processor':12} {processor.name}"
    yield f"{'features':12} {' '.join(processor.features) or 'unknown'}"
    caches = (processor.l1_bytes, processor.l2_bytes, processor.l3_bytes)
    sizes = ", ".join(f"L{level} {size >> 10} KiB" for level, size in enumerate(caches, start=1))
    yield f"{'caches':12} {sizes}"
    yield f"{'peak':12} " + ("unknown" if peak is None else f"{peak:.1f} GFLOP/s (f32 FMA, one core)")
