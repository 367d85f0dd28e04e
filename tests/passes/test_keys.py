"""The keys that the C++ passes give are those of Python, on the golden corpus and on generated kernels."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from harl_mlir.frontend.prepare import prepare
from harl_mlir.mlir import ir
from harl_mlir.tasks.analyse import analyse
from tests.frontend import copy_programs, row_programs
from tests.frontend.test_row_forms import ARG_MAXES, ARG_MAXES_OF_INTEGERS
from tests.frontend.test_wide_sums import LEFT, WIDENED
from tests.passes import body_kernels, group_kernels, named_kernels, operand_kernels
from tests.passes.built import driver
from tests.schedule.sketches import chain_kernels, fused_kernels, row_kernels

GOLDEN = Path(__file__).parents[1] / "tasks" / "golden"
SPLIT = "\n// -----\n"
KINDS = {
    "products": lambda: named_kernels.products(),
    "windows": lambda: named_kernels.windows(),
    "elementwise": lambda: named_kernels.elementwise(),
    "single ops": lambda: body_kernels.single_ops(),
    "constants": lambda: body_kernels.constants(),
    "powers": lambda: body_kernels.powers(),
    "random bodies": lambda: body_kernels.random_bodies(150, seed=1),
    "random programs": lambda: group_kernels.random_programs(150, seed=2),
    "reductions": lambda: group_kernels.reductions(),
    "sums of half precision": lambda: [*WIDENED.values(), *LEFT.values()],
    "row operations": lambda: [row_kernels.random_program(seed) for seed in range(60)],
    "chains": lambda: [chain_kernels.random_program(seed) for seed in range(150)],
    "products among elementwise ops": lambda: [fused_kernels.random_program(seed) for seed in range(150)],
    "torch-mlir's row operations": lambda: row_programs.TORCH.values(),
    "row operations with kept dimensions": lambda: [row_programs.keepdims(seed) for seed in range(80)],
    "padding, concatenation and slices": lambda: [copy_programs.random_program(s) for s in range(150)],
    "places of the greatest": lambda: [*ARG_MAXES, *ARG_MAXES_OF_INTEGERS],
    "permuted operands": lambda: [operand_kernels.permuted(seed) for seed in range(100)],
    "padded operands": lambda: [operand_kernels.padded(seed) for seed in range(100)],
    "left alone": lambda: group_kernels.left_alone(),
}

Keys = Counter[str]
"""How often each key occurs."""
Reasons = Counter[tuple[str, str]]
"""How often an op of each name is left alone for each reason."""


def annotate(kernels: list[str]) -> tuple[list[Keys], Reasons]:
    """The keys that harl-opt puts on each kernel, and the ops it leaves alone in all of them."""
    command = [
        str(driver()), "-", "--split-input-file", "--remarks-filter-missed=harl.*",
        "--pass-pipeline=builtin.module(harl-annotate-workloads)",
    ]  # fmt: skip
    done = subprocess.run(command, input=SPLIT.join(kernels), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, [line for line in done.stderr.splitlines() if "error:" in line]
    found = [Counter(re.findall(r'harl\.workload = "(\w+)"', text)) for text in done.stdout.split("// -----")]
    remarks = re.findall(r'NotTunable .*\| Op=(\S+), Reason="?(.*?)"?$', done.stderr, re.MULTILINE)
    return found, Counter(remarks)


def expected(kernels: list[str]) -> tuple[list[Keys], Reasons]:
    """The same by this package, tasks whose results cannot be checked included."""
    found = []
    for text in kernels:
        with ir.Context(), ir.Location.unknown():
            found.append(analyse(prepare(text, "k.mlir", accuracy="reassociate"), "k.mlir"))
    keys = [Counter({task.key: task.weight for task in analysis.tasks}) for analysis in found]
    return keys, Counter((op.op, op.reason) for analysis in found for op in analysis.skipped)


@pytest.mark.parametrize("kind", KINDS)
def test_generated_kernels(kind: str) -> None:
    kernels = list(KINDS[kind]())
    keys, reasons = annotate(kernels)
    python_keys, python_reasons = expected(kernels)
    assert len(keys) == len(python_keys)
    for kernel, ours, theirs in zip(kernels, keys, python_keys, strict=True):
        assert ours == theirs, kernel
    assert reasons == python_reasons
    # The kernels differ, or the test says little.
    assert len({key for found in keys for key in found}) + len(reasons) > len(kernels) / 3


@pytest.mark.parametrize("kernel", sorted(GOLDEN.glob("*.mlir")), ids=lambda path: path.stem)
def test_golden_corpus(kernel: Path) -> None:
    (keys,), _ = annotate([kernel.read_text(encoding="utf-8")])
    lines = kernel.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    known = Counter({line.split()[1]: int(line.split()[4]) for line in lines if line.startswith("key ")})
    if kernel.stem == "matmuls":
        known["10c372796884c063"] -= 1  # the spelling on memrefs, which the pass does not raise
    assert keys == known
