"""The marks that a code generator makes."""

from __future__ import annotations

import pytest

from harl_mlir.space.nest.code_generator import generated
from harl_mlir.space.nest.nest import parse
from harl_mlir.space.nest.rules import NestRules
from tests.space.sketches.test_contraction_space import matmul


@pytest.mark.parametrize(
    ("dims", "given", "made"),
    [
        # Two registers are the vector; three of them fit; 80 products are too many for a body.
        ((64, 96, 80), "0/1 2/1 1/1", "0/1 2/1 1/32u 1/1v"),
        # Sums are kept in one vector, and added up at the end.
        ((64, 96, 80), "0/1 1/1 2/1", "0/1 1/1 2/32 2/1v"),
        # The tile has 8 rows of two registers; the loops around it are too long.
        ((64, 96, 80), "0/8 2/1 0/1 1/1", "0/8 2/1 0/1 1/32u 1/1v"),
        ((64, 96, 80), "0/8 1/32 2/1 0/1 1/1", "0/8 1/32 2/1 0/1u 1/1v"),
        # Four products are unrolled around the tile, so the body has 64 operations.
        ((64, 96, 80), "0/8 1/32 2/4 2/1 0/1 1/1", "0/8 1/32 2/4 2/1u 0/1u 1/1v"),
        # Rows of C are not along m.
        ((64, 96, 80), "1/1 2/1 0/1", "1/1 2/1 0/1"),
        # One whole register would be no loop; three halves are.
        ((64, 24, 80), "0/1 2/1 1/1", "0/1 2/1 1/8u 1/1v"),
        # As long as a register, or shorter.
        ((64, 7, 80), "0/1 2/1 1/1", "0/1 2/1 1/1v"),
    ],
)
def test_marks(dims: tuple[int, int, int], given: str, made: str) -> None:
    rules = NestRules(matmul(*dims).anchor_op, 16, 32)
    assert generated(parse(dims, given), rules).text() == made
