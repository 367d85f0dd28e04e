"""How long a thousand candidates take to score: `python -m benchmarks.scoring [KERNEL.mlir...]`.

For every space of every task of the kernels (by default those of `examples/`), in milliseconds of processor
time (so that others on the machine do not count), the median of twenty: the loop nests and their columns
alone, and all that a search does, from decisions to the cost model's scores. Nothing is kept from one time to
the next. It ends with 1 if any takes more than 50 ms.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harl_mlir.files import read_mlir
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.search.cost_model import CostModel
from harl_mlir.search.features import SpaceFeatures
from harl_mlir.search.lattice import Lattice, States
from harl_mlir.search.settings import Settings
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.space import Space
from harl_mlir.tasks.task import Task

_CANDIDATES = 1000
_MEASURED = 64
_TIMES = 20
_MOST_MILLISECONDS = 50.0
_EXAMPLES = Path(__file__).parent.parent / "examples"


def main() -> int:
    """Print a line a space; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("kernels", nargs="*", type=Path, metavar="KERNEL.mlir")
    kernels = parser.parse_args().kernels or [
        path for path in sorted(_EXAMPLES.glob("*.mlir")) if "schedule" not in path.stem
    ]
    slowest = 0.0
    with Pool() as pool:
        for path in kernels:
            for task in pool.analyse(read_mlir(path), str(path)).tasks:
                for space in sketches_for(task, this_processor()):
                    slowest = max(slowest, _time(task, space))
    return 1 if slowest > _MOST_MILLISECONDS else 0


def _time(task: Task, space: Space) -> float:
    rng = np.random.default_rng(0)
    lattice = Lattice(space)
    states = rng.integers(0, lattice.sizes, size=(_CANDIDATES, len(lattice.sizes)))
    model = CostModel(Settings(), 0)
    model.fit(
        SpaceFeatures(task, space).model_rows(states[:_MEASURED]), rng.random(_MEASURED, dtype=np.float32)
    )
    nests = _median(lambda: SpaceFeatures(task, space).nest_rows(states))
    scores = _median(lambda: _score(task, space, model, states))
    print(f"{task.label():40} {space.sketch:28} nests {nests:5.1f} ms, scores {scores:5.1f} ms")
    return scores


def _score(task: Task, space: Space, model: CostModel, states: States) -> object:
    return model.scores(SpaceFeatures(task, space).model_rows(states))


def _median(call: Callable[[], object]) -> float:
    """Milliseconds of a call; of processor time, all threads together."""
    times: list[float] = []
    for _ in range(_TIMES):
        started = time.process_time()
        call()
        times.append(1e3 * (time.process_time() - started))
    return float(np.median(times))


if __name__ == "__main__":
    sys.exit(main())
