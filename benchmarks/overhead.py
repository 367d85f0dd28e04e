"""What tuning costs beside measuring: `python -m benchmarks.overhead [KERNEL.mlir...]`.

Tunes each kernel (the examples) from nothing by `harl-mlir tune`, in a process of its own, and tells where
the wall time went. It ends with 1 if the first candidate was measured later than 3 s after the process was
started, or if the search policy took more than 15 % of the wall time.

On a machine with other work wall times say little. `cpu` is the search policy's processor time, `all cpu`
that of the tuner and the measuring process together: about the wall time of a machine without.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.tune_process import run_tune
from harl_mlir.errors import HarlError

FIRST_MEASUREMENT_SECONDS = 3.0
SEARCH_SHARE = 0.15

_ROOT = Path(__file__).parent.parent
_EXAMPLES = ("matmul", "matmul_bias_relu", "conv2d", "softmax", "several_functions")
_COLUMNS = {
    "wall": "wall_seconds",
    "first": "first_measurement_seconds",
    "planning": "planning_seconds",
    "measuring": "measuring_seconds",
    "finalists": "finalists_seconds",
    "writing": "writing_seconds",
    "search": "search_seconds",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Tune every kernel and print a line for each; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    examples = [_ROOT / "examples" / f"{name}.mlir" for name in _EXAMPLES]
    parser.add_argument("kernels", nargs="*", type=Path, default=examples, metavar="KERNEL.mlir")
    parser.add_argument("--trials", type=int, default=64, help="trials of each kernel (default 64)")
    parser.add_argument("--agent", default="harl", help="the search policy (default harl)")
    options = parser.parse_args(arguments)
    headings = (*_COLUMNS, "share", "cpu", "all cpu", "share")
    print(f"{'seconds':20}" + "".join(f"{heading:>10}" for heading in headings))
    within = [_tuned(kernel.resolve(), options.trials, options.agent) for kernel in options.kernels]
    return 0 if all(within) else 1


def _tuned(kernel: Path, trials: int, agent: str) -> bool:
    """Tune one kernel and print where the time went; whether it was within the bounds."""
    before = _processor_seconds()
    with tempfile.TemporaryDirectory() as directory:
        try:
            found = run_tune(kernel, Path(directory), trials, ["--agent", agent])
        except HarlError as error:
            print(f"{kernel.stem:20} {error}")
            return False
    print(line(kernel.stem, found, _processor_seconds() - before), flush=True)
    return within_bounds(found)


def _processor_seconds() -> float:
    """Processor time of all processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def line(name: str, found: Mapping[str, float], all_cpu: float) -> str:
    """A line of the table: seconds by part, and the search's share of the wall and the processor time."""
    seconds = "".join(f"{found[field]:10.2f}" for field in _COLUMNS.values())
    search, cpu = found["search_seconds"], found["search_cpu_seconds"]
    shares = f"{search / found['wall_seconds']:10.1%}{cpu:10.2f}{all_cpu:10.2f}{cpu / all_cpu:10.1%}"
    return f"{name:20}{seconds}{shares}"


def within_bounds(found: Mapping[str, float]) -> bool:
    """Whether a run of `tune --json` began and searched as quickly as promised."""
    started = found["first_measurement_seconds"] <= FIRST_MEASUREMENT_SECONDS
    return started and found["search_seconds"] <= SEARCH_SHARE * found["wall_seconds"]


if __name__ == "__main__":
    sys.exit(main())
