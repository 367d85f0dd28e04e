"""What a schedule library tells of itself."""

from __future__ import annotations

from harl_mlir.accuracy import ACCURACIES, DEFAULT_ACCURACY
from harl_mlir.errors import InputError, Place
from harl_mlir.mlir import ir
from harl_mlir.schedule.apply import is_library
from harl_mlir.schedule.interpret import read_script
from harl_mlir.schedule.library import CHOICES_ATTRIBUTE
from harl_mlir.space.decision import Value
from harl_mlir.space.entry import LibraryFacts, Provenance, ScheduleFacts

_SCHEDULE = "schedule_"
_PRODUCER = "harl_mlir "


def library_facts(text: str, file: str) -> LibraryFacts:
    """The facts of the library `text`, whose name in messages is `file`, read in the current context.

    Raises:
        InputError: it is no schedule library, or one of another version.
    """
    return facts_of(read_library(text, file))


def read_library(text: str, file: str) -> ir.Module:
    """Parse a schedule library in the current context; raises as `library_facts` does."""
    module = read_script(text, file)
    if not is_library(module, file):
        raise InputError("this is no schedule library; give one that `tune` wrote", Place(file))
    return module


def facts_of(module: ir.Module) -> LibraryFacts:
    """The facts of a library that was read."""
    held = module.operation.attributes
    accuracy = next((a for a in ACCURACIES if a == _text(held, "harl.accuracy")), DEFAULT_ACCURACY)
    provenance = Provenance(
        version=_text(held, "harl.producer").removeprefix(_PRODUCER),
        processor=_text(held, "harl.processor"),
        features=_texts(held, "harl.features"),
        threads=_number(held, "harl.threads", 1),
        accuracy=accuracy,
    )
    sequences = (view.operation for view in module.body.operations)
    return LibraryFacts(provenance, tuple(s for op in sequences if (s := _schedule(op)) is not None))


def _schedule(op: ir.Operation) -> ScheduleFacts | None:
    name = _text(op.attributes, "sym_name")
    if not name.startswith(_SCHEDULE):
        return None
    sketch, _, version = _text(op.attributes, "harl.sketch").partition(" ")
    matched_as = _text(op.attributes, "harl.matched_as").removeprefix(_SCHEDULE)
    return ScheduleFacts(
        key=name.removeprefix(_SCHEDULE),
        label=_text(op.attributes, "harl.label"),
        sketch=sketch,
        version=int(version) if version.isdecimal() else 0,
        matched_as=matched_as or None,
        choices=_choices(op.attributes),
    )


def _choices(attributes: ir.OpAttributeMap) -> tuple[tuple[str, Value], ...] | None:
    held = attributes.get(CHOICES_ATTRIBUTE)
    if not isinstance(held, ir.DictAttr):
        return None
    named = (held[place] for place in range(len(held)))
    return tuple((each.name, _value(each.attr)) for each in named)


def _value(attribute: ir.Attribute) -> Value:
    if isinstance(attribute, ir.IntegerAttr):
        return int(attribute.value)
    return str(attribute.value) if isinstance(attribute, ir.StringAttr) else str(attribute)


def _text(attributes: ir.OpAttributeMap, name: str) -> str:
    """A string, or a symbol's name; "" where it is missing or something else."""
    held = attributes.get(name)
    return held.value if isinstance(held, ir.StringAttr | ir.FlatSymbolRefAttr) else ""


def _texts(attributes: ir.OpAttributeMap, name: str) -> tuple[str, ...]:
    held = attributes.get(name)
    if not isinstance(held, ir.ArrayAttr):
        return ()
    return tuple(each.value for each in held if isinstance(each, ir.StringAttr))


def _number(attributes: ir.OpAttributeMap, name: str, default: int) -> int:
    held = attributes.get(name)
    return held.value if isinstance(held, ir.IntegerAttr) else default
