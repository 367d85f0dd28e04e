"""Elementwise ops on tensors of i1 are vectorised, and right wherever a schedule is applied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harl_mlir.cli.main import main
from harl_mlir.measure.pool import Pool
from harl_mlir.space.sketches import sketches_for
from tests.mlir_opt import mlir_opt, needs_mlir_opt
from tests.schedule.sketches.legality import assert_legal, drawn, processor_with
from tests.schedule.sketches.mask_programs import mask_programs

_QUICK = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_DRAWN = (
    mask_programs(),
    st.sampled_from((16, 32, 64, 64)),
    st.sampled_from((None, 512)),
    st.integers(0, 1000),
)
"""A program, the bytes of a vector, those of the last cache (more is streamed), a seed."""


@pytest.fixture(scope="module")
def pool_of_two(all_cores: None) -> Iterator[Pool]:
    with Pool(threads=2) as shared:
        yield shared


@pytest.mark.parametrize("name", ["pool", "pool_of_two"])
def test_random_programs(request: pytest.FixtureRequest, name: str) -> None:
    chosen: Pool = request.getfixturevalue(name)
    sketches = []

    @_QUICK
    @given(*_DRAWN)
    def every_candidate_is_right(text: str, vector_bytes: int, cache: int | None, seed: int) -> None:
        sketches.append(assert_legal(chosen, text, "elementwise", 1, seed, vector_bytes, cache_bytes=cache))

    every_candidate_is_right()
    assert len([count for count in sketches if count]) >= len(sketches) // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pool", "pool_of_two"])
def test_many_random_programs(request: pytest.FixtureRequest, name: str) -> None:
    chosen: Pool = request.getfixturevalue(name)

    @settings(_QUICK, max_examples=300, derandomize=False)
    @given(*_DRAWN)
    def every_candidate_is_right(text: str, vector_bytes: int, cache: int | None, seed: int) -> None:
        assert_legal(chosen, text, "elementwise", 2, seed, vector_bytes, cache_bytes=cache)

    every_candidate_is_right()


_SELECTED = """func.func @k(%m: tensor<24x100xi1>, %x: tensor<24x100xf32>, %b: tensor<100xf32>)
    -> tensor<24x100xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<24x100xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%m, %x, %b : tensor<24x100xi1>, tensor<24x100xf32>, tensor<100xf32>)
      outs(%e : tensor<24x100xf32>) {
  ^bb0(%c: i1, %v: f32, %w: f32, %o: f32):
    %s = arith.addf %v, %w : f32
    %y = arith.select %c, %s, %z : f32
    linalg.yield %y : f32
  } -> tensor<24x100xf32>
  return %r : tensor<24x100xf32>
}"""


@needs_mlir_opt
def test_a_compiler_without_our_lowering_is_left_without_vectors_of_masks(pool: Pool, tmp_path: Path) -> None:
    """It would read them as packed bits. `tests/cli/test_record_commands.py` runs what it makes."""
    (task,) = pool.analyse(_SELECTED, "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    library = tmp_path / "library.mlir"
    for candidate in drawn(space, 6, 1):
        library.write_text(pool.library([(task, candidate)]))
        load = f"--transform-preload-library=transform-library-paths={library}"
        applied = mlir_opt(_SELECTED, load, "--transform-interpreter")
        assert "scf.for" in applied
        assert "harl.vector" in applied
        assert "vector<" not in applied


def test_masks_are_vectorised(pool: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In pieces of the width, of its tail and of what is left, as numbers are."""
    (task,) = pool.analyse(_SELECTED.replace("100", "116"), "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    kernel, library = tmp_path / "kernel.mlir", tmp_path / "library.mlir"
    kernel.write_text(_SELECTED.replace("100", "116"))
    library.write_text(pool.library([(task, space.default())]))
    steps = f"harl-apply-schedules{{library={library}}},harl-vectorize-marked"
    assert main(["opt", str(kernel), f"--pass-pipeline=builtin.module({steps})"]) == 0
    made = capsys.readouterr().out
    reads = re.findall(r"vector.transfer_read .*tensor<24x116xi1>, vector<(\d+)xi1>", made)
    assert (space.default().number("width"), reads) == (32, ["32", "16", "4"])
    assert "linalg." not in made
