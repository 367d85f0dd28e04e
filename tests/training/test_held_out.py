"""What the search is judged by is held out of training."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.held_out import example_kernels, recorded_workloads, space_kernels, suite_kernels, tasks_of
from harl_mlir.errors import InputError
from harl_mlir.measure.pool import Pool
from harl_mlir.training.held_out import HeldOut, encode, extended, load_held_out


def test_every_case_and_example_is_held_out() -> None:
    held = load_held_out().workloads
    with Pool() as pool:
        for name, text in (*suite_kernels(), *example_kernels(), *space_kernels()):
            for task in tasks_of(pool, name, text):
                assert name in held[task.key], "run `python -m benchmarks.held_out`"


def test_every_recorded_space_of_the_package_is_held_out() -> None:
    held = load_held_out().workloads
    for key, names in recorded_workloads().items():
        assert names <= set(held.get(key, ())), "run `python -m benchmarks.held_out`"


def test_a_list_only_grows(tmp_path: Path) -> None:
    held = HeldOut(workloads={"b": ["suite/one"], "a": ["suite/two"]})
    grown = extended(held, {"b": {"live/k"}, "c": {"live/l"}})
    assert grown.workloads == {"a": ["suite/two"], "b": ["live/k", "suite/one"], "c": ["live/l"]}
    path = tmp_path / "held_out.json"
    path.write_bytes(encode(grown))
    assert load_held_out(path) == grown


@pytest.mark.parametrize("text", [None, "{}[", '{"format": 2, "workloads": {}}', '{"workloads": {"a": 1}}'])
def test_a_bad_list_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "held_out.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError):
        load_held_out(path)
