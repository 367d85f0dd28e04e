"""Reading a pass pipeline's text: which of its passes are ours, which are MLIR's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harl_mlir.accuracy import ACCURACIES, DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.vector_library import LEVELS
from harl_mlir.errors import Place, UsageError
from harl_mlir.processor import AVX512, DOT_PRODUCTS

_OPTION = "--pass-pipeline"
_STEPS = (
    "harl-wide-buffers",
    "harl-copies-to-loops",
    "harl-first-places",
    "harl-compute-in-place",
    "harl-online-sums",
    "harl-keep-part-writes",
    "harl-part-equal-results",
    "harl-inner-loops-alone",
    "harl-take-parts",
    "harl-move-bf16-as-bits",
    "harl-move-masks-as-bytes",
    "harl-move-single-masks-as-bytes",
    "harl-narrow-f64",
    "harl-single-transfers",
    "harl-pad-bf16-vectors",
    "harl-stream-stores",
    "harl-transpose-tiles",
    "harl-expand-bf16",
    "harl-vectorize-lanes",
    "harl-vectorize-marked",
)
_LOWERING = ("accuracy", "vector-math", "bf16-dots", "i8-dots", "avx512", "threads")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "harl-normalize": ("strict",),
    "harl-annotate-workloads": (),
    "harl-extract-tasks": ("output-dir",),
    "harl-apply-schedules": ("library", "fail-if-none"),
    "harl-lower-to-llvm": _LOWERING,
    "harl-default": ("library", "fail-if-none", *_LOWERING),
    "harl-approximate-math": ("avx512",),
    "harl-dot-products": ("bf16", "i8"),
    "harl-vector-math": ("isa",),
    **dict.fromkeys(_STEPS, ()),
}
"""Our passes and pipelines with the names of their options, as `passes/include/harl` has them."""

_NONE = "none"
_VALUES: Mapping[str, tuple[str, ...]] = {
    "accuracy": ACCURACIES,
    **dict.fromkeys(
        ("strict", "fail-if-none", "bf16-dots", "i8-dots", "bf16", "i8", "avx512"), ("true", "false")
    ),
    "vector-math": (_NONE, *LEVELS),
    "isa": (_NONE, *LEVELS),
}
_OPTION_TEXT = re.compile(
    r"""\s*(?P<name>[\w.-]+)(?:=(?P<value>'[^']*'|"[^"]*"|\{[^{}]*\}|[^\s'"{}]*))?\s*""", re.ASCII
)
_NAME = re.compile(r"[^\s(){},]+")


@dataclass(frozen=True)
class Stage:
    """One of our passes, or (`name` empty) a pipeline of MLIR's own passes as text."""

    name: str
    options: dict[str, str] = field(default_factory=dict)
    pipeline: str = ""

    @property
    def accuracy(self) -> Accuracy:
        """What a lowering may do to floating-point arithmetic."""
        said = self.options.get("accuracy", DEFAULT_ACCURACY)
        return next(accuracy for accuracy in ACCURACIES if accuracy == said)

    @property
    def normal(self) -> Accuracy:
        """For schedules made under which accuracy a spelling is."""
        return "strict" if self.options.get("strict") == "true" else DEFAULT_ACCURACY

    @property
    def vectors(self) -> str | None:
        """The instruction set for which the vector math library is called, if it is."""
        said = self.options.get("isa", self.options.get("vector-math", _NONE))
        return None if said == _NONE else said

    @property
    def threads(self) -> int:
        """How many threads a lowering is for."""
        return int(self.options.get("threads", "1"))

    @property
    def features(self) -> frozenset[str]:
        """The features of processors that are used."""
        suffix = "" if self.name == "harl-dot-products" else "-dots"
        options = {AVX512: "avx512", **{dot.feature: e + suffix for e, dot in DOT_PRODUCTS.items()}}
        return frozenset(name for name, option in options.items() if self.options.get(option) == "true")

    @property
    def library(self) -> str | None:
        """The file that it takes schedules from, if it takes any: empty where none is named."""
        return self.options.get("library", "") if self.name == "harl-apply-schedules" else None


