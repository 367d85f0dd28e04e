"""Tuned kernels against NumPy and torch on one core, in turns, and against `--agent default`.

    python -m benchmarks.against_libraries [--seed N] [--shapes N] [--trials N] [--seconds S]

Two fixed cases (matmul 512, the 3x3 convolution of a 56x56x64 image) and shapes drawn by the seed.
Each is tuned into an empty database; then the tuned kernel, the default candidate and the library
(NumPy for a matmul, torch with `channels_last` for a convolution) are timed in turns, pinned to the
same core, and the medians of the rounds are compared.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tuner import Request, Settings, tune

_ROUNDS = 7
_SAMPLE_SECONDS = 0.004
_SAMPLES = 15
_DISTURBED = 1.03


@dataclass(frozen=True)
class Case:
    """A kernel and the library call that computes the same."""

    name: str
    kernel: str
    library: Callable[[], object]


def matmul(m: int, n: int, k: int) -> Case:
    """`C = A * B`, MxK times KxN."""
    a, b, c = f"tensor<{m}x{k}xf32>", f"tensor<{k}x{n}xf32>", f"tensor<{m}x{n}xf32>"
    kernel = f"""func.func @matmul(%a: {a}, %b: {b}) -> {c} {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {c}
  %init = linalg.fill ins(%zero : f32) outs(%empty : {c}) -> {c}
  %c = linalg.matmul ins(%a, %b : {a}, {b}) outs(%init : {c}) -> {c}
  return %c : {c}
}}
"""
    rng = np.random.default_rng(0)
    left, right = (rng.random(shape, dtype=np.float32) - 0.5 for shape in ((m, k), (k, n)))
    out = np.empty((m, n), np.float32)
    return Case(f"matmul {m}x{n}x{k}", kernel, lambda: np.matmul(left, right, out=out))


def conv(h: int, w: int, c: int, f: int, k: int, stride: int) -> Case:
    """A KxK convolution, NHWC, output HxWxF, input already padded."""
    ih, iw = (h - 1) * stride + k, (w - 1) * stride + k
    image, kernel_type = f"tensor<1x{ih}x{iw}x{c}xf32>", f"tensor<{k}x{k}x{c}x{f}xf32>"
    out = f"tensor<1x{h}x{w}x{f}xf32>"
    kernel = f"""func.func @conv(%image: {image}, %filter: {kernel_type}) -> {out} {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {out}
  %init = linalg.fill ins(%zero : f32) outs(%empty : {out}) -> {out}
  %result = linalg.conv_2d_nhwc_hwcf
      {{dilations = dense<1> : tensor<2xi64>, strides = dense<{stride}> : tensor<2xi64>}}
      ins(%image, %filter : {image}, {kernel_type}) outs(%init : {out}) -> {out}
  return %result : {out}
}}
"""
    images = torch.rand(1, c, ih, iw).sub(0.5).contiguous(memory_format=torch.channels_last)
    filters = torch.rand(f, c, k, k).sub(0.5).contiguous(memory_format=torch.channels_last)

    def library() -> object:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(images, filters, stride=stride)

    return Case(f"conv {h}x{w}x{c}->{f} {k}x{k} s{stride}", kernel, library)


def drawn(rng: random.Random, count: int) -> list[Case]:
    """Shapes of matmul and convolution, half of each."""

    def extent(low: int, high: int) -> int:
        return round(math.exp(rng.uniform(math.log(low), math.log(high))))

    cases = []
    for number in range(count):
        if number % 2 == 0:
            cases.append(matmul(extent(16, 1024), extent(16, 1024), extent(16, 1024)))
        else:
            size = extent(7, 64)
            channels, filters = rng.choice((3, 16, 32, 64, 128)), rng.choice((16, 32, 48, 64, 128, 256))
            cases.append(conv(size, size, channels, filters, rng.choice((1, 3, 5)), rng.choice((1, 1, 2))))
    return cases


def time_library(call: Callable[[], object]) -> float:
    """Median seconds of one call over samples of at least 4 ms; inf if all were disturbed.

    A sample whose wall time exceeds its CPU time by 3 % was disturbed by another process: dropped.
    """
    call()
    begin = time.thread_time()
    call()
    repeats = max(1, round(_SAMPLE_SECONDS / max(time.thread_time() - begin, 1e-7)))
    samples = []
    for _ in range(_SAMPLES):
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(repeats):
            call()
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        if wall <= _DISTURBED * cpu:
            samples.append(wall / repeats)
    return statistics.median(samples) if samples else math.inf


def compare(case: Case, pool: Pool, trials: int, seconds: float, seed: int) -> tuple[float, float]:
    """Tune a case; the ratios tuned/library and tuned/default (above 1: tuned is faster)."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.mlir"
        file.write_text(case.kernel, encoding="utf-8")
        result = tune(
            Request(
                kernel=file,
                library=Path(folder) / "library.mlir",
                database=Path(folder) / "records.db",
                settings=Settings(trials=trials, seconds=seconds, seed=seed),
            )
        )
    (tuned,) = result.tasks
    default = sketches_for(tuned.task, this_processor())[0].default()
    ours: list[float] = []
    defaults: list[float] = []
    theirs: list[float] = []
    for _ in range(_ROUNDS):
        chosen, first = pool.retime(tuned.task, [tuned.chosen, default])
        ours.append(chosen.seconds or math.inf)
        defaults.append(first.seconds or math.inf)
        theirs.append(time_library(case.library))
    theirs = [seconds for seconds in theirs if seconds < math.inf] or [math.inf]
    best = statistics.median(ours)
    to_library, to_default = statistics.median(theirs) / best, statistics.median(defaults) / best
    rate = tuned.task.flops / best / 1e9
    print(
        f"{case.name:28s} {rate:7.1f} GFLOP/s, {to_library:5.2f}x library, {to_default:5.2f}x default,"
        f" {tuned.trials} trials, {dict(tuned.failures) or 'no failures'}",
        flush=True,
    )
    return to_library, to_default


def one_thread_without_presets() -> None:
    """Start again with one thread a library and no other `OPENBLAS_*` setting.

    Such presets pick other kernels than NumPy would for this core, and its threads start with it.
    """
    wanted = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    wanted |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if wanted != dict(os.environ):
        module = ["-m", "benchmarks.against_libraries"]
        os.execve(sys.executable, [sys.executable, *module, *sys.argv[1:]], wanted)


def main() -> None:
    """Run the comparison and print a line a case and the geometric means of the drawn ones."""
    one_thread_without_presets()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shapes", type=int, default=10)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    with Pool(core=core) as pool:
        print(f"FMA peak {pool.peak() / 1e9:.1f} GFLOP/s", flush=True)
        for case in (matmul(512, 512, 512), conv(56, 56, 64, 64, 3, 1)):
            compare(case, pool, options.trials, options.seconds, options.seed)
        ratios = [
            compare(case, pool, options.trials, options.seconds, options.seed)
            for case in drawn(random.Random(options.seed), options.shapes)
        ]
    if ratios:
        library, default = (statistics.geometric_mean(r[i] for r in ratios) for i in (0, 1))
        print(f"drawn shapes: {library:.2f}x library, {default:.2f}x default (geometric means)")


if __name__ == "__main__":
    main()
