"""The frozen suite: its cases, their shapes and their operations."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.shapes import SHAPES, Shape
from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy

SUITE_FILE = Path(__file__).with_name("suite.json")
LIVE_FILE = Path(__file__).with_name("live.json")
"""Cases in the same form, on which the speed of tuning is compared."""
OUTSIDE_FILE = Path(__file__).with_name("outside.json")
"""Cases outside the range of shapes that the agent `looptune` is trained on."""

ELEMENT_BYTES = {"f32": 4, "i64": 8, "bf16": 2, "f16": 2, "i8": 1, "i32": 4}
OTHERS = frozenset({"rows", "elementwise", "memory", "chain"})
"""Kinds of cases that are no single contraction."""


@dataclass(frozen=True)
class Case:
    """One kernel of the suite.

    Attributes:
        fields: the case as `suite.json` has it; what the programs of the peers are given.
        inputs: shapes of the arguments; images are padded already (except a transposed convolution's).
        output: shape of the result.
        terms: products summed for one element of the result.
        multiply_adds: of the direct algorithm; none where nothing is contracted.
    """

    fields: Mapping[str, Any]
    inputs: tuple[Shape, ...]
    output: Shape
    terms: int
    multiply_adds: int

    @property
    def name(self) -> str:
        """Unique in the suite; names files too."""
        return str(self.fields["name"])

    @property
    def kind(self) -> str:
        """`matmul`, `conv`, `rows` or another of `SHAPES`; says which fields there are."""
        return str(self.fields["kind"])

    @property
    def category(self) -> str:
        """Its class in the results."""
        return str(self.fields["class"])

    @property
    def quick(self) -> bool:
        """Whether `--quick` runs it."""
        return bool(self.fields["quick"])

    @property
    def has_epilogue(self) -> bool:
        """Whether something elementwise follows the contraction, as a bias and ReLU."""
        return bool(self.fields.get("epilogue"))

    @property
    def accuracy(self) -> Accuracy:
        """Of ours: as its peers', whose functions of math are approximations too."""
        other = self.kind in OTHERS or self.fields.get("epilogue") == "bias_gelu"
        return "approximate" if other else DEFAULT_ACCURACY

    @property
    def threads(self) -> int:
        """That every contender may use, on as many cores."""
        return int(self.fields.get("threads", 1))

    @property
    def elements(self) -> tuple[str, ...]:
        """Element types of the arguments."""
        operands = (str(self.fields.get("element", "f32")),) * 2
        return (*operands, *("f32",) * len(self.inputs))[: len(self.inputs)]

    @property
    def result_element(self) -> str:
        """Element type of the result."""
        return "i64" if self.fields.get("op") == "argmax" else str(self.fields.get("result", "f32"))

    @property
    def read_bytes(self) -> int:
        """Of all arguments."""
        pairs = zip(self.inputs, self.elements, strict=True)
        return sum(math.prod(shape) * ELEMENT_BYTES[element] for shape, element in pairs)

    @property
    def written_bytes(self) -> int:
        """Of the result."""
        return math.prod(self.output) * ELEMENT_BYTES[self.result_element]

    @property
    def bound_by_memory(self) -> bool:
        """Whether it streams: its arguments and result are in no cache, and it does little with them."""
        return bool(self.fields.get("streams"))

    @property
    def flops(self) -> int:
        """Operations of the direct algorithm: two a multiply-add, two an element that something follows for.

        0 where nothing is contracted: such a case counts by its bytes.
        """
        return 2 * self.multiply_adds + (2 * math.prod(self.output) if self.has_epilogue else 0)


def load_suite(file: Path = SUITE_FILE) -> tuple[Case, ...]:
    """The cases in order."""
    return tuple(make_case(fields) for fields in json.loads(file.read_text(encoding="utf-8")))


def make_case(fields: Mapping[str, Any]) -> Case:
    """A case from its fields. Raises KeyError for a kind there is not."""
    inputs, output, terms, multiply_adds = SHAPES[fields["kind"]](fields)
    return Case(fields, inputs, output, terms, multiply_adds)
