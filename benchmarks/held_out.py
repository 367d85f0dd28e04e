"""`python -m benchmarks.held_out [NAME=KERNEL.mlir...] [--list FILE]`: no weights may be trained on these.

Adds the workload keys of the suite, the cases of live comparisons, those outside the range of training, the
examples, the recorded spaces (the kernels in `benchmarks/spaces` and the files that come with the package)
and the kernels named to `harl_mlir/weights/held_out.json`. Nothing is removed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.kernels import kernel_text
from benchmarks.suite import LIVE_FILE, OUTSIDE_FILE, SUITE_FILE, load_suite
from harl_mlir.accuracy import ACCURACIES
from harl_mlir.errors import InputError
from harl_mlir.files import read_mlir
from harl_mlir.lab import library
from harl_mlir.lab.recorded import load
from harl_mlir.measure.pool import Pool
from harl_mlir.tasks.task import Task
from harl_mlir.training.held_out import HELD_OUT_FILE, encode, extended, load_held_out

EXAMPLES = Path(__file__).parent.parent / "examples"
SPACES = Path(__file__).parent / "spaces"
Workloads = dict[str, set[str]]
"""Names by workload key."""


def workloads(kernels: Iterable[tuple[str, str]]) -> Workloads:
    """The keys of the tasks of kernels, given as name and text, under every accuracy."""
    held: Workloads = {}
    named = tuple(kernels)
    for accuracy in ACCURACIES:
        with Pool(accuracy=accuracy) as pool:
            for name, text in named:
                for task in tasks_of(pool, name, text):
                    held.setdefault(task.key, set()).add(name)
    return held


def tasks_of(pool: Pool, name: str, text: str) -> tuple[Task, ...]:
    """Those of a kernel; none of one that has nothing to tune."""
    try:
        return tuple(pool.analyse(text, name).tasks)
    except InputError:
        return ()


def suite_kernels() -> Iterator[tuple[str, str]]:
    """The cases of the suite, those of live comparisons, and those outside the range of training."""
    suites = {"suite": SUITE_FILE, "live": LIVE_FILE, "outside": OUTSIDE_FILE}
    return (
        (f"{name}/{case.name}", kernel_text(case)) for name in suites for case in load_suite(suites[name])
    )


def example_kernels() -> Iterator[tuple[str, str]]:
    """The examples that are kernels, not scripts."""
    texts = ((f"examples/{path.stem}", read_mlir(path)) for path in sorted(EXAMPLES.glob("*.mlir")))
    return ((name, text) for name, text in texts if "transform.named_sequence" not in text)


def space_kernels() -> Iterator[tuple[str, str]]:
    """The kernels of which spaces are recorded."""
    return ((f"spaces/{path.stem}", read_mlir(path)) for path in sorted(SPACES.glob("*.mlir")))


def recorded_workloads() -> Workloads:
    """The keys of the recorded spaces."""
    held: Workloads = {}
    for path in library.shipped():
        for task in load(path).tasks:
            held.setdefault(task.task.key, set()).add(f"spaces/{path.stem}")
    return held


def main() -> None:
    """Add to the list and say what is new."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.held_out", description=__doc__)
    parser.add_argument("kernels", nargs="*", metavar="NAME=KERNEL.mlir", help="further kernels")
    parser.add_argument("--list", type=Path, metavar="FILE", help="lines NAME = KERNEL.mlir")
    options = parser.parse_args()
    lines = options.list.read_text(encoding="utf-8").splitlines() if options.list else []
    pairs = [line.partition("=") for line in (*options.kernels, *lines) if line.strip()]
    named = [(name.strip(), read_mlir(Path(path.strip()))) for name, _, path in pairs]
    before = load_held_out()
    found = (
        workloads([*suite_kernels(), *example_kernels(), *space_kernels(), *named]),
        recorded_workloads(),
    )
    after = before
    for some in found:
        after = extended(after, some)
    HELD_OUT_FILE.write_bytes(encode(after))
    for key in sorted(set(after.workloads) - set(before.workloads)):
        print(f"new: {key} {', '.join(after.workloads[key])}")
    print(f"{len(after.workloads)} workloads are held out")


if __name__ == "__main__":
    main()
