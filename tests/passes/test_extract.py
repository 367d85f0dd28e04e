"""Kernels that harl-extract-tasks writes are what this package reads again as the same task."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harl_mlir.frontend.prepare import prepare
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.tasks.analyse import analyse
from harl_mlir.tasks.task import Task
from tests.passes.built import driver
from tests.passes.test_keys import GOLDEN, KINDS, SPLIT


def extract(text: str, directory: Path) -> dict[str, str]:
    """The kernels that harl-opt writes, by key."""
    command = [
        str(driver()), "-", "--split-input-file", "-o", "/dev/null",
        f"--pass-pipeline=builtin.module(harl-extract-tasks{{output-dir={directory}}})",
    ]  # fmt: skip
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {file.stem: file.read_text(encoding="utf-8") for file in directory.iterdir()}


def tasks(text: str) -> tuple[Task, ...]:
    with ir.Context(), ir.Location.unknown():
        return analyse(prepare(text, "k.mlir", accuracy="reassociate"), "k.mlir").tasks


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_has_the_key_in_its_name(kind: str, tmp_path: Path) -> None:
    kernels = list(KINDS[kind]())[::5]
    found = extract(SPLIT.join(kernels), tmp_path)
    originals = [task for kernel in kernels for task in tasks(kernel)]
    assert found.keys() == {task.key for task in originals}
    for key, text in found.items():
        (task,) = tasks(text)
        assert task.key == key
        assert task.function == "kernel"
        equal = [original for original in originals if original.key == key]
        assert task.arguments == equal[0].arguments
        assert text.splitlines()[0] in {f"// {task.label()}, workload {key}" for task in equal}


def test_golden_kernels_are_ready_to_tune(tmp_path: Path) -> None:
    text = SPLIT.join(kernel.read_text(encoding="utf-8") for kernel in sorted(GOLDEN.glob("*.mlir")))
    with Pool() as pool:
        for key, kernel in extract(text, tmp_path).items():
            (task,) = pool.analyse(kernel, f"{key}.mlir").tasks
            assert task.key == key
            assert kernel.startswith(f"// {task.label()}, workload {key}\n")
