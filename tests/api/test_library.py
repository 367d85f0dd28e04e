"""`harl_mlir.ScheduleLibrary`: what it tells of itself, applying and saving."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import harl_mlir
from harl_mlir.api import ScheduleLibrary, Tuned
from harl_mlir.errors import InputError
from harl_mlir.processor import this_processor
from tests.api.conftest import MATMUL

SCRIPT = """
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op) {
    %op = transform.structured.match ops{["linalg.matmul"]} in %root
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_for %op tile_sizes [8]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
"""


def test_a_library_read_from_text_or_a_file_tells_what_the_tuner_knew(tuned: Tuned, tmp_path: Path) -> None:
    file = tmp_path / "l.mlir"
    tuned.library.save(file)
    assert [p.name for p in tmp_path.iterdir()] == ["l.mlir"]
    for library in (ScheduleLibrary(file), ScheduleLibrary(tuned.library.text)):
        assert library == tuned.library
        assert library.entries == tuned.library.entries
        assert len(library) == 1
        assert [entry.label for entry in library] == ["matmul 24x32x16 f32"]
        assert (library.processor, library.features) == (this_processor().name, this_processor().features)
        assert (library.accuracy, library.threads) == ("reassociate", 1)


def test_saving_leaves_what_was_there_if_it_fails(tuned: Tuned, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"the output cannot be written: it is a directory; name another file$"
    ):
        tuned.library.save(tmp_path)


def test_every_op_is_told_of(tuned: Tuned) -> None:
    other = MATMUL.replace("product", "other").replace("16", "8")
    applied = tuned.library.apply(MATMUL + other)
    assert [outcome.matched for outcome in applied.outcomes] == [True, False]
    assert applied.outcomes[1].place.startswith("kernel:")
    assert not any(o.matched for o in tuned.library.apply(MATMUL + other, function="other").outcomes)


def test_two_libraries_become_one(tuned: Tuned) -> None:
    other = MATMUL.replace("16", "8")
    both = tuned.library | harl_mlir.tune(other, trials=0).library
    assert [entry.label for entry in both] == ["matmul 24x32x16 f32", "matmul 24x32x8 f32"]
    program = MATMUL + other.replace("product", "other")
    assert [outcome.matched for outcome in both.apply(program).outcomes] == [True, True]
    with pytest.raises(InputError, match="the right library: this is no schedule library"):
        _ = both | ScheduleLibrary(SCRIPT)


def test_a_script_of_ones_own_is_applied_but_tells_nothing_of_itself() -> None:
    script = ScheduleLibrary(SCRIPT)
    assert "step %" in script.apply(MATMUL).text
    with pytest.raises(InputError, match=r"library: this is no schedule library; give one that `tune` wrote"):
        _ = script.entries


def test_bad_text_is_refused_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.mlir"
    file.write_text("module {\n  oops\n}")
    with pytest.raises(InputError, match=r"bad.mlir:2:3: not valid MLIR"):
        len(ScheduleLibrary(file))
    with pytest.raises(InputError, match=r"bad.mlir:2:3: not valid MLIR"):
        ScheduleLibrary(file).apply(MATMUL)


def test_several_threads_apply_at_once(tuned: Tuned) -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(tuned.library.apply(MATMUL).text)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [tuned.module] * 2


def test_a_child_after_a_fork_applies_too(tuned: Tuned) -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int(tuned.library.apply(MATMUL).text != tuned.module)
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    assert ended == 0
