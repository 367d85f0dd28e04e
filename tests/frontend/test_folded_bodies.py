"""Bodies that compute nothing: the element or the constant they yield, and no op where that is a copy."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from harl_mlir.frontend.folded_bodies import fold_bodies
from harl_mlir.frontend.program import functions
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from tests.threads import NEEDS_THREADS

ELEMENT = {
    "the greater of one": ("f32", "%y = arith.maximumf %x, %x : f32"),
    "undone in integers": (
        "i32",
        "%c = arith.constant 2 : i32\n %p = arith.addi %x, %c : i32\n %y = arith.subi %p, %c : i32",
    ),
    "widened and narrowed": ("f32", "%p = arith.extf %x : f32 to f64\n %y = arith.truncf %p : f64 to f32"),
    "a constant from outside": ("i32", "%y = arith.muli %x, %one : i32"),
    "no op": ("f32", ""),
}
CONSTANT = {
    "a difference from itself": ("i32", "%y = arith.subi %x, %x : i32"),
    "a mask of nothing": ("i32", "%c = arith.constant 0 : i32\n %y = arith.andi %x, %c : i32"),
}
KEPT = {
    "rounded between": ("f32", "%p = arith.truncf %x : f32 to f16\n %y = arith.extf %p : f16 to f32"),
    "a difference that may be no number": ("f32", "%y = arith.subf %x, %x : f32"),
    "an argument from outside": (
        "f32",
        "%p = arith.maximumf %x, %n : f32\n %y = arith.maximumf %p, %p : f32",
    ),
}
_SAME = "affine_map<(i, j) -> (i, j)>"


def _op(name: str, taken: str, element: str, body: str) -> str:
    shape = f"tensor<48x64x{element}>"
    return f"""
  {name}e = tensor.empty() : {shape}
  {name} = linalg.generic {{indexing_maps = [{_SAME}, {_SAME}], iterator_types = ["parallel", "parallel"]}}
      ins({taken} : {shape}) outs({name}e : {shape}) {{
  ^bb0(%x: {element}, %o: {element}):
    {body}
    linalg.yield {"%y" if body else "%x"} : {element}
  }} -> {shape}"""


def after(element: str, body: str, *, both: bool = False) -> str:
    """A sum, and an op of that body on it; a function of the last, or of `both`."""
    shape, add = f"tensor<48x64x{element}>", f"arith.add{'f' if element == 'f32' else 'i'}"
    types, values = (f"({shape}, {shape})", "%q, %r") if both else (shape, "%r")
    return f"""func.func @k(%a: {shape}, %n: {element}) -> {types} {{
  %one = arith.constant 1 : i32{_op("%q", "%a", element, f"%y = {add} %x, %x : {element}")}
  {_op("%r", "%q", element, body)}
  return {values} : {types.strip("()")}
}}"""


def after_product(element: str, body: str) -> str:
    """A product of matrices with an epilogue of that body."""
    zero = "0.0" if element == "f32" else "0"
    a, b, c = (f"tensor<{shape}x{element}>" for shape in ("48x32", "32x64", "48x64"))
    return f"""func.func @k(%a: {a}, %b: {b}) -> {c} {{
  %one = arith.constant 1 : i32
  %z = arith.constant {zero} : {element}
  %e = tensor.empty() : {c}
  %f = linalg.fill ins(%z : {element}) outs(%e : {c}) -> {c}
  %q = linalg.matmul ins(%a, %b : {a}, {b}) outs(%f : {c}) -> {c}{_op("%r", "%q", element, body)}
  return %r : {c}
}}"""


PROGRAMS = [
    make(element, body)
    for element, body in {**ELEMENT, **CONSTANT, **KEPT}.values()
    for make in (after, after_product, lambda e, b: after(e, b, both=True))
    if "%n" not in body
]


def _folded(text: str) -> str:
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        (function,) = functions(module)
        fold_bodies(function)
        module.operation.verify()
        return str(module)


@pytest.mark.parametrize("body", ELEMENT.values(), ids=ELEMENT)
def test_a_copy_is_no_op(body: tuple[str, str]) -> None:
    folded = _folded(after(*body, both=True))
    assert folded.count("linalg.generic") == 1
    assert "return %1, %1" in folded
    # What an argument is copied to is a buffer of its own.
    alone = _folded(after(*body).replace("ins(%q", "ins(%a"))
    assert alone.count("linalg.generic") == 2
    assert "linalg.yield %in" in alone


@pytest.mark.parametrize("body", CONSTANT.values(), ids=CONSTANT)
def test_a_constant(body: tuple[str, str]) -> None:
    folded = _folded(after(*body))
    assert folded.count("linalg.generic") == 2
    assert "linalg.yield %c0_i32" in folded


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_what_is_kept(body: tuple[str, str]) -> None:
    text = after(*body)
    with ir.Context(), ir.Location.unknown():
        assert _folded(text) == str(ir.Module.parse(text))


@pytest.mark.parametrize("order", ["(i, j) -> (j, i)", "(i, j) -> (i, j)"])
def test_what_moves_elements_is_kept(order: str) -> None:
    text = after("f32", "%y = arith.maximumf %x, %x : f32").replace("48x64", "48x48")
    head, last = text.rsplit(_SAME, 1)
    first, second = head.rsplit(_SAME, 1)
    folded = _folded(f"{first}affine_map<{order}>{second}{_SAME}{last}")
    assert folded.count("linalg.generic") == (1 if order == "(i, j) -> (i, j)" else 2)
    assert "arith.maximumf" not in folded


def _check(pool: Pool, text: str) -> None:
    for task in pool.analyse(text, "kernel.mlir").tasks:
        spaces = sketches_for(task, this_processor(), threads=pool.threads)
        assert spaces
        for space in spaces:
            drawn = random.Random(1)
            for candidate in dict.fromkeys((space.default(), space.sample(drawn), space.sample(drawn))):
                failure = pool.verify(task, candidate, run=True)
                assert failure is None, f"{failure}\n{candidate.values}\n{text}"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as shared:
        yield shared


@pytest.mark.parametrize("text", PROGRAMS)
def test_candidates(pool: Pool, text: str) -> None:
    _check(pool, text)


class TestOnThreads:
    """A part may be one vector: of its copy nothing would be left either."""

    pytestmark = NEEDS_THREADS

    def test_candidates(self, all_cores: None) -> None:
        with Pool(threads=2) as two:
            for text in PROGRAMS:
                _check(two, text)
