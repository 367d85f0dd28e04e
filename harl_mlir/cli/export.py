"""`harl-mlir export`: a kernel's functions as libraries that C can use."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Any

from harl_mlir.cli.refusals import nothing_matched
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.codegen.interface import CFunction
from harl_mlir.codegen.openmp import find_runtime
from harl_mlir.codegen.target import Target
from harl_mlir.errors import UsageError
from harl_mlir.export.directory import ExportDirectory, library_name
from harl_mlir.files import read_mlir
from harl_mlir.measure.answers import Compiled
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Schedule, compile and write; say of each linalg op whether it matched, and what C calls."""
    kernel = read_mlir(options.kernel)
    library = None if options.library is None else read_mlir(options.library)
    directory = ExportDirectory(options.output, library_name(options.kernel))
    if options.threads < 1:
        raise UsageError(f"code cannot run on {options.threads} threads; use --threads 1 or more")
    if options.threads > 1:
        find_runtime()
    with Pool() as pool:
        compiled = pool.compile(
            kernel,
            str(options.kernel),
            library,
            function=options.function,
            shapes=dict(options.shape),
            target=None if options.target_cpu is None else Target(options.target_cpu),
            library_file=str(options.library),
            threads=options.threads,
        )
    for op in compiled.outcomes:
        verdict = "matched" if op.matched else "left alone"
        terminal.progress(f"{op.place}: {op.op}: {verdict}" + (f": {op.message}" if op.message else ""))
    if library is not None and not any(op.matched for op in compiled.outcomes):
        raise nothing_matched(options.kernel, options.library)
    if options.threads == 1 and library is not None and _is_shared(library):
        terminal.progress("the schedules are for several threads; without --threads they run on one")
    processor = options.target_cpu or f"{this_processor().name} and processors with all of its features"
    directory.write(compiled, _source(options), processor)
    for function in compiled.functions:
        terminal.result(
            f"{function.symbol}({', '.join(p.name for p in function.parameters)}): @{function.name}"
        )
    for file in directory.files:
        terminal.progress(f"wrote {file}")
    return Outcome(fields=_fields(options, compiled, directory))


def _is_shared(library: str) -> bool:
    """Whether a library says that it was tuned for several threads."""
    found = re.search(r"harl\.threads = (\d+)", library)
    return found is not None and int(found[1]) > 1


def _source(options: Namespace) -> str:
    scheduled = "unscheduled" if options.library is None else f"scheduled by {options.library.name}"
    return f"Kernels of {options.kernel.name}, {scheduled}."


def _fields(options: Namespace, compiled: Compiled, directory: ExportDirectory) -> dict[str, Any]:
    return {
        "name": directory.name,
        "target_cpu": options.target_cpu,
        "threads": options.threads,
        "functions": [_function(function) for function in compiled.functions],
        "skipped": [
            {"op": op.op, "place": op.place, "reason": op.message}
            for op in compiled.outcomes
            if not op.matched
        ],
        "written": [str(file) for file in directory.files],
    }


def _function(function: CFunction) -> dict[str, Any]:
    return {
        "name": function.name,
        "symbol": function.symbol,
        "parameters": [
            {
                "name": parameter.name,
                "role": parameter.role,
                "element": parameter.type.element,
                "shape": None if parameter.type.is_scalar else list(parameter.type.shape),
                "strides": None if parameter.type.is_scalar else list(parameter.strides),
            }
            for parameter in function.parameters
        ],
    }
