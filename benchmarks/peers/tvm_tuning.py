"""MetaSchedule's search on one core, without TVM's import of every processor's tensor intrinsics.

That import takes 15 s, once in the tuner and once more in each builder; only those of x86 can apply here.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import tempfile
import time
import types
from pathlib import Path

import cloudpickle
import tvm
from tvm import tirx
from tvm.s_tir import meta_schedule as ms
from tvm.target import Target

TRIALS = 64
TRIALS_A_ROUND = 16  # so that the cost model learns three times
SEED = 1


def x86_intrinsics_only() -> None:
    """Stand in for the package `tvm.s_tir.tensor_intrin`, in this process, with its x86 part alone."""
    name = "tvm.s_tir.tensor_intrin"
    if name in sys.modules:
        return
    package = types.ModuleType(name)
    package.__path__ = [str(Path(tvm.__file__).parent / "s_tir" / "tensor_intrin")]
    sys.modules[name] = package
    importlib.import_module(name + ".x86")


def store_tuned(path: Path, module: tvm.IRModule, target: Target) -> None:
    """Tune and write the best trace.

    Raises:
        RuntimeError: no trial ran.
    """
    started = time.perf_counter()
    logging.getLogger("tvm.s_tir.meta_schedule").setLevel(logging.WARNING)
    x86_intrinsics_only()
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # builders do not find this folder
    with tempfile.TemporaryDirectory() as folder:
        database = ms.tune_tir(
            module,
            target,
            folder,
            max_trials_global=TRIALS,
            num_trials_per_iter=TRIALS_A_ROUND,
            num_tuning_cores=1,
            seed=SEED,
            builder=ms.builder.LocalBuilder(max_workers=1, initializer=x86_intrinsics_only),
        )
        records = database.get_all_tuning_records()
        timed = [(seconds, record) for record in records if (seconds := _seconds(record)) < 1e9]
        if not timed:
            raise RuntimeError("MetaSchedule found no schedule that runs.")
        seconds, best = min(timed, key=lambda pair: pair[0])
        stored = {
            "tvm": tvm.__version__,
            "target": str(target),
            "trials": len(records),
            "tuning_seconds": round(time.perf_counter() - started, 1),
            "best_seconds_of_the_tuner": seconds,
            "trace": best.trace.as_json(),
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(json.dumps(stored, separators=(",", ":"), default=_plain) + "\n")
    unfinished.replace(path)


def _seconds(record: ms.database.TuningRecord) -> float:
    times = [float(value) for value in record.run_secs or ()]
    return sum(times) / len(times) if times else float("inf")


def _plain(value: tirx.IntImm | tirx.FloatImm) -> int | float:
    """A constant of TVM's, of those a trace's JSON is left with."""
    if isinstance(value, tirx.IntImm | tirx.FloatImm):
        return value.value
    raise TypeError(f"{type(value).__name__} in a trace")
