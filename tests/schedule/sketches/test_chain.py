"""Chains of products and row operations are one task, and every candidate of their sketch is right."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import this_processor
from harl_mlir.space.nest.space import nest_space
from harl_mlir.space.sketches import sketches_for
from tests.schedule.sketches import chain_kernels as k
from tests.schedule.sketches.legality import assert_legal, drawn, processor_with

_KERNELS = {
    "attention": k.attention((3, 32, 48, 16, 16)),
    "attention that divides late, its result turned": k.attention(
        (2, 48, 33, 8, 24), late=True, result="qbv"
    ),
    "attention over a prime number of keys": k.attention((2, 16, 197, 8, 8)),
    "attention with turned keys": k.attention((2, 32, 64, 16, 16), keys="bdk", late=True),
    "attention without a batch": k.attention((1, 64, 32, 16, 16), batch="", keys="kd", values="kv"),
    "attention of doubles": k.attention((2, 32, 32, 8, 8), element="f64"),
    "product and softmax": k.product_and_rows(32, 64, 24, norm=False),
    "product and normalisation": k.product_and_rows(48, 131, 16, norm=True),
}


@pytest.mark.parametrize("name", _KERNELS)
def test_chains(pool: Pool, name: str) -> None:
    text = _KERNELS[name]
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, processor_with(64))
    assert space.sketch == "chain"
    assert nest_space(task, processor_with(64)) is None
    block = space.decisions[0]
    assert {0} < set(block.values)
    for value in block.values:
        values = {**space.default().assignment, "block": value}
        assert space.is_legal(space.candidate(values)), "parts that one block does not allow"
    for candidate in drawn(space, 3, 1):
        assert pool.measure(task, candidate).ok, candidate.values


@pytest.mark.parametrize("late", [False, True])
def test_chains_to_the_bit(strict_pool: Pool, late: bool) -> None:
    """Sums that are no part of a row operation, as those of a late division, stay loops."""
    assert assert_legal(strict_pool, k.attention((3, 32, 48, 16, 16), late=late), "chain", 2, 1) == 1


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 30))
def test_random_programs(pool: Pool, seed: int) -> None:
    assert_legal(pool, k.random_program(seed), "", 1, seed)


def test_most_random_programs_hold_a_chain(pool: Pool) -> None:
    tasks = [task for seed in range(20) for task in pool.analyse(k.random_program(seed), "k.mlir").tasks]
    found = [task for task in tasks if any(s.sketch == "chain" for s in sketches_for(task, this_processor()))]
    assert len(found) >= 6
