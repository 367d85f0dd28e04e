from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.tasks.body import COMMUTATIVE, normalise
from harl_mlir.tasks.linalg_op import BodyOp

NAMES = ("arith.addf", "arith.mulf", "arith.subf", "arith.maximumf")


@st.composite
def bodies(draw: st.DrawFn) -> tuple[int, list[BodyOp], int]:
    arguments = draw(st.integers(1, 3))
    ops: list[BodyOp] = []
    for _ in range(draw(st.integers(0, 8))):
        values = st.integers(0, arguments + len(ops) - 1)
        ops.append(BodyOp(draw(st.sampled_from(NAMES)), (draw(values), draw(values)), "f32"))
    return arguments, ops, draw(st.integers(0, arguments + len(ops) - 1))


def evaluate(arguments: int, ops: list[BodyOp], yields: int) -> int:
    """The body over integers, in which the ops' algebra is exact."""
    values = [7 * i + 3 for i in range(arguments)]
    for op in ops:
        a, b = (values[v] for v in op.operands)
        values.append({"addf": a + b, "mulf": a * b, "subf": a - b, "maximumf": max(a, b)}[op.name[6:]])
    return values[yields]


def respelled(arguments: int, ops: list[BodyOp], yields: int, seed: int) -> tuple[list[BodyOp], int]:
    """The same body in another legal order, with operands of commutative ops swapped and a dead op."""
    choose = random.Random(seed)
    numbers = {v: v for v in range(arguments)}
    pending = list(range(len(ops)))
    out: list[BodyOp] = []
    while pending:
        ready = [i for i in pending if all(v in numbers for v in ops[i].operands)]
        i = choose.choice(ready)
        operands = [numbers[v] for v in ops[i].operands]
        if ops[i].name in COMMUTATIVE:
            choose.shuffle(operands)
        if choose.random() < 0.3:
            out.append(BodyOp("arith.subf", (0, 0), "f32"))
        numbers[arguments + i] = arguments + len(out)
        out.append(BodyOp(ops[i].name, tuple(operands), "f32"))
        pending.remove(i)
    return out, numbers[yields]


@settings(deadline=None, max_examples=200, derandomize=True)
@given(bodies(), st.integers(0, 1000))
def test_other_spellings_have_the_same_normal_form(body: tuple[int, list[BodyOp], int], seed: int) -> None:
    arguments, ops, yields = body
    normal, result = normalise(arguments, ops, yields)
    again, again_result = normalise(arguments, *respelled(arguments, ops, yields, seed))
    assert (again, again_result) == (normal, result)
    assert evaluate(arguments, list(normal), result) == evaluate(arguments, ops, yields)
    assert normalise(arguments, normal, result) == (normal, result)


def test_what_differs_in_meaning_stays_different() -> None:
    forms = [
        normalise(2, [BodyOp("arith.subf", (0, 1), "f32")], 2),
        normalise(2, [BodyOp("arith.subf", (1, 0), "f32")], 2),
        normalise(2, [BodyOp("arith.subf", (0, 1), "f64")], 2),
        normalise(2, [BodyOp("arith.subf", (0, 1), "f32", (("fastmath", "#arith.fastmath<fast>"),))], 2),
    ]
    assert len(set(forms)) == len(forms)


def test_deep_bodies() -> None:
    ops = [BodyOp("arith.mulf", (i, i), "f32") for i in range(5000)]
    normal, result = normalise(1, ops, 5000)
    assert (len(normal), result) == (5000, 5000)


def test_keys_need_no_bindings() -> None:
    code = "import sys, harl_mlir.tasks.key, harl_mlir.tasks.analysis; print('torch_mlir' in sys.modules)"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"
