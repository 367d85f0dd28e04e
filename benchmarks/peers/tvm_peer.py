"""TVM's MetaSchedule: 64 trials a case, stored as a trace that later runs rebuild without tuning.

A stored result is `CASE.PROCESSOR.json`: target, trials, the tuner's own best time, and the best trace.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tvm
from serve import Problem, Program, serve
from tvm.s_tir import Schedule
from tvm.s_tir.schedule import Trace
from tvm.target import Target
from tvm_tuning import store_tuned
from tvm_workloads import prim_func


def processor() -> str:
    """LLVM's name of this processor."""
    return str(tvm.target.codegen.llvm_get_system_cpu())


def host_target() -> Target:
    """This processor, one core."""
    return Target({"kind": "llvm", "mcpu": processor(), "num-cores": 1})


def load(problem: Problem) -> Program:
    """Rebuild the stored schedule of the case, or tune it and store that first."""
    function, shape = prim_func(problem.case, [array.shape for array in problem.inputs])
    module = tvm.IRModule({"main": function})
    path = stored_path(Path(problem.store), problem.case["name"])
    if not path.exists():
        store_tuned(path, module, host_target())
    stored = json.loads(path.read_text())
    schedule = Schedule(module)
    Trace.apply_json_to_schedule(stored["trace"], schedule)
    compiled = tvm.compile(schedule.mod, target=host_target())["main"]
    output = tvm.runtime.tensor(np.zeros(shape, np.float32))
    arguments = [*(tvm.runtime.tensor(array) for array in problem.inputs), output]

    def call() -> None:
        compiled(*arguments)

    return Program(call, output.numpy, stored["tuning_seconds"])


def stored_path(store: Path, case: str) -> Path:
    """Where the case's result for this processor lies."""
    return store / f"{case}.{processor()}.json"


if __name__ == "__main__":
    serve(tvm.__version__, load)
