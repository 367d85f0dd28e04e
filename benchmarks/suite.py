"""The frozen suite: its cases, their shapes and their operations. Everything is f32."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUITE_FILE = Path(__file__).with_name("suite.json")
LIVE_FILE = Path(__file__).with_name("live.json")
"""Cases in the same form, on which the speed of tuning is compared."""
OUTSIDE_FILE = Path(__file__).with_name("outside.json")
"""Cases outside the range of shapes that the agent `looptune` is trained on."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One kernel of the suite.

    Attributes:
        fields: the case as `suite.json` has it; what the programs of the peers are given.
        inputs: shapes of the arguments; images are padded already (except a transposed convolution's).
        output: shape of the result.
        terms: products summed for one element of the result.
        multiply_adds: of the direct algorithm.
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
        """`matmul`, `matvec`, `vecmat`, `conv` or `transposed_conv`; says which fields there are."""
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
        """Whether a bias along the filters or columns is added, and ReLU taken."""
        return bool(self.fields.get("epilogue"))

    @property
    def flops(self) -> int:
        """Operations of the direct algorithm: two a multiply-add, one each for bias and ReLU."""
        return 2 * self.multiply_adds + (2 * math.prod(self.output) if self.has_epilogue else 0)


def load_suite(file: Path = SUITE_FILE) -> tuple[Case, ...]:
    """The cases in order."""
    return tuple(make_case(fields) for fields in json.loads(file.read_text(encoding="utf-8")))


def make_case(fields: Mapping[str, Any]) -> Case:
    """A case from its fields. Raises KeyError for a kind there is not."""
    shapes = {
        "matmul": _matmul,
        "matvec": _matvec,
        "vecmat": _vecmat,
        "conv": _conv,
        "transposed_conv": _transposed_conv,
    }[fields["kind"]]
    inputs, output, terms, multiply_adds = shapes(fields)
    return Case(fields, inputs, output, terms, multiply_adds)


_Shapes = tuple[tuple[Shape, ...], Shape, int, int]


def _matmul(f: Mapping[str, Any]) -> _Shapes:
    m, n, k = f["m"], f["n"], f["k"]
    batch = (f["batch"],) if f["batch"] else ()
    a = (*batch, k, m) if f["a_transposed"] else (*batch, m, k)
    b = (*batch, n, k) if f["b_transposed"] else (*batch, k, n)
    bias = ((n,),) if f["epilogue"] else ()
    return (a, b, *bias), (*batch, m, n), k, math.prod(batch) * m * n * k


def _matvec(f: Mapping[str, Any]) -> _Shapes:
    return ((f["m"], f["k"]), (f["k"],)), (f["m"],), f["k"], f["m"] * f["k"]


def _vecmat(f: Mapping[str, Any]) -> _Shapes:
    return ((f["k"],), (f["k"], f["n"])), (f["n"],), f["k"], f["k"] * f["n"]


def _conv(f: Mapping[str, Any]) -> _Shapes:
    kernel = (f["kernel"],) * len(f["spatial"])
    image = tuple(extent + 2 * f["padding"] for extent in f["spatial"])
    out = tuple((extent - f["kernel"]) // f["stride"] + 1 for extent in image)
    given, made, filters, each = _channels(f)
    if f["layout"] == "channels_last":
        shapes = (f["batch"], *image, *given), (*kernel, *filters)
        output = (f["batch"], *out, *made)
    else:
        # The filters come before their channels: F,C or G,F/G,C/G.
        shapes = (f["batch"], *given, *image), (*filters[:-2], *filters[:-3:-1], *kernel)
        output = (f["batch"], *made, *out)
    bias = ((f["filters"],),) if f["epilogue"] else ()
    terms = math.prod(kernel) * each
    return (*shapes, *bias), output, terms, math.prod(output) * terms


def _channels(f: Mapping[str, Any]) -> tuple[Shape, Shape, Shape, int]:
    """Those of the image, of the result and of the filter; and how many are summed."""
    channels, filters, groups = f["channels"], f["filters"], f["groups"]
    if f["depthwise"]:
        return (channels,), (channels,), (channels,), 1
    if groups == 1:
        return (channels,), (filters,), (channels, filters), channels
    each, made = channels // groups, filters // groups
    return (groups, each), (groups, made), (groups, each, made), each


def _transposed_conv(f: Mapping[str, Any]) -> _Shapes:
    batch, channels, filters, kernel = f["batch"], f["channels"], f["filters"], f["kernel"]
    out = tuple((extent - 1) * f["stride"] + kernel - 2 * f["padding"] for extent in f["spatial"])
    shapes = (batch, *f["spatial"], channels), (kernel, kernel, channels, filters)
    terms = math.ceil(kernel / f["stride"]) ** 2 * channels
    # Every element of the image times every tap of the filters.
    multiply_adds = batch * math.prod(f["spatial"]) * channels * filters * kernel**2
    return shapes, (batch, *out, filters), terms, multiply_adds
