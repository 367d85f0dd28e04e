"""Random kernels whose schedules share: the same results on any number of threads, for several callers."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from harl_mlir.codegen.interface import CFunction
from harl_mlir.export.loaded import Array, LoadedFunction, dtype_of, load
from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.cuts import cuts_of
from harl_mlir.space.space import Space
from tests.schedule.sketches import chain_kernels, test_elementwise, test_reduction, test_window
from tests.schedule.sketches.contractions import contractions, convolutions
from tests.schedule.sketches.loop_nests import LoopNest
from tests.schedule.sketches.row_kernels import random_program
from tests.threads import NEEDS_THREADS

pytestmark = NEEDS_THREADS

_CALLS = 4
_DRAWS = 8


@pytest.fixture(scope="module")
def two(all_cores: None) -> Iterator[Pool]:
    with Pool(threads=2) as pool:
        yield pool


def _text(nest: LoopNest) -> str:
    return nest.text


_SEEDS = st.integers(0, 1 << 30)
_ROWS = st.tuples(_SEEDS, st.sampled_from([(6,), (8,), (2, 3), (37,)]), st.sampled_from((7, 16, 40, 100)))
_KERNELS = st.one_of(
    contractions().map(_text),
    convolutions().map(_text),
    test_elementwise.nests().map(_text),
    test_reduction.nests().map(_text),
    test_window.nests().map(_text),
    _ROWS.map(lambda drawn: random_program(*drawn)),
    _SEEDS.map(chain_kernels.random_program),
)


@st.composite
def _programs(draw: st.DrawFn) -> str:
    """Up to three kernels in one module."""
    texts = draw(st.lists(_KERNELS, min_size=1, max_size=3))
    return "".join(re.sub(r"func\.func @\w+", f"func.func @f{i}", text) for i, text in enumerate(texts))


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(_programs(), _SEEDS, st.sampled_from((2, 2, 3, 5)), st.integers(1, 3))
def test_results_are_the_same_to_the_bit(two: Pool, text: str, seed: int, threads: int, callers: int) -> None:
    rng = random.Random(seed)
    tasks = two.analyse(text, "kernel.mlir").tasks
    entries = [(task, _drawn(sketches_for(task, this_processor(), threads=2), rng)) for task in tasks]
    assume(any(candidate is not None and cuts_of(candidate) for _, candidate in entries))
    taken = [(task, candidate) for task, candidate in entries if candidate is not None]
    for task, candidate in taken:
        failure = two.verify(task, candidate, run=True)
        assert failure is None, f"{failure}\n{candidate.values}\n{task.kernel}"
    library = two.library(taken)
    compiled = two.compile(text, "kernel.mlir", library)
    alone = load(compiled.object, compiled.functions)
    compiled = two.compile(text, "kernel.mlir", library, threads=threads)
    assert b"__kmpc_fork_call" in compiled.object
    shared = load(compiled.object, compiled.functions)
    given = {function.name: _arguments(function, seed) for function in compiled.functions}
    wanted = {name: _called(alone[name], arrays) for name, arrays in given.items()}
    wrong: list[str] = []

    def use() -> None:
        for _ in range(_CALLS):
            wrong.extend(n for n, arrays in given.items() if _called(shared[n], arrays) != wanted[n])

    users = [threading.Thread(target=use) for _ in range(callers)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert not wrong, f"{wrong}\n{[candidate.values for _, candidate in taken]}\n{text}"


def _drawn(spaces: tuple[Space, ...], rng: random.Random) -> Candidate | None:
    """A candidate that shares, if one is soon found; None where no sketch applies."""
    if not spaces:
        return None
    space = rng.choice(spaces)
    found = [space.sample(rng) for _ in range(_DRAWS)]
    return next((candidate for candidate in found if cuts_of(candidate)), space.default())


def _arguments(function: CFunction, seed: int) -> list[Array]:
    rng = np.random.default_rng(seed)
    arrays: list[Array] = []
    for parameter in function.parameters:
        if parameter.role == "in":
            dtype, shape = dtype_of(parameter.type.element), parameter.type.shape
            if dtype.kind == "f":
                arrays.append(rng.standard_normal(shape).astype(dtype))
            else:
                # Of bf16, whose bits these are, numbers between 0.5 and 2.
                least, most = (0x3F00, 0x4000) if parameter.type.element == "bf16" else (0, 100)
                arrays.append(rng.integers(least, most, shape).astype(dtype))
    return arrays


def _called(function: LoadedFunction, arrays: list[Array]) -> list[bytes]:
    result = function(*arrays)
    assert result is not None
    return [array.tobytes() for array in (result if isinstance(result, tuple) else (result,))]
