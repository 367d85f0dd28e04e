"""The three stages of the comparison: their problems and contenders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.live_summary import METASCHEDULE
from benchmarks.suite import OUTSIDE_FILE, Case, load_suite, make_case
from harl_mlir.looptune.problems import Matmul, held_out_matmuls, stratified
from harl_mlir.measure.clock import CAREFUL, Sampling

HELD_OUT, SEARCHES, OUTSIDE = "held-out", "searches", "outside"
QUICK = Sampling(8, 0.0015)
"""Of the many and short kernels of the first stage."""


@dataclass(frozen=True)
class Stage:
    """Problems that the same contenders meet in.

    Attributes:
        contenders: in the order in which they decide; of those that coincide the first is timed.
        measured: whether its searches over nests go by measured time, not by the estimate.
        sampling: what a pass takes of each contender.
    """

    name: str
    cases: tuple[Case, ...]
    contenders: tuple[str, ...]
    measured: bool
    sampling: Sampling

    def key(self, case: Case) -> Case:
        """The case as the cells of this stage name it: problems occur in several."""
        return make_case({**case.fields, "name": f"{self.name}/{case.name}"})


def stages() -> tuple[Stage, ...]:
    """All of them, in order."""
    held_out = held_out_matmuls()
    return (
        Stage(
            HELD_OUT,
            _cases(held_out),
            ("scalar", "untuned", "product", "paper", "greedy", "beam", "random", "default", "numpy"),
            measured=False,
            sampling=QUICK,
        ),
        Stage(
            SEARCHES,
            _cases(stratified(held_out)),
            ("untuned", "product", "default", "greedy", "beam", "random", "harl", METASCHEDULE),
            measured=True,
            sampling=CAREFUL,
        ),
        Stage(
            OUTSIDE,
            load_suite(OUTSIDE_FILE),
            ("product", "default", "harl"),
            measured=True,
            sampling=CAREFUL,
        ),
    )


def _cases(problems: Sequence[Matmul]) -> tuple[Case, ...]:
    plain = {"class": HELD_OUT, "kind": "matmul", "quick": False, "batch": 0, "epilogue": ""}
    plain |= {"a_transposed": False, "b_transposed": False}
    return tuple(make_case({"name": p.name, "m": p.m, "n": p.n, "k": p.k, **plain}) for p in problems)
