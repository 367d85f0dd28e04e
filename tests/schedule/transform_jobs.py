"""What the tests of this room do with MLIR, in a process of its own: transforms can crash or hang.

`call` runs in the test; the jobs in the process, which reads them as lines of JSON and prints results.
"""

from __future__ import annotations

import atexit
import json
import select
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


Answer = Any
"""What JSON holds; tests know what their job answers."""


def call(job: str, **arguments: object) -> Answer:
    """Run one of `JOBS`; an InputError of the job comes as {"error", "place", "kind"}."""
    process = _process()
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps([job, arguments]) + "\n")
    process.stdin.flush()
    ready, _, _ = select.select([process.stdout], [], [], 100)
    if not ready:
        process.kill()
    line = process.stdout.readline()
    assert line, f"the process ended with {process.wait()}"
    done = json.loads(line)
    assert "traceback" not in done, done["traceback"]
    return done["result"]


_running: list[subprocess.Popen[str]] = []


def _process() -> subprocess.Popen[str]:
    """The process that does the jobs; a new one if there is none or it has ended."""
    if not _running or _running[-1].poll() is not None:
        process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )
        atexit.register(process.kill)
        _running.append(process)
    return _running[-1]


def write(
    kernel: str,
    tunable: bool = False,
    respell: bool = True,
    fail: str | None = None,
    function: str | None = None,
) -> str:
    """The library of a kernel, each task with its default candidate for a made-up processor."""
    from harl_mlir.frontend.prepare import prepare
    from harl_mlir.mlir import ir
    from harl_mlir.processor import Processor
    from harl_mlir.schedule.library import write_library
    from harl_mlir.space.entry import Entry, Provenance
    from harl_mlir.space.sketches import sketches_for
    from harl_mlir.tasks.analyse import analyse

    processor = Processor("any", ("avx512f",), 64, 32, 32 << 10, 1 << 20, 32 << 20)
    with ir.Context():
        tasks = analyse(prepare(kernel, "kernel.mlir", function), "kernel.mlir").tasks
        spaces = [(task, sketches_for(task, processor)) for task in tasks]
        entries = [Entry(task, found[0].default()) for task, found in spaces if found]
        library = write_library(
            entries, provenance=Provenance("7", "any", ("avx512f",)), tunable=tunable, respell=respell
        )
        if fail is None:
            return library
        mark = f'harl.label = "{fail}"'
        assert mark in library
        start = library.index(mark)
        end = library.index("transform.yield", start)
        return library[:end] + _FAILURE + library[end:]


_FAILURE = """%one = transform.param.constant 1 : i64 -> !transform.param<i64>
    %two = transform.param.constant 2 : i64 -> !transform.param<i64>
    transform.match.param.cmpi eq %one, %two : !transform.param<i64>
    """


def apply(
    kernel: str,
    library: str | None = None,
    strict: bool = False,
    function: str | None = None,
    written: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Apply a library, by default the kernel's own: the module before and afterwards, and the outcomes."""
    from harl_mlir.frontend.prepare import prepare
    from harl_mlir.mlir import ir
    from harl_mlir.schedule.apply import apply_library

    if library is None:
        library = write(**{"kernel": kernel, **(written or {})})
    with ir.Context():
        program = prepare(kernel, "kernel.mlir").module
        before = str(program)
        try:
            outcomes = apply_library(
                program, library, "library.mlir", function=function, kernel_file="kernel.mlir", strict=strict
            )
        except Exception:
            assert str(program) == before
            raise
        told = [[o.op, str(o.place), o.key, o.status, o.message] for o in outcomes]
        return {"text": str(program), "before": before, "outcomes": told, "library": library}


def knobs(script: str) -> list[Any]:
    """The decisions of a script."""
    from harl_mlir.mlir import ir
    from harl_mlir.schedule.user_script import read_knobs

    with ir.Context():
        return [[d.name, d.values, d.default, d.ordered] for d in read_knobs(script, "script.mlir")]


def select_values(script: str, values: dict[str, int | str]) -> str:
    """A script with its knobs selected."""
    from harl_mlir.mlir import ir
    from harl_mlir.schedule.user_script import select_knobs

    with ir.Context():
        return select_knobs(script, "script.mlir", list(values.items()))


JOBS: dict[str, Callable[..., Any]] = {
    "write": write,
    "apply": apply,
    "knobs": knobs,
    "select": select_values,
}


def main() -> None:
    from harl_mlir.errors import InputError

    for line in sys.stdin:
        job, arguments = json.loads(line)
        done: dict[str, Any]
        try:
            done = {"result": JOBS[job](**arguments)}
        except InputError as error:
            done = {
                "result": {"error": error.message, "place": str(error.place), "kind": type(error).__name__}
            }
        except Exception:
            done = {"traceback": traceback.format_exc()}
        print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
