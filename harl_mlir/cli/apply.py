"""`harl-mlir apply`: apply a schedule library to a kernel."""

from __future__ import annotations

from argparse import Namespace

from harl_mlir.cli.refusals import nothing_matched
from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.errors import UsageError
from harl_mlir.files import Output, read_mlir, same_file
from harl_mlir.measure.pool import Pool


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Apply, say of each linalg op whether it matched, and write the result to -o or stdout."""
    output = _output(options)
    kernel, library = read_mlir(options.kernel), read_mlir(options.library)
    with Pool() as pool:
        applied = pool.apply(
            kernel,
            str(options.kernel),
            library,
            options.function,
            dict(options.shape),
            str(options.library),
        )
    for op in applied.outcomes:
        verdict = "matched" if op.matched else "left alone"
        terminal.progress(f"{op.place}: {op.op}: {verdict}" + (f": {op.message}" if op.message else ""))
    if not any(op.matched for op in applied.outcomes):
        raise nothing_matched(options.kernel, options.library)
    if output is not None:
        output.write(applied.text)
        terminal.progress(f"wrote {output.path}")
    elif not terminal.as_json:
        terminal.result(applied.text.rstrip("\n"))
    return Outcome(
        fields={
            "ops": [
                {"op": op.op, "place": op.place, "matched": op.matched, "message": op.message}
                for op in applied.outcomes
            ],
            "skipped": [
                {"op": op.op, "place": op.place, "reason": op.message}
                for op in applied.outcomes
                if not op.matched
            ],
            "written": [str(output.path)] if output else [],
        }
    )


def _output(options: Namespace) -> Output | None:
    if options.output is None:
        return None
    for name, path in (("KERNEL.mlir", options.kernel), ("--library", options.library)):
        if same_file(path, options.output):
            raise UsageError(f"{name} and -o both name {options.output}; name another file with -o")
    return Output(options.output, "-o")
