"""Convolutions of images with zeros inserted are rewritten to ones of the images."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from harl_mlir.frontend.prepare import prepare
from harl_mlir.mlir import ir
from tests.frontend.transposed import Transposed

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with ir.Context(), ir.Location.unknown():
        yield


def raised(text: str) -> str:
    module = prepare(text, "k.mlir", accuracy="reassociate").module
    assert module.operation.verify()
    return str(module)


def test_the_text() -> None:
    text = raised(Transposed(1, (3, 3), 5, 6, 4, 2, 2, 2).text)
    lines = [line.strip() for line in text.splitlines()]
    assert lines[:3] == [
        "#map = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d1 + d2 + d6, d3 + d4 + d7, d8)>",
        "#map1 = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d6, d2, d7, d4, d8, d5)>",
        "#map2 = affine_map<(d0, d1, d2, d3, d4, d5, d6, d7, d8) -> (d0, d1, d2, d3, d4, d5)>",
    ]
    names = [
        line.split(" = ")[1].split()[0].removesuffix("()")
        for line in lines
        if line.startswith("%") and " = " in line
    ]
    assert names == [
        "arith.constant", "tensor.empty",
        "arith.constant", "tensor.empty", "linalg.fill", "tensor.extract_slice", "linalg.copy",
        "tensor.insert_slice", "tensor.expand_shape", "tensor.expand_shape", "linalg.fill",
        "linalg.generic", "arith.mulf", "arith.addf", "tensor.collapse_shape",
    ]  # fmt: skip
    assert "ins(%inserted_slice, %expanded : tensor<1x5x5x5xf32>, tensor<2x2x2x2x5x6xf32>)" in text
    assert "tensor<1x3x2x3x2x6xf32> into tensor<1x6x6x6xf32>" in text


def test_turned_phases_need_no_padding() -> None:
    text = raised(Transposed(1, (3, 4), 5, 6, 2, 2, 1, 1).text)
    assert "(d6, -d2 + 1, d7, -d4 + 1, d8, d5)" in text
    assert "tensor.insert_slice" not in text


CASES = {
    "4 2 1": Transposed(1, (3, 4), 3, 5, 4, 2, 2, 2),
    "4 2 1, two images, channels first": Transposed(2, (3, 4), 3, 5, 4, 2, 2, 2, last=False),
    "4 2 1, one more zero than outputs need": Transposed(1, (2, 2), 2, 3, 4, 2, 2, 4),
    "2 2 0": Transposed(2, (3, 3), 3, 4, 2, 2, 1, 1),
    "3 2 1, one added": Transposed(1, (3, 4), 3, 5, 3, 2, 1, 2),
    "3 2 1, one added, channels first": Transposed(1, (3, 4), 3, 5, 3, 2, 1, 2, last=False),
    "5 2 2, one added": Transposed(1, (3, 4), 2, 3, 5, 2, 2, 3),
    "3 3 0": Transposed(1, (2, 3), 2, 3, 3, 3, 2, 2),
    "5 3 1": Transposed(1, (2, 3), 2, 3, 5, 3, 3, 3),
    "8 4 2": Transposed(1, (2, 2), 2, 3, 8, 4, 5, 5),
    "1 2 0, one added": Transposed(1, (3, 3), 2, 3, 1, 2, 0, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_the_numbers(name: str) -> None:
    case = CASES[name]
    words = ["x".join(map(str, shape)) for shape in case.shapes]
    done = subprocess.run(
        [sys.executable, "-m", "tests.frontend.run_transposed", *words],
        input=case.text, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.array(json.loads(done.stdout)), case.expected())


_CASE = Transposed(1, (3, 3), 5, 6, 4, 2, 2, 2).text
_LEFT = {
    "outputs that the stride does not divide": Transposed(1, (3, 3), 5, 6, 4, 2, 2, 1).text,
    "values other than zeros": _CASE.replace("constant 0.0", "constant 1.0"),
    "a strided convolution": Transposed(1, (3, 3), 5, 6, 4, 2, 2, 2)
    .text.replace("strides = dense<1>", "strides = dense<2>")
    .replace("1x6x6x6xf32", "1x3x3x6xf32"),
    "a dilated convolution": Transposed(1, (3, 3), 5, 6, 4, 2, 2, 2)
    .text.replace("dilations = dense<1>", "dilations = dense<2>")
    .replace("1x6x6x6xf32", "1x3x3x6xf32"),
    "no convolution": """func.func @f(%x: tensor<3xf32>) -> tensor<6xf32> {
      %z = arith.constant dense<0.0> : tensor<6xf32>
      %i = tensor.insert_slice %x into %z[0][3][2] : tensor<3xf32> into tensor<6xf32>
      %e = linalg.exp ins(%i : tensor<6xf32>) outs(%z : tensor<6xf32>) -> tensor<6xf32>
      return %e : tensor<6xf32>
    }""",
}


@pytest.mark.parametrize("name", _LEFT)
def test_left_alone(name: str) -> None:
    assert raised(_LEFT[name]) == str(prepare(_LEFT[name], "k.mlir").module)


def test_zeros_that_are_used_otherwise_stay() -> None:
    kind = "tensor<1x9x9x5xf32>"
    assert kind in _CASE
    text = _CASE.replace("-> tensor<1x6x6x6xf32> {", f"-> (tensor<1x6x6x6xf32>, {kind}) {{").replace(
        "return %r : tensor<1x6x6x6xf32>", f"return %r, %i : tensor<1x6x6x6xf32>, {kind}"
    )
    after = raised(text)
    assert "[1, 2, 2, 1] : tensor<1x3x3x5xf32> into tensor<1x9x9x5xf32>" in after
    assert "linalg.conv_2d" not in after


def test_zeros_may_be_a_constant() -> None:
    zeros = "tensor<1x9x9x5xf32>"
    text = _CASE.replace(f"%e = tensor.empty() : {zeros}", "").replace(
        f"linalg.fill ins(%z : f32) outs(%e : {zeros}) -> {zeros}", f"arith.constant dense<0.0> : {zeros}"
    )
    assert "dense<0.0>" in text
    assert "linalg.conv_2d" not in raised(text)


def test_what_c_held_before_is_added_to() -> None:
    kind = "tensor<1x6x6x6xf32>"
    text = _CASE.replace("%w: tensor<4x4x5x6xf32>", f"%w: tensor<4x4x5x6xf32>, %c: {kind}").replace(
        f"outs(%g : {kind})", f"outs(%c : {kind})"
    )
    assert "tensor.expand_shape %arg2 [[0], [1, 2], [3, 4], [5]]" in raised(text)
