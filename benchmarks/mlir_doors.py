"""A tuned kernel through MLIR 22's own tools, timed inside of what mlir-runner runs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from harl_mlir.tasks.task import Task, TensorType

_BUILD = Path(__file__).resolve().parent.parent / "build" / "passes"
_LLVM = Path("/usr/lib/llvm-22")
_WARM_UP, _CALLS = 20, 200
_SECONDS = 120


def runner_door(
    tool: Literal["mlir-opt", "harl-opt"], kernel: Path, library: Path, task: Task
) -> Callable[[], float]:
    """Compile a kernel of one function with its library; what times it by mlir-runner, in seconds a call.

    Raises SystemExit where a tool is missing or fails.
    """
    driver = _program(task)
    pipeline = f"--pass-pipeline=builtin.module(harl-default{{library={library}}})"
    if tool == "mlir-opt":
        command = [_tool("mlir-opt"), f"--load-pass-plugin={_BUILD / 'lib' / 'HarlPasses.so'}", pipeline]
    else:
        command = [str(_BUILD / "bin" / "harl-opt"), pipeline]
    lowered = _run([*command], f"{kernel.read_text()}\n{driver}")
    runner = [_tool("mlir-runner"), "-O3", "-e", "main", "--entry-point-result=void"]
    runner += [f"--shared-libs={_LLVM / 'lib' / 'libmlir_c_runner_utils.so'}"]
    return lambda: float(_run(runner, lowered).split()[0])


def _program(task: Task) -> str:
    """A `main` that calls the task's function and prints the seconds of one call."""
    types = [_type(kind) for kind in task.arguments]
    result = _type(task.result_type(task.results[0]))
    names = [f"%x{number}" for number in range(len(types))]
    given = [
        f"  {name} = arith.constant dense<0.5> : {kind}" for name, kind in zip(names, types, strict=True)
    ]
    call = f"func.call @{task.function}({', '.join(names)}) : ({', '.join(types)}) -> {result}"
    places = ", ".join(["%first"] * len(task.result_type(task.results[0]).shape))
    lines = [
        "func.func private @rtclock() -> f64",
        "func.func private @printF64(f64)",
        "func.func private @printNewline()",
        "func.func @main() {",
        "  %first = arith.constant 0 : index",
        "  %step = arith.constant 1 : index",
        "  %nothing = arith.constant 0.0 : f32",
        f"  %count = arith.constant {_CALLS}.0 : f64",
        *given,
        *_loop("warm", _WARM_UP, call, f"tensor.extract %r[{places}] : {result}"),
        "  %start = func.call @rtclock() : () -> f64",
        *_loop("timed", _CALLS, call, f"tensor.extract %r[{places}] : {result}"),
        "  %end = func.call @rtclock() : () -> f64",
        "  %all = arith.subf %end, %start : f64",
        "  %one = arith.divf %all, %count : f64",
        "  func.call @printF64(%one) : (f64) -> ()",
        "  func.call @printNewline() : () -> ()",
        # What nobody reads LLVM would not compute.
        "  %warm_seen = arith.extf %warm : f32 to f64",
        "  %timed_seen = arith.extf %timed : f32 to f64",
        "  func.call @printF64(%warm_seen) : (f64) -> ()",
        "  func.call @printNewline() : () -> ()",
        "  func.call @printF64(%timed_seen) : (f64) -> ()",
        "  func.call @printNewline() : () -> ()",
        "  return",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _loop(name: str, count: int, call: str, element: str) -> list[str]:
    """Call the kernel `count` times and add up one element of its results."""
    return [
        f"  %{name}_count = arith.constant {count} : index",
        f"  %{name} = scf.for %i = %first to %{name}_count step %step iter_args(%sum = %nothing) -> f32 {{",
        f"    %r = {call}",
        f"    %element = {element}",
        "    %next = arith.addf %sum, %element : f32",
        "    scf.yield %next : f32",
        "  }",
    ]


def _type(kind: TensorType) -> str:
    return f"tensor<{'x'.join(str(extent) for extent in (*kind.shape, kind.element))}>"


def _tool(name: str) -> str:
    found = shutil.which(f"{name}-22") or shutil.which(name, path=str(_LLVM / "bin"))
    if found is None:
        raise SystemExit(f"{name} of MLIR 22 is missing; Debian has it in mlir-22-tools")
    return found


def _run(command: list[str], text: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            [*command, file.name], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout
