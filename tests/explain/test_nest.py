"""Loop nests as people read them."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence

import pytest

from harl_mlir.explain.nest import Line, nest_lines, statement_text
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.space import candidate_of, nest_space, rules_for
from harl_mlir.space.sketches import sketches_for
from harl_mlir.space.sketches.cuts import shared_as
from harl_mlir.space.space import Space
from harl_mlir.tasks.loop_names import dimension_names
from harl_mlir.tasks.part import part_of
from harl_mlir.tasks.task import Task
from tests.space.sketches.single_op_tasks import PROCESSOR
from tests.space.sketches.test_contraction_space import conv, matmul
from tests.space.sketches.test_spaces import TASKS

_SOME = {
    **{name: task for name, (task, _) in TASKS.items()},
    "matmul": matmul(96, 80, 50),
    "conv": conv(16, 48, 30, 1, first=False),
}
_LOOP = re.compile(r"for (\w+)('*) in 0\.\.(\d+)(?: step (\d+))?")


def spaces_of(task: Task) -> list[Space]:
    nests = nest_space(task, PROCESSOR)
    return [*sketches_for(task, PROCESSOR), *([nests] if nests else [])]


def extents(lines: Sequence[Line], names: Sequence[str]) -> dict[str, int]:
    """How far the loops of each name reach, each inside a step of the one of that name around it."""
    left: dict[str, int] = {}
    total: dict[str, int] = {}
    for line in lines:
        found = _LOOP.fullmatch(line.text)
        if found is None:
            continue
        name, dashes, extent, step = found[1], found[2], int(found[3]), int(found[4] or 1)
        assert name in names
        if name in left:
            assert (extent, bool(dashes)) == (left[name], True)
        total.setdefault(name, extent)
        left[name] = step
    assert set(left.values()) <= {1}
    return total


@pytest.mark.parametrize("task", _SOME.values(), ids=_SOME)
def test_the_loops_go_through_every_point(task: Task) -> None:
    names = dimension_names(task.anchor_op)
    rng = random.Random(0)
    for space in spaces_of(task):
        for candidate in [space.default(), *(space.sample(rng) for _ in range(20))]:
            lines = nest_lines(task, space, candidate)
            assert extents(lines, names) == {
                name: extent for name, extent in zip(names, task.anchor_op.dims, strict=True) if extent > 1
            }
            depths = [line.depth for line in lines]
            assert depths[0] == 0
            assert all(after - before in (0, 1) for before, after in itertools.pairwise(depths))


def test_a_matmul() -> None:
    task = matmul(96, 80, 50)
    space = next(s for s in sketches_for(task, PROCESSOR) if s.sketch == "contraction")
    values = {"rows": 7, "vector": 32, "order": "BCVOR", "block": 0, "width": 0, "depth": 0, "unroll": 4}
    candidate = space.candidate({**space.default().assignment, **values})
    assert space.is_legal(candidate)
    assert [str(line) for line in nest_lines(task, space, candidate)] == [
        "for n in 0..80 step 32   # the last step has 16",
        "  for m in 0..96 step 7   # the last step has 5",
        "    for k in 0..50   # unrolled by 4",
        "      for m' in 0..7   # unrolled",
        "        for n' in 0..32   # 2 vectors of 16",
        "          C[m, n] += A[m, k] * B[k, n]",
    ]


def test_a_panel_leaves_the_loops_that_do_not_change_it() -> None:
    task = matmul(96, 80, 50)
    space = next(s for s in sketches_for(task, PROCESSOR) if s.sketch == "contraction_panels")
    values = {"rows": 6, "vector": 16, "order": "BCVOR", "depth": 0, "unroll": 1, "copy": "none"}
    candidate = space.candidate({**space.default().assignment, **values})
    assert space.is_legal(candidate)
    lines = [str(line) for line in nest_lines(task, space, candidate)]
    assert lines[:3] == [
        "for n in 0..80 step 16",
        "  copy 50x16 of B to lie together   # 3.12 KiB",
        "  for m in 0..96 step 6",
    ]


def test_threads_share_the_loops_around_all_others() -> None:
    task = matmul(96, 80, 50)
    space = sketches_for(task, PROCESSOR, threads=2)[0]
    values = {**space.default().assignment, "shared": "d0/2"}
    lines = nest_lines(task, space, space.candidate(values))
    assert str(lines[0]) == "for m in 0..96 step 48   # part by part, on threads if there are several"
    assert all(line.note != lines[0].note for line in lines[1:])
    lines = nest_lines(task, space, space.candidate({**values, "shared": "no"}))
    assert all("threads" not in line.note for line in lines)


def test_threads_share_the_loops_around_a_walked_nest() -> None:
    task = matmul(96, 80, 50)
    space = nest_space(part_of(task, {0: 2}) or task, PROCESSOR)
    assert space is not None
    shared = shared_as(space, "d0/2")
    candidate = shared.candidate({**shared.default().assignment, "nest": "0/7 1/16 2/1 0/1u 1/1v"})
    assert shared.is_legal(candidate)
    lines = [str(line) for line in nest_lines(task, shared, candidate)]
    assert lines[:3] == [
        "for m in 0..96 step 48   # part by part, on threads if there are several",
        "  for m' in 0..48 step 7   # the last step has 6",
        "    for n in 0..80 step 16",
    ]
    assert extents(nest_lines(task, shared, candidate), dimension_names(task.anchor_op)) == {
        "m": 96, "n": 80, "k": 50
    }  # fmt: skip


def test_a_walked_nest() -> None:
    task = matmul(96, 80, 50)
    rules = rules_for(task, PROCESSOR)
    space = nest_space(task, PROCESSOR)
    assert rules is not None
    assert space is not None
    candidate = candidate_of(parse((96, 80, 50), "0/7 1/16 2/1 0/1u 1/1v"), rules)
    assert [str(line) for line in nest_lines(task, space, candidate)] == [
        "for m in 0..96 step 7   # the last step has 5",
        "  for n in 0..80 step 16",
        "    for k in 0..50",
        "      for m' in 0..7   # unrolled",
        "        for n' in 0..16   # a vector of 16",
        "          C[m, n] += A[m, k] * B[k, n]",
    ]


def test_what_is_computed() -> None:
    convolution = conv(16, 48, 30, 2, first=False).anchor_op
    assert dimension_names(convolution) == ("f", "ow", "c", "kw")
    names = dimension_names(convolution)
    assert statement_text(convolution, names) == "C[ow, f] += A[2*ow + kw, c] * B[kw, c, f]"
    assert dimension_names(matmul(3, 4, 5).anchor_op) == ("m", "n", "k")


def test_a_transpose_in_blocks() -> None:
    task = TASKS["transposed"][0]
    (space,) = sketches_for(task, PROCESSOR)
    values = {**space.default().assignment, "width": 16, "rows": 16, "block": 32}
    for order, outer in (("result", "ab"), ("operand", "ba")):
        candidate = space.candidate({**values, "order": order})
        assert space.is_legal(candidate)
        whole = {"a": "64 step 32", "b": "513 step 32   # the last step has 1"}
        lines = [str(line).strip() for line in nest_lines(task, space, candidate)]
        assert lines == [
            *(f"for {name} in 0..{whole[name]}" for name in outer),
            *(f"for {name}' in 0..32 step 16" for name in outer),
            "for a'' in 0..16   # unrolled",
            "for b'' in 0..16   # a vector of 16",
            "C[a, b] = f(A[b, a])",
        ]
