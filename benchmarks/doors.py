"""One tuned kernel through every door: `python -m benchmarks.doors [--passes N] [--core N] [--json OUT]`.

Tunes a matmul, a convolution and a fused kernel, and times each of them in turns as `tune` measures it,
exported as a shared library, through torch.compile, and through MLIR 22's tools (mlir-opt with the plugin,
and harl-opt, run by mlir-runner). The first three are compiled by the same LLVM; the last two by the
distribution's.

Built beforehand: the C++ passes (`cmake --workflow --preset passes`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import this_machine
from benchmarks.mlir_doors import runner_door
from benchmarks.python_doors import exported_door, torch_door
from benchmarks.tune_process import DATABASE, run_tune
from harl_mlir.measure.pool import Pool
from harl_mlir.tasks.task import Task

Door = Callable[[], float]
"""Times the kernel once more: seconds of one call."""

TRIALS = 64

_MATMUL = """func.func @matmul(%a: tensor<512x512xf32>, %b: tensor<512x512xf32>) -> tensor<512x512xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<512x512xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<512x512xf32>) -> tensor<512x512xf32>
  %r = linalg.matmul ins(%a, %b : tensor<512x512xf32>, tensor<512x512xf32>)
      outs(%f : tensor<512x512xf32>) -> tensor<512x512xf32>
  return %r : tensor<512x512xf32>
}
"""
_CONV = """func.func @conv(%x: tensor<1x64x58x58xf32>, %w: tensor<64x64x3x3xf32>) -> tensor<1x64x56x56xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x64x56x56xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x64x56x56xf32>) -> tensor<1x64x56x56xf32>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x64x58x58xf32>, tensor<64x64x3x3xf32>)
      outs(%f : tensor<1x64x56x56xf32>) -> tensor<1x64x56x56xf32>
  return %r : tensor<1x64x56x56xf32>
}
"""
_DENSE = """#row = affine_map<(i, j) -> (j)>
#all = affine_map<(i, j) -> (i, j)>
func.func @dense(%x: tensor<256x512xf32>, %w: tensor<512x384xf32>, %b: tensor<384xf32>)
    -> tensor<256x384xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<256x384xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<256x384xf32>) -> tensor<256x384xf32>
  %p = linalg.matmul ins(%x, %w : tensor<256x512xf32>, tensor<512x384xf32>)
      outs(%f : tensor<256x384xf32>) -> tensor<256x384xf32>
  %r = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<256x384xf32>, tensor<384xf32>) outs(%e : tensor<256x384xf32>) {
  ^bb0(%in: f32, %bias: f32, %old: f32):
    %sum = arith.addf %in, %bias : f32
    %positive = arith.maximumf %sum, %zero : f32
    linalg.yield %positive : f32
  } -> tensor<256x384xf32>
  return %r : tensor<256x384xf32>
}
"""
KERNELS = {"matmul": _MATMUL, "conv": _CONV, "dense": _DENSE}


@dataclass(frozen=True)
class Tuned:
    """A kernel after tuning, in a folder of its own; `seconds` is what `tune` reported."""

    name: str
    folder: Path
    seconds: float
    task: Task

    @property
    def kernel(self) -> Path:
        """The kernel file."""
        return self.folder / f"{self.name}.mlir"

    @property
    def library(self) -> Path:
        """Its schedule library."""
        return self.folder / f"{self.name}.schedules.mlir"

    @property
    def database(self) -> Path:
        """The measurements."""
        return self.folder / DATABASE


def main(arguments: Sequence[str] | None = None) -> int:
    """Tune, time and print a line for each kernel; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doors", description=__doc__)
    parser.add_argument("--passes", type=int, default=9, help="passes over the doors (default 9)")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="where all is timed")
    parser.add_argument("--trials", type=int, default=TRIALS, help=f"trials of tuning (default {TRIALS})")
    parser.add_argument("--case", choices=KERNELS, nargs="*", default=list(KERNELS), help="only these")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write all samples there, too")
    options = parser.parse_args(arguments)
    os.sched_setaffinity(0, {options.core})
    found = {name: _case(name, options.trials, options.passes, options.core) for name in options.case}
    if options.json is not None:
        text = json.dumps({"machine": this_machine(options.core), "cases": found}, indent=1)
        options.json.write_text(text + "\n")
    return 0


def _case(name: str, trials: int, passes: int, core: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as directory, Pool(core) as pool:
        tuned = _tune(name, Path(directory), trials, pool)
        doors: Mapping[str, Door] = {
            "tune": lambda: _measured(pool, tuned),
            "exported": exported_door(pool, tuned.kernel, tuned.library),
            "torch.compile": torch_door(name, tuned.database),
            "mlir-opt + plugin": runner_door("mlir-opt", tuned.kernel, tuned.library, tuned.task),
            "harl-opt": runner_door("harl-opt", tuned.kernel, tuned.library, tuned.task),
        }
        samples: dict[str, list[float]] = {door: [] for door in doors}
        for _ in range(passes):
            for door, timed in doors.items():
                samples[door].append(timed())
    print(_line(name, tuned.seconds, samples), flush=True)
    return {"reported_seconds": tuned.seconds, "seconds": samples}


def _tune(name: str, folder: Path, trials: int, pool: Pool) -> Tuned:
    kernel = folder / f"{name}.mlir"
    kernel.write_text(KERNELS[name])
    (reported,) = run_tune(kernel, folder, trials, [])["tasks"]
    (task,) = pool.analyse(KERNELS[name], kernel.name).tasks
    return Tuned(name, folder, reported["best_seconds"], task)


def _measured(pool: Pool, tuned: Tuned) -> float:
    (measurement,) = pool.retime(tuned.task, [tuned.library.read_text()])
    if measurement.seconds is None:
        raise SystemExit(f"{tuned.name} could not be timed again: {measurement.failure}")
    return measurement.seconds


def _line(name: str, reported: float, samples: Mapping[str, Sequence[float]]) -> str:
    """Medians, and the median of the ratios to what `tune` measures in the same pass."""
    parts = [f"{name}: tune reported {1e6 * reported:.1f} us"]
    for door, seconds in samples.items():
        ratio = statistics.median(s / t for s, t in zip(seconds, samples["tune"], strict=True))
        parts.append(f"  {door:18} {1e6 * statistics.median(seconds):9.1f} us, {ratio:.3f} of tune")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
