"""Guarded buffers: where they lie and what they notice. What touches guards runs in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.measure.operands import (
    Arguments,
    GuardedBuffer,
    OperandSet,
    Placement,
    exact,
    seeded_arguments,
    stored,
)
from harl_mlir.measure.protocol import OUT_OF_BOUNDS_EXIT
from harl_mlir.tasks.linalg_op import LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task, TensorType

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("placement", ["start", "end"])
@pytest.mark.parametrize(
    ("shape", "element"),
    [((), "f64"), ((3, 5), "f32"), ((64, 64), "f32"), ((7,), "i8"), ((1025,), "f64"), ((5,), "i1")],
)
def test_buffers_are_aligned_between_their_guards(
    shape: tuple[int, ...], element: str, placement: Placement
) -> None:
    buffer = GuardedBuffer(TensorType(shape, element), placement)
    (_, front), (behind, _) = buffer.guards
    assert buffer.array.shape == shape
    assert buffer.address % 64 == 0
    assert buffer.array.flags.c_contiguous
    end = buffer.address + buffer.array.nbytes
    assert front <= buffer.address
    assert end <= behind
    assert buffer.address == front if placement == "start" else behind - end < 64
    assert buffer.slack_intact()


def test_writes_into_the_slack_show() -> None:
    buffer = GuardedBuffer(TensorType((3,), "f32"), "end")
    stretch = np.lib.stride_tricks.as_strided(buffer.array, shape=(4,))
    assert np.isnan(stretch[3])
    stretch[3] = 1
    assert not buffer.slack_intact()
    buffer.spoil()
    assert np.isnan(buffer.array).all()


def test_large_buffers_may_have_huge_pages() -> None:
    buffer = GuardedBuffer(TensorType((2 << 20,), "f32"), "start")
    flags = _mapping_flags(buffer.address)
    assert "hg" in flags or not Path("/sys/kernel/mm/transparent_hugepage").exists()
    # Of shared memory the kernel makes none, whatever it is asked for.
    assert "sh" not in flags


def _mapping_flags(address: int) -> list[str]:
    """What the kernel says of the mapping that an address is in."""
    inside = False
    for line in Path("/proc/self/smaps").read_text(encoding="ascii").splitlines():
        first, _, rest = line.partition(" ")
        if "-" in first:
            start, end = (int(each, 16) for each in first.split("-"))
            inside = start <= address < end
        elif inside and first == "VmFlags:":
            return rest.split()
    raise AssertionError("the address is in no mapping")


@pytest.mark.parametrize("sign", [1, -1])
def test_bf16_is_rounded_to_nearest(sign: int) -> None:
    bits = np.arange(0x7F80, dtype=np.uint16)
    values = sign * exact(bits, "bf16")
    assert (exact(stored(values, "bf16"), "bf16") == values).all()
    halves = (values[:-1] + values[1:]) / 2
    even = values[(np.arange(1, 0x7F80) // 2) * 2]
    assert (exact(stored(halves, "bf16"), "bf16") == even).all()
    # Closer than single precision can tell.
    above = halves * (1 + 2.0**-50)
    assert (exact(stored(above, "bf16"), "bf16") == values[1:]).all()
    below = halves * (1 - 2.0**-50)
    assert (exact(stored(below, "bf16"), "bf16") == values[:-1]).all()
    special = exact(stored(np.array([np.nan, sign * np.inf]), "bf16"), "bf16")
    assert np.isnan(special[0])
    assert special[1] == sign * np.inf


def task() -> Task:
    operand = Operand((4,), "f32", ((1, 0),))
    op = LinalgOp("linalg.generic", (4,), ("parallel",), (operand, operand), (), 0)
    members = (Member(op, (Source("argument", 0), Source("empty"))),)
    arguments = (TensorType((4,), "f32"), TensorType((), "i32", is_scalar=True))
    return Task("key", "", arguments, members, 0, (0,))


def test_sets_reset_and_notice_changes() -> None:
    given = seeded_arguments(task())
    operands = OperandSet(task(), [TensorType((4,), "f32")], given, "start")
    buffer = operands.arguments[0]
    assert buffer is not None
    assert operands.arguments[1] is None
    assert operands.value(0) == buffer.address
    assert operands.value(1) == given.values[1]
    assert operands.changed_arguments() == []
    buffer.array[2] = -buffer.array[2]
    assert operands.changed_arguments() == [0]
    operands.reset()
    assert operands.changed_arguments() == []
    assert len(operands.guards) == 4


def test_a_change_of_sign_of_zero_is_a_change() -> None:
    operands = OperandSet(task(), [], Arguments((np.zeros(4, np.float32), 1)), "start")
    buffer = operands.arguments[0]
    assert buffer is not None
    buffer.array[0] = -0.0
    assert operands.changed_arguments() == [0]


_TOUCH = """
import ctypes, sys
from harl_mlir.measure.faults import GuardPageHandler
from harl_mlir.measure.operands import GuardedBuffer
from harl_mlir.tasks.task import TensorType
handler = GuardPageHandler()
buffers = [GuardedBuffer(TensorType((100,), "f32"), p) for p in ("start", "end")]
handler.watch([g for b in buffers for g in b.guards])
(_, front), (behind, past) = buffers[int(sys.argv[1])].guards
where = {"before": front - 1, "behind": behind, "last": past - 1, "elsewhere": 8, "fine": front}[sys.argv[2]]
ctypes.memset(where, 1, 1)
"""


@pytest.mark.parametrize("number", ["0", "1"])
@pytest.mark.parametrize(
    ("where", "status"),
    [
        ("before", OUT_OF_BOUNDS_EXIT),
        ("behind", OUT_OF_BOUNDS_EXIT),
        ("last", OUT_OF_BOUNDS_EXIT),
        ("elsewhere", -11),
        ("fine", 0),
    ],
)
def test_only_guard_pages_end_the_process_with_the_reserved_status(
    number: str, where: str, status: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TOUCH, number, where],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr.decode()
