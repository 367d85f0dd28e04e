"""From a prepared module to its tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harl_mlir.frontend.prepare import Prepared
from harl_mlir.frontend.program import BORDER, function_name, functions, linalg_ops, made_by, place_of
from harl_mlir.mlir import ir
from harl_mlir.tasks.analysis import Analysis, Skipped
from harl_mlir.tasks.extract import extract
from harl_mlir.tasks.facts import UnsupportedOpError, read_facts
from harl_mlir.tasks.flow import Node
from harl_mlir.tasks.grouping import group
from harl_mlir.tasks.producer_groups import paddings
from harl_mlir.tasks.task import Task
from harl_mlir.tasks.whole import UnsupportedFunctionError, whole_function


@dataclass(frozen=True)
class Workload:
    """A task and the op in its program whose result leaves it."""

    task: Task
    root: ir.Operation


@dataclass(frozen=True)
class Workloads:
    """The tasks of one function in program order, and the ops left alone."""

    found: tuple[Workload, ...]
    skipped: tuple[Skipped, ...]


def workloads(function: ir.OpView, file: str) -> Workloads:
    """What is tuned as a whole in a function as it stands; `file` is the kernel's name in places."""
    nodes, skipped = _nodes(function, file)
    found: list[Workload] = []
    for each in group(nodes):
        pads = paddings(nodes, each)
        members = [*pads, *(nodes[i] for i in each.nodes)]
        place = str(place_of(nodes[each.anchor].op.location, file))
        task = extract(members, len(pads) + each.nodes.index(each.anchor), function_name(function), place)
        found.append(Workload(task, members[-1].op))
    return Workloads(tuple(found), tuple(skipped))


def analyse(prepared: Prepared, file: str) -> Analysis:
    """All tasks of the module (or of the function it was prepared for), equal ones merged.

    Tasks are in program order of their first occurrence; `file` is the kernel's name in places.
    """
    tasks: dict[str, Task] = {}
    skipped: list[Skipped] = list(prepared.skipped)
    for function in _chosen(prepared):
        held = workloads(function, file)
        skipped += held.skipped
        for workload in held.found:
            task = workload.task
            tasks[task.key] = _merge(tasks[task.key], task) if task.key in tasks else task
    return Analysis(tuple(tasks.values()), tuple(skipped))


def analyse_functions(prepared: Prepared, file: str) -> Analysis:
    """One task for each function with linalg ops, all of them members.

    Functions that cannot be run on their own are skipped with the reason.
    """
    tasks: list[Task] = []
    skipped: list[Skipped] = []
    for function in _chosen(prepared):
        try:
            tasks.append(whole_function(function, file))
        except UnsupportedFunctionError as refusal:
            place = str(place_of(function.operation.location, file))
            skipped.append(Skipped(f"@{function_name(function)}", place, refusal.reason))
    return Analysis(tuple(tasks), tuple(skipped))


def _chosen(prepared: Prepared) -> list[ir.OpView]:
    return [
        f
        for f in functions(prepared.module)
        if linalg_ops(f) and prepared.function in (None, function_name(f))
    ]


def _merge(first: Task, again: Task) -> Task:
    spellings = first.spellings
    if again.kernel != first.kernel and again.kernel not in spellings:
        spellings = (*spellings, again.kernel)
    return replace(first, weight=first.weight + 1, spellings=spellings)


def _nodes(function: ir.OpView, file: str) -> tuple[list[Node], list[Skipped]]:
    nodes: list[Node] = []
    skipped: list[Skipped] = []
    ops = linalg_ops(function)
    live = _live(ops)
    for op in ops:
        if any(isinstance(value.type, (ir.MemRefType, ir.UnrankedMemRefType)) for value in op.operands):
            continue  # said when it could not be raised
        if BORDER in op.attributes:
            continue  # nothing that somebody wrote
        try:
            facts = read_facts(op)
            if not facts.dims:
                raise UnsupportedOpError("it has no loops")
            if op.parent.operation != function.operation:
                around = op.parent.operation.name
                raise UnsupportedOpError(
                    f"it is inside {around}; put it into a function that is called there"
                )
            if op not in live:
                raise UnsupportedOpError("its result is unused")
            if _writes_into_slice(op) and not facts.reduction_dims:
                raise UnsupportedOpError("it writes into a slice of another tensor")
            nodes.append(Node(op, facts))
        except UnsupportedOpError as refusal:
            skipped.append(Skipped(op.name, str(place_of(op.location, file)), refusal.reason))
    return nodes, skipped


def _writes_into_slice(op: ir.Operation) -> bool:
    """Where the result is strided the loops of an elementwise op cannot be made one, as its schedules do.

    On its own, as a task is measured, it would not be.
    """
    return made_by(op.operands[len(op.operands) - 1], "tensor.extract_slice") is not None


def _live(ops: list[ir.Operation]) -> set[ir.Operation]:
    """The linalg ops that something else than dead linalg ops needs."""
    candidates = set(ops)
    live: set[ir.Operation] = set()
    for op in reversed(ops):
        users = [use.owner.operation for result in op.results for use in result.uses]
        if not len(op.results) or any(user in live or user not in candidates for user in users):
            live.add(op)
    return live
