"""Writing a schedule library: one self-contained transform module that any MLIR tool can apply.

For each task it holds
- `@schedule_KEY`: the schedule, a sequence on the task's root op; `harl.choices` on it has the decisions;
- `@find_KEY`: the ops of a module or function that may be the root, as far as one op shows;
- `@match_KEY_N`: fails unless an op is the root of the task, for each spelling of the task;
- `@apply_KEY`: for each function with candidates, matches and schedules them in a copy of the function
  that replaces it only if all of that succeeds, so a schedule that fails leaves the function as it was.

Tasks that a script cannot tell apart (see `matchers.py`) get the first one's schedule; `harl.matched_as`
on the other's `@schedule_KEY` says so.

`@__transform_main` applies the entries one after the other: tasks of more ops first, so that a fused
group is taken before an entry for one of its ops is tried. Every op matched, function restored, and op
left alone is told in a remark (see `remarks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from harl_mlir.accuracy import ACCURACIES, Accuracy
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ir
from harl_mlir.schedule import remarks
from harl_mlir.schedule.builder import ScheduleBuilder
from harl_mlir.schedule.handles import i64
from harl_mlir.schedule.matchers import emit_check, emit_find, find_text
from harl_mlir.schedule.sketches import emit_schedule
from harl_mlir.schedule.spelling import Pattern, patterns
from harl_mlir.schedule.steps import named_sequence
from harl_mlir.space.decision import Value
from harl_mlir.space.entry import Entry, Provenance

LIBRARY_VERSION = 1
"""Raised when a library of the old form would be misread."""
FORMAT_ATTRIBUTE = "harl.library"
"""The module attribute that says that a transform module is a schedule library, and of which version."""
_THREADS_ATTRIBUTE = "harl.threads"
_ACCURACY_ATTRIBUTE = "harl.accuracy"
CHOICES_ATTRIBUTE = "harl.choices"
"""Of `@schedule_KEY`: each decision's value, as it was tuned; knobs may have been changed since."""


def write_library(
    entries: Sequence[Entry], *, provenance: Provenance, tunable: bool = False, respell: bool = True
) -> str:
    """The text of a library with one schedule for each entry, in the current context.

    Both MLIR 22 and the bindings' MLIR read it. With `tunable` the numbers that schedules can take as
    parameters stand as selected `transform.tune.knob`s. Without `respell` only ops spelled as in the
    entries' own kernels match, which is quicker.

    Raises:
        ValueError: two entries are for one task, or an entry's candidate is of no known sketch.
    """
    keys = [entry.task.key for entry in entries]
    if len(set(keys)) != len(keys):
        raise ValueError("two entries of a library are for one task")
    with ir.Location.unknown():
        module = ir.Module.create()
        _describe(module, provenance)
        # The sort is stable: of equally many ops, the task that comes first in the program is first.
        ordered = sorted(entries, key=lambda entry: -len(entry.task.members))
        writer = _Writer(module, tunable, respell)
        for entry in ordered:
            writer.entry(entry)
        write_main(module, [entry.task.key for entry in writer.applied])
        module.operation.verify()
        return str(module)


def without_restoring(library: ir.Module) -> None:
    """Change a library so that a schedule that fails is an error with its reason, and nothing is undone."""
    # All found first: of what is inside an op that is erased nothing may be asked any more.
    for op in [op for op in all_ops(library.operation) if op.name == "transform.alternatives"]:
        block = op.regions[0].blocks[0]
        block.arguments[0].replace_all_uses_with(op.operands[0])
        for view in list(block.operations)[:-1]:
            view.operation.move_before(op)
        op.erase()


def accuracy_of(library: ir.Module) -> Accuracy | None:
    """The accuracy that a library's schedules were tuned under; None where it does not say."""
    held = library.operation.attributes.get(_ACCURACY_ATTRIBUTE)
    said = held.value if isinstance(held, ir.StringAttr) else None
    return next((accuracy for accuracy in ACCURACIES if accuracy == said), None)


def is_strict(library: ir.Module) -> bool:
    """Whether a library's schedules were tuned under `strict` accuracy."""
    return accuracy_of(library) == "strict"


def is_shared(library: ir.Module) -> bool:
    """Whether a library's schedules were tuned for several threads."""
    attributes = library.operation.attributes
    return _THREADS_ATTRIBUTE in attributes and attributes[_THREADS_ATTRIBUTE].value > 1


def what_matches(key: str, matches: Sequence[ir.Operation]) -> frozenset[str]:
    """What the sequences `@match_KEY_N` match: equal where a script cannot tell two tasks apart."""
    texts = (str(match).replace(key, "") for match in matches)
    return frozenset(text.replace(f"_{number}", "", 1) for number, text in enumerate(texts))


def note_matched_as(schedule: ir.Operation, key: str) -> None:
    """Say of a `@schedule_KEY` that ops of its task get the schedule for the task `key`."""
    schedule.attributes["harl.matched_as"] = ir.FlatSymbolRefAttr.get(f"schedule_{key}")


def keep_entry(library: ir.Module, key: str) -> None:
    """Change a library so that it applies nothing but its entry for `key`."""
    for op in all_ops(library.operation):
        if op.name == "transform.include":
            target = ir.FlatSymbolRefAttr(op.attributes["target"]).value
            if target.startswith("apply_") and target != f"apply_{key}":
                op.erase()


def _describe(module: ir.Module, provenance: Provenance) -> None:
    attributes = module.operation.attributes
    attributes["transform.with_named_sequence"] = ir.UnitAttr.get()
    attributes[FORMAT_ATTRIBUTE] = i64(LIBRARY_VERSION)
    attributes["harl.producer"] = ir.StringAttr.get(f"harl_mlir {provenance.version}")
    attributes["harl.processor"] = ir.StringAttr.get(provenance.processor)
    attributes["harl.features"] = ir.ArrayAttr.get([ir.StringAttr.get(f) for f in provenance.features])
    attributes[_THREADS_ATTRIBUTE] = i64(provenance.threads)
    attributes[_ACCURACY_ATTRIBUTE] = ir.StringAttr.get(provenance.accuracy)


class _Writer:
    """Appends entries to a library's module; `applied` are those that main is to apply."""

    def __init__(self, module: ir.Module, tunable: bool, respell: bool) -> None:
        self._module = module
        self._tunable = tunable
        self._respell = respell
        self._matched: dict[frozenset[str], str] = {}
        self.applied: list[Entry] = []

    def entry(self, entry: Entry) -> None:
        key, spellings = entry.task.key, patterns(entry.task, self._respell)
        schedule = _write_schedule(self._module, entry, self._tunable)
        matches = [self._match(key, number, pattern) for number, pattern in enumerate(spellings)]
        first = self._matched.setdefault(what_matches(key, matches), key)
        if first != key:
            for match in matches:
                match.erase()
            note_matched_as(schedule, first)
            return
        _write_find(self._module, key, spellings)
        _write_apply(self._module, entry, len(spellings))
        self.applied.append(entry)

    def _match(self, key: str, number: int, pattern: Pattern) -> ir.Operation:
        steps = named_sequence(self._module, f"match_{key}_{number}")
        emit_check(steps, steps.argument, pattern)
        steps.tag(steps.argument, _tag(key))
        steps.finish()
        return steps.sequence


def _write_schedule(module: ir.Module, entry: Entry, tunable: bool) -> ir.Operation:
    task, candidate = entry.task, entry.candidate
    about = {
        "harl.label": ir.StringAttr.get(task.label()),
        "harl.sketch": ir.StringAttr.get(f"{candidate.sketch} {candidate.version}"),
        CHOICES_ATTRIBUTE: ir.DictAttr.get({name: _value(value) for name, value in candidate.values}),
    }
    steps = named_sequence(module, f"schedule_{task.key}", consumes=True, attributes=about)
    builder = ScheduleBuilder(steps.block, tunable=tunable)
    emit_schedule(builder, task, candidate, steps.argument)
    steps.finish()
    return steps.sequence


def _write_find(module: ir.Module, key: str, spellings: Sequence[Pattern]) -> None:
    steps = named_sequence(module, f"find_{key}", results=1)
    roots = {find_text(pattern.root): pattern.root for pattern in spellings}
    steps.finish(steps.merge([emit_find(steps, steps.argument, root) for root in roots.values()]))


def _write_apply(module: ir.Module, entry: Entry, spellings: int) -> None:
    key, label = entry.task.key, entry.task.label()
    steps = named_sequence(module, f"apply_{key}")
    candidates = steps.include_found(f"find_{key}", steps.argument)
    with steps.each(steps.functions_of(candidates)) as function:
        scheduled, restored = function.or_else(function.argument)
        with scheduled.each(scheduled.include_found(f"find_{key}", scheduled.argument)) as each:
            for number in range(spellings):
                with each.attempt(each.argument) as attempt:
                    attempt.include(f"match_{key}_{number}", attempt.argument)
        with scheduled.each(scheduled.tagged(scheduled.argument, _tag(key))) as each:
            each.remark(each.argument, remarks.matched(key, label))
            each.include(f"schedule_{key}", each.argument)
        # Tiling leaves the ops it has replaced behind, unused; the entries to come must not match them.
        scheduled.dce(scheduled.argument)
        scheduled.finish()
        restored.remark(restored.argument, remarks.restored(key, label))
        restored.finish()
    steps.finish()


def write_main(module: ir.Module, keys: Sequence[str]) -> None:
    """Append `@__transform_main`, which applies the entries for these keys in turn."""
    steps = named_sequence(module, "__transform_main")
    for key in keys:
        steps.include(f"apply_{key}", steps.argument)
    steps.remark(steps.match(steps.argument, linalg=True), remarks.LEFT)
    steps.finish()


def _value(value: Value) -> ir.Attribute:
    return ir.StringAttr.get(value) if isinstance(value, str) else i64(value)


def _tag(key: str) -> str:
    return f"harl.root_{key}"
