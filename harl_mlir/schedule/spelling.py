"""How the ops of a task may be spelled in a program: `linalg.matmul`, or an equal `linalg.generic`.

A transform script can only match ops as they are spelled, so a library holds a pattern for each way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harl_mlir.frontend.program import functions, task_ops
from harl_mlir.mlir import PassManager, ir
from harl_mlir.tasks.task import Task

_RESPELLINGS = ("linalg-generalize-named-ops", "linalg-specialize-generic-ops")


@dataclass(frozen=True)
class Pattern:
    """One spelling of a task.

    `ops` are linalg ops wired like the task's, in program order, the last one being the root; `spelled`
    is for each of them the op it is to look like. The modules keep the ops alive.
    """

    ops: tuple[ir.Operation, ...]
    spelled: tuple[ir.Operation, ...]
    modules: tuple[ir.Module, ...]

    @property
    def root(self) -> ir.Operation:
        """How the root is spelled."""
        return self.spelled[-1]


def patterns(task: Task, respell: bool = True) -> list[Pattern]:
    """The spellings of a task in its program and, with `respell`, also its ops named and generic."""
    found: list[Pattern] = []
    seen: set[tuple[str, ...]] = set()
    for kernel in (task.kernel, *task.spellings):
        for pattern in _spellings(kernel, respell):
            text = tuple(_text(op) for op in pattern.spelled)
            if text not in seen:
                seen.add(text)
                found.append(pattern)
    return found


def _spellings(kernel: str, respell: bool) -> list[Pattern]:
    written = ir.Module.parse(kernel)
    ops = _ops(written)
    found = [Pattern(ops, ops, (written,))]
    for pipeline in _RESPELLINGS if respell else ():
        module = ir.Module.parse(kernel)
        try:
            PassManager.parse(f"builtin.module(func.func({pipeline}))").run(module.operation)
        except ir.MLIRError:
            continue
        others = _ops(module)
        if len(others) == len(ops):
            spelled = tuple(_choose(op, other) for op, other in zip(ops, others, strict=True))
            found.append(Pattern(others, spelled, (written, module)))
    return found


def _ops(module: ir.Module) -> tuple[ir.Operation, ...]:
    return tuple(op for function in functions(module) for op in task_ops(function))


def _choose(written: ir.Operation, other: ir.Operation) -> ir.Operation:
    # Fills are written as fills also beside generics.
    return written if written.name == "linalg.fill" else other


def _text(op: ir.Operation) -> str:
    operands: Sequence[str] = [str(value.type) for value in op.operands]
    body = "".join(str(inner) for region in op.regions for block in region.blocks for inner in block)
    attributes = sorted((name, str(op.attributes[name])) for name in op.attributes)
    return f"{op.name} {operands} {attributes} {body}"
