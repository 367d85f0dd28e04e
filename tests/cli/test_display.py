"""The live table on terminals that are too narrow or too low for it."""

from __future__ import annotations

import io

from rich.console import Console

from harl_mlir.cli.display import LiveTable, progress_table
from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp, Operand
from harl_mlir.tasks.task import Member, Source, Task
from harl_mlir.tuner.progress import Progressed, TaskProgress

CONVOLUTION = "linalg.depthwise_conv_2d_nhwc_hwcm_and_more"


def progress(name: str = CONVOLUTION) -> TaskProgress:
    """A task of that name in the middle of a search."""
    dims = (1, 112, 112, 32, 3, 3, 16)
    body = (BodyOp("arith.mulf", (0, 1), "f32"), BodyOp("arith.addf", (2, 3), "f32"))
    op = LinalgOp(name, dims, ("parallel",) * 7, (Operand((1,), "f32", ((0,) * 8,)),) * 3, body, 4)
    member = Member(op, (Source("argument", 0),) * 3)
    task = Task(
        key="key",
        kernel="module {}",
        arguments=(),
        members=(member,),
        anchor=0,
        results=(0,),
        function="f",
        place="k.mlir:1:1",
        weight=12,
    )
    return TaskProgress(task, "finalists", 199, 17, 3000, 0.5, None, 3.21e-3, 1.23e-3)


def test_numbers_are_never_cut_in_80_columns() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as shown:
        console.print(progress_table([progress()]))
    heading, row = shown.get().splitlines()
    assert heading.split() == ["task", "GFLOP/s", "untuned", "default", "trials", "failed", "phase"]
    name, numbers = row.split("… ")
    assert name.startswith("depthwise_conv_2d")
    assert numbers.split()[1:] == ["407x", "2.61x", "199", "+3000", "17", "finalists"]


def test_a_low_terminal_shows_the_task_that_changed() -> None:
    table = LiveTable()
    table._console = Console(file=io.StringIO(), width=80, height=10)
    for index in [*range(200), 150]:
        table(Progressed(index, progress(f"linalg.t{index}x")))
    rows = table._in_view()
    assert len(rows) == 8
    assert any(row.task.label().startswith("t150x ") for row in rows)
