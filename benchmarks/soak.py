"""Whether tuned kernels keep their memory: `python -m benchmarks.soak [--calls N]`.

Kernels with buffers of their own (packed panels, tiles with an epilogue, transposed copies) are built,
checked and called a million times each; the resident memory before and how far it grew is told.
It ends with 1 if any grew by more than a megabyte.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from random import Random

from benchmarks.kernels import kernel_text
from benchmarks.suite import make_case
from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.build import build
from harl_mlir.measure.check import TaskBench
from harl_mlir.measure.process import resident_bytes
from harl_mlir.mlir import ir
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Value
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.analyse import analyse
from harl_mlir.tasks.task import Task

_ALLOWED_GROWTH = 1 << 20
_DRAWS = 1000
_BLOCK = 1000
_MATMUL = {
    "kind": "matmul", "m": 25, "n": 47, "k": 19, "batch": 0, "a_transposed": False, "b_transposed": False,
    "epilogue": "",
}  # fmt: skip
_CONV = {
    "kind": "conv", "batch": 1, "spatial": [7, 7], "channels": 5, "filters": 18, "kernel": 3, "stride": 1,
    "padding": 1, "layout": "channels_first", "groups": 1, "depthwise": False, "epilogue": "",
}  # fmt: skip
_KERNELS: Mapping[str, tuple[Mapping[str, object], Mapping[str, Value]]] = {
    "packed matmul": (_MATMUL, {"pack": "panels"}),
    "matmul of copied blocks": ({**_MATMUL, "k": 32}, {"depth": 16, "pack": "block", "copy": "block"}),
    "transposed matmul": ({**_MATMUL, "b_transposed": True}, {}),
    "matmul with bias and ReLU": ({**_MATMUL, "epilogue": "bias_relu"}, {}),
    "convolution, channels first": (_CONV, {"along": "across"}),
}
"""By name: the case, and decisions that the candidate should make."""


def main() -> int:
    """Soak every kernel; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000, help="calls of each kernel (default 1000000)")
    calls = parser.parse_args().calls
    grown = [_soak(name, calls) for name in _KERNELS]
    return 1 if max(grown) > _ALLOWED_GROWTH else 0


def _soak(name: str, calls: int) -> int:
    fields, wanted = _KERNELS[name]
    case = make_case({"name": name, "class": "", "quick": False, **fields})
    with ir.Context(), ir.Location.unknown():
        (task,) = analyse(prepare(kernel_text(case), name), name).tasks
    bench = TaskBench(task)
    kernel = build(task, bench.result_types, _candidate(task, wanted), None)
    call = bench.fresh_call(kernel)
    call(1)
    failure = bench.verdict(kernel)
    if failure is not None:
        raise RuntimeError(f"{name}: {failure.message}")
    call(_BLOCK)
    before = resident_bytes(os.getpid())
    for _ in range(calls // _BLOCK):
        call(_BLOCK)
    growth = resident_bytes(os.getpid()) - before
    print(f"{name}: {calls // _BLOCK * _BLOCK} calls, {before} bytes before, {growth:+d} after")
    return growth


def _candidate(task: Task, wanted: Mapping[str, Value]) -> Candidate:
    """A default with the decisions wanted, or the first legal draw that makes them."""
    random = Random(0)
    for space in sketches_for(task, this_processor()):
        known = {decision.name: decision.values for decision in space.decisions}
        if any(value not in known.get(name, ()) for name, value in wanted.items()):
            continue
        changed = space.candidate({**space.default().assignment, **wanted})
        for candidate in (changed, *(space.sample(random) for _ in range(_DRAWS))):
            if space.is_legal(candidate) and all(candidate[n] == value for n, value in wanted.items()):
                return candidate
    raise RuntimeError(f"no candidate of {task.label()} makes the decisions {dict(wanted)}")


if __name__ == "__main__":
    sys.exit(main())
