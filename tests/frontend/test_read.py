from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.errors import InputError
from harl_mlir.frontend.program import argument_names, functions, linalg_ops, place_of
from harl_mlir.frontend.read import read_module
from harl_mlir.mlir import ir

COPY = """
func.func @f(%In: tensor<4xf32>, %1: tensor<4xf32>) -> tensor<4xf32> {
  %r = linalg.copy ins(%In : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}
"""


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with ir.Context(), ir.Location.unknown():
        yield


def names(text: str) -> list[str | None]:
    module = read_module(text, "k.mlir")
    return argument_names(functions(module)[0], text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "k.mlir: the file is empty; give a module with a function of linalg ops"),
        (" \n\t ", "k.mlir: the file is empty; give a module with a function of linalg ops"),
        ("// only words", "k.mlir: no function with a body is here; write the kernel as a func.func"),
        (
            "func.func private @f()",
            "k.mlir: no function with a body is here; write the kernel as a func.func",
        ),
        (
            "func.func @f() { return }",
            "k.mlir: no function holds a linalg op, so there is nothing to tune; "
            "write the kernel with linalg ops",
        ),
        (
            "func.func @f(%x: tensor<4xi8>) {\n%y = tosa.abs %x : (tensor<4xi8>) -> tensor<4xi8>\nreturn }",
            "k.mlir: no function holds a linalg op; lower tosa to linalg first",
        ),
        (
            "func.func @f(%x: tensor<4xf32>) {\n%i = arith.constant 0 : index\n%p = ub.poison : f32\n"
            "scf.for %k = %i to %i step %i {\n"
            "%y = vector.transfer_read %x[%k], %p : tensor<4xf32>, vector<4xf32>\n}\nreturn }",
            "k.mlir: no function holds a linalg op any more, as if schedules had been applied; "
            "give the kernel as it was before, and the library",
        ),
        ("\x7fELF\x02\x00\x00", "k.mlir:1: this is a binary file; give MLIR as text"),
        ("ML\ufffdR\x0dMLIR20", "k.mlir: this is MLIR bytecode; print it as text first, with mlir-opt"),
        ("// x\n\ufffd\ufffd", "k.mlir:2: this is not UTF-8 text; give MLIR as text"),
        ("func.func @f( {", "k.mlir:1:14: not valid MLIR: expected non-function type"),
        (
            "// first\nfunc.func @f() -> f32 {\n  return\n}",
            "k.mlir:3:3: not valid MLIR: 'func.return' op has 0 operands, "
            "but enclosing function (@f) returns 1",
        ),
        (
            "func.func @f() {\n  foo.bar\n  return\n}",
            "k.mlir:2:3: this op's dialect is not one of MLIR's own; lower it to linalg first",
        ),
        (
            '"foo.bar"() : () -> ()',
            "k.mlir:1:10: this op's dialect is not one of MLIR's own; lower it to linalg first",
        ),
    ],
)
def test_refusals_are_one_sentence_with_the_place(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_module(text, "k.mlir")
    assert str(caught.value) == message


def test_a_bad_byte_in_a_comment_does_no_harm() -> None:
    module = read_module("// caf\ufffd\n" + COPY, "k.mlir")
    assert len(functions(module)) == 1


def test_places_lead_to_the_source() -> None:
    module = read_module(COPY, "k.mlir")
    function = functions(module)[0]
    assert str(place_of(function.operation.location, "k.mlir")) == "k.mlir:2:1"
    assert str(place_of(linalg_ops(function)[0].location, "k.mlir")) == "k.mlir:3:8"


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ('loc("model.py":7:3)', "model.py:7:3"),
        ('loc("layer"("model.py":7:3))', "model.py:7:3"),
        ('loc(callsite("model.py":7:3 at "main.py":1:1))', "model.py:7:3"),
        ('loc(fused["name", "model.py":7:3])', "model.py:7:3"),
        ("loc(unknown)", "k.mlir"),
    ],
)
def test_written_locations_keep_their_file(location: str, place: str) -> None:
    text = COPY.replace("-> tensor<4xf32>\n  return", f"-> tensor<4xf32> {location}\n  return")
    module = read_module(text, "k.mlir")
    op = linalg_ops(functions(module)[0])[0]
    assert str(place_of(op.location, "k.mlir")) == place


def test_argument_names_are_as_written() -> None:
    assert names(COPY) == ["In", "1"]


def test_argument_names_after_text_that_is_not_ascii() -> None:
    text = COPY.replace("func.func", "// größe €\nfunc.func")
    assert names(text) == ["In", "1"]


def test_argument_names_unknown_where_locations_were_written() -> None:
    text = COPY.replace("%In: tensor<4xf32>", '%In: tensor<4xf32> loc("a.py":1:1)')
    assert names(text) == [None, "1"]


def test_generic_form_has_names_and_functions_too() -> None:
    module = read_module(COPY, "k.mlir")
    text = str(module.operation.get_asm(print_generic_op_form=True))
    assert names(text) == ["arg0", "arg1"]


def test_functions_of_nested_modules_are_found() -> None:
    module = read_module(f"module @outer {{ module @inner {{ {COPY} }} }}", "k.mlir")
    assert len(functions(module)) == 1
