"""How closely a schedule has to keep to the arithmetic of the function it schedules."""

from __future__ import annotations

from typing import Literal, get_args

Accuracy = Literal["reassociate", "strict", "approximate"]
"""What a schedule, and the lowering, may do to floating-point arithmetic.

`strict`: nothing. The results are those of the untuned function bit for bit (a NaN is a NaN, whatever its
    payload): every sum in the order of the source's reduction loops, every operation rounded by itself.
`reassociate`: sums and products of a reduction in any order, sums of f16 and bf16 in f32 and rounded at the
    end, and a multiplication and the addition of its result as one operation, rounded once; products with
    inserted zeros are left out; functions of vectors are the system's vector math library's, off by at most
    4 units in the last place. Nothing else: NaNs and infinities are kept; but of a row with a NaN arg-max
    gives the first NaN or infinity.
`approximate`: as `reassociate`, and exp, log, tanh and erf in single precision, or less, are polynomials
    within 2.5 units in the last place instead of calls of the math library, and so is GELU as a whole (see
    `codegen/approximate.mlir`).
"""

ACCURACIES: tuple[Accuracy, ...] = get_args(Accuracy)
DEFAULT_ACCURACY: Accuracy = "reassociate"
