"""The choices that a user's own transform script leaves open, and the script with them made.

A `transform.tune.knob` without a value is a decision over its options; a `transform.tune.alternatives`
without a selected region is one over the numbers of its regions. What is selected already, or driven by
a parameter, is kept as it is and is no decision. Ops of one name are one decision if their options are
equal; otherwise the script is refused, and so is one with a name that is open here and selected there.
Knobs inside a region that is not selected are decisions like any other, without effect.

An integer option is that integer as a value, a string that string; any other option (a float, a
boolean, an array) is the text MLIR prints for it. A script without open choices is a space of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.program import all_ops, place_of
from harl_mlir.mlir import ir
from harl_mlir.schedule.interpret import read_script
from harl_mlir.space.decision import Decision, Value

_KNOB, _ALTERNATIVES = "transform.tune.knob", "transform.tune.alternatives"


@dataclass(frozen=True)
class _Choice:
    """An open op of a script: its values with the attribute that selects each."""

    op: ir.Operation
    attribute: str
    options: Mapping[Value, ir.Attribute]

    def select(self, value: Value) -> None:
        self.op.attributes[self.attribute] = self.options[value]


def read_knobs(script: str, file: str) -> tuple[Decision, ...]:
    """The decisions a script leaves open, in the order of the script; the default is the first option.

    Raises:
        InputError: it is no transform module with a `@__transform_main`, a knob has no options, or one
            name stands for different choices.
    """
    return tuple(
        _decision(name, choices[0]) for name, choices in _choices(read_script(script, file), file).items()
    )


def select_knobs(script: str, file: str, values: Sequence[tuple[str, Value]]) -> str:
    """The script with every open choice made as `values` say, by name.

    Raises:
        InputError: as for `read_knobs`, or `values` do not fit the script's open choices.
    """
    module = read_script(script, file)
    choices = _choices(module, file)
    for name in {name for name, _ in values} ^ set(choices):
        raise InputError(f'the script and the values for it differ in "{name}"; tune it again', Place(file))
    for name, value in values:
        for choice in choices[name]:
            if value not in choice.options:
                place = place_of(choice.op.location, file)
                raise InputError(f'"{name}" has no option {value!r}; tune the script again', place)
            choice.select(value)
    return str(module)


def _choices(module: ir.Module, file: str) -> dict[str, list[_Choice]]:
    """The open ops of a script by name."""
    open_: dict[str, list[_Choice]] = {}
    closed: set[str] = set()
    for op in all_ops(module.operation):
        if op.name not in (_KNOB, _ALTERNATIVES):
            continue
        name, place = str(ir.StringAttr(op.attributes["name"]).value), place_of(op.location, file)
        choice = _knob(op, name, place) if op.name == _KNOB else _alternatives(op)
        if choice is None:
            closed.add(name)
        else:
            _refuse_other(name, open_.setdefault(name, []), choice, place)
            open_[name].append(choice)
        if name in open_ and name in closed:
            raise InputError(
                f'"{name}" is selected at one place and open at another; select both or neither', place
            )
    return open_


def _refuse_other(name: str, known: list[_Choice], choice: _Choice, place: Place) -> None:
    if known and (known[0].op.name, dict(known[0].options)) != (choice.op.name, dict(choice.options)):
        raise InputError(f'"{name}" names two choices with different options; rename one', place)


def _knob(op: ir.Operation, name: str, place: Place) -> _Choice | None:
    if "selected" in op.attributes:
        return None
    options = op.attributes["options"]
    if not isinstance(options, ir.ArrayAttr):
        raise InputError(f'the options of "{name}" are no list; write options = [...]', place)
    distinct = list(dict.fromkeys(options))
    if not distinct:
        raise InputError(f'"{name}" has no options; give it at least one, or select a value', place)
    values = [_value(option) for option in distinct]
    if len(set(values)) != len(values):  # 8 : i64 and 8 : i32
        values = [str(option) for option in distinct]
    return _Choice(op, "selected", dict(zip(values, distinct, strict=True)))


def _alternatives(op: ir.Operation) -> _Choice | None:
    if "selected_region_attr" in op.attributes or len(op.operands):
        return None
    index = ir.IndexType.get()
    numbers: dict[Value, ir.Attribute] = {i: ir.IntegerAttr.get(index, i) for i in range(len(op.regions))}
    return _Choice(op, "selected_region_attr", numbers)


def _value(option: ir.Attribute) -> Value:
    if isinstance(option, ir.BoolAttr):
        return "true" if option.value else "false"
    if isinstance(option, ir.IntegerAttr):
        return int(option.value)
    if isinstance(option, ir.StringAttr):
        return str(option.value)
    return str(option)


def _decision(name: str, choice: _Choice) -> Decision:
    values = tuple(choice.options)
    default = values[0]
    ordered = choice.op.name == _KNOB and all(isinstance(value, int) for value in values)
    if ordered:
        values = tuple(sorted(values, key=int))
    return Decision(name, values, default, ordered)