def read_pipeline(text: str) -> tuple[Stage, ...]:
    """The stages of a pipeline: `builtin.module(...)`, or only what is in it.

    Our passes may also stand in a `func.func(...)`, where those that work on functions belong in C++.
    `harl-default` becomes the two it is made of.

    Raises:
        UsageError: the parentheses do not match, or one of our passes has a wrong option.
    """
    _check_brackets(text)
    start, end = 0, len(text)
    outer = re.fullmatch(r"\s*(?:builtin\.module|any)\s*\((.*)\)\s*", text, re.DOTALL)
    if outer is not None and _closes(text, outer.start(1) - 1) == outer.end(1):
        start, end = outer.span(1)
    stages: list[Stage] = []
    own: list[str] = []
    for element, column in _elements(text, start, end):
        for piece in _pieces(element, column):
            if isinstance(piece, str):
                own.append(piece)
                continue
            stages += _native(own)
            own = []
            stages.append(piece)
    return (*stages, *_native(own))


def _native(passes: list[str]) -> list[Stage]:
    return [Stage("", pipeline=f"builtin.module({','.join(passes)})")] if passes else []


def _pieces(element: str, column: int) -> Iterator[str | Stage]:
    """An element as stages of ours and as text for MLIR, in order."""
    name = (_NAME.match(element) or [""])[0]
    if name in OPTIONS:
        yield from _stages(name, element[len(name) :], column)
    elif name == "func.func" and "harl-" in element and "(" in element:
        inner = element.index("(") + 1
        for text, at in _elements(element, inner, element.rindex(")")):
            for piece in _pieces(text, column + at):
                yield f"func.func({piece})" if isinstance(piece, str) else piece
    else:
        yield element


def _stages(name: str, rest: str, column: int) -> Iterator[Stage]:
    options = _options(name, rest.strip(), column)
    if name != "harl-default":
        yield Stage(name, options)
        return
    for part in ("harl-apply-schedules", "harl-lower-to-llvm"):
        yield Stage(part, {key: value for key, value in options.items() if key in OPTIONS[part]})


def _options(name: str, text: str, column: int) -> dict[str, str]:
    if not text:
        return {}
    if text[0] != "{" or text[-1] != "}":
        raise _refused(f"{name} takes options in braces, as {name}{{NAME=VALUE}}", column)
    found: dict[str, str] = {}
    position, inner = 0, text[1:-1].strip()
    while position < len(inner):
        match = _OPTION_TEXT.match(inner, position)
        if match is None:
            raise _refused(f"{name} cannot read its option {inner[position:]!r}; write NAME=VALUE", column)
        position = match.end()
        key, value = match["name"], match["value"]
        if key not in OPTIONS[name]:
            known = f"it has {', '.join(OPTIONS[name])}" if OPTIONS[name] else "it has none"
            raise _refused(f"{name} has no option {key!r}; {known}", column)
        value = "true" if value is None else re.sub(r"""^(['"{])(.*)['"}]$""", r"\2", value, flags=re.DOTALL)
        if key in _VALUES and value not in _VALUES[key]:
            raise _refused(
                f"{name}: {key} cannot be {value!r}; it is one of {', '.join(_VALUES[key])}", column
            )
        if key == "threads" and not (value.isascii() and value.isdigit() and int(value) > 0):
            raise _refused(f"{name}: threads cannot be {value!r}; it is a number from 1", column)
        found[key] = value
    return found


def _elements(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """What stands between commas that are in no brackets, with its position."""
    depth, first = 0, start
    for position in range(start, end + 1):
        character = text[position] if position < end else ","
        if character in "({":
            depth += 1
        elif character in ")}" and position < end:
            depth -= 1
        elif character == "," and depth == 0:
            element = text[first:position]
            stripped = element.strip()
            if stripped:
                yield stripped, first + len(element) - len(element.lstrip())
            elif text[start:end].strip():
                raise _refused("a pass is missing here; take the comma out", first)
            first = position + 1


def _check_brackets(text: str) -> None:
    opened: list[int] = []
    for position, character in enumerate(text):
        if character in "({":
            opened.append(position)
        elif character in ")}" and (not opened or text[opened.pop()] + character not in ("()", "{}")):
            raise _refused(f"this {character!r} closes nothing; take it out", position)
    if opened:
        raise _refused(f"this {text[opened[-1]]!r} is not closed; close it", opened[-1])


def _closes(text: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return -1


def _refused(message: str, position: int) -> UsageError:
    return UsageError(message, Place(_OPTION, 1, position + 1))
