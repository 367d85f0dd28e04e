"""Row operations in other spellings become one task, and compute what they computed, to the bit."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from harl_mlir.accuracy import ACCURACIES
from harl_mlir.export.loaded import load
from harl_mlir.frontend.prepare import prepare
from harl_mlir.frontend.program import functions
from harl_mlir.frontend.row_forms import normalise_rows
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.processor import this_processor
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.analyse import analyse
from harl_mlir.tasks.rows import common_rows
from tests.frontend.row_programs import TORCH, keepdims


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(accuracy="strict") as running:
        yield running


def normalised(text: str) -> str:
    with ir.Context(), ir.Location.unknown():
        module = prepare(text, "k.mlir", accuracy="strict").module
        assert module.operation.verify()
        return str(module)


def numbers(pool: Pool, text: str) -> list[np.ndarray]:
    """The results of a text's one function for normally distributed arguments."""
    made = pool.compile(text, "k.mlir")
    (function,) = made.functions
    rng = np.random.default_rng(3)
    arguments = [
        rng.standard_normal(p.type.shape).astype(np.float32) for p in function.parameters if p.role == "in"
    ]
    results = load(made.object, made.functions)[function.name](*arguments)
    return list(results) if isinstance(results, tuple) else [results]


def assert_same_numbers(pool: Pool, text: str, changed: str) -> None:
    for before, after in zip(numbers(pool, text), numbers(pool, changed), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", TORCH)
def test_what_torch_mlir_makes_is_one_row_operation(pool: Pool, name: str) -> None:
    changed = normalised(TORCH[name])
    with ir.Context(), ir.Location.unknown():
        found = analyse(prepare(changed, "k.mlir"), "k.mlir")
    (task,) = found.tasks
    assert not found.skipped
    assert common_rows(member.op for member in task.members if not member.op.is_fill)
    assert normalised(changed) == changed
    assert_same_numbers(pool, TORCH[name], changed)


def test_random_programs(pool: Pool) -> None:
    fewer = 0
    for seed in range(25):
        text = keepdims(seed)
        changed = normalised(text)
        fewer += changed.count("linalg.generic") < text.count("linalg.generic")
        assert normalised(changed) == changed, text
        assert_same_numbers(pool, text, changed)
    assert fewer > 10


_REPEATED_AND_SUMMED = """
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%v: f32, %o: f32):
    linalg.yield %v : f32
  } -> tensor<4x8xf32>
  %s = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%s : tensor<4xf32>) -> tensor<4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%b : tensor<4x8xf32>) outs(%z : tensor<4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %a = arith.addf %o, %v : f32
    linalg.yield %a : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}
"""
_DEAD_USE = (
    _REPEATED_AND_SUMMED.replace("%x: tensor<4xf32>", "%x: tensor<4x8xf32>")
    .replace(
        "(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],",
        "(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],",
        1,
    )
    .replace("ins(%x : tensor<4xf32>)", "ins(%x : tensor<4x8xf32>)")
    .replace("    linalg.yield %v : f32", "    %dead = arith.addf %v, %o : f32\n    linalg.yield %v : f32", 1)
)


@pytest.mark.parametrize("text", [_REPEATED_AND_SUMMED, _DEAD_USE], ids=["repeated", "dead use"])
def test_what_cannot_be_fused_stays(pool: Pool, text: str) -> None:
    changed = normalised(text)
    assert changed.count("linalg.generic") == 2
    assert_same_numbers(pool, text, changed)


def test_reshapes_of_dynamic_sizes_stay() -> None:
    text = """
func.func @f(%x: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %c = tensor.collapse_shape %x [[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
  %e = tensor.expand_shape %c [[0, 1]] output_shape [%m, %n] : tensor<?xf32> into tensor<?x?xf32>
  return %e : tensor<?x?xf32>
}
"""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(text)
        for function in functions(module):
            normalise_rows(function, strict=True)
        assert "tensor.expand_shape" in str(module)


_COMBINERS = {
    "f": ("maximumf", "cmpf ogt", "minimumf", "cmpf olt"),
    "i": ("maxsi", "cmpi sgt", "minsi", "cmpi slt"),
    "u": ("maxui", "cmpi ugt", "minui", "cmpi ult"),
}


def arg_max(
    shape: tuple[int, ...], least: bool, element: str = "i64", both: bool = True, of: str = "f32"
) -> str:
    """The greatest or least elements of rows and their places, as torch-mlir writes them.

    `element` is the type of the places, `of` that of what is compared; unsigned ones are `u8` and the like.
    """
    combiner, compare = _COMBINERS[of[0]][2:] if least else _COMBINERS[of[0]][:2]
    kind, bits = of.replace("u", "i"), int(of[1:])
    start = {
        "f": "0x7F800000" if least else "0xFF800000",
        "i": str(2 ** (bits - 1) - 1 if least else -(2 ** (bits - 1))),
        "u": "-1" if least else "0",
    }[of[0]]
    *outer, _ = shape
    x, values, places = (
        f"tensor<{'x'.join(map(str, sizes))}x{kind}>"
        for sizes, kind in ((shape, kind), (outer, kind), (outer, element))
    )
    loops = [f"d{i}" for i in range(len(shape))]
    all_, row = (f"affine_map<({', '.join(loops)}) -> ({', '.join(kept)})>" for kept in (loops, loops[:-1]))
    kinds = ", ".join(['"parallel"'] * len(outer) + ['"reduction"'])
    types, results = (f"({values}, {places})", "%r#0, %r#1") if both else (places, "%r#1")
    returned = f"{values}, {places}" if both else places
    return f"""func.func @f(%x: {x}) -> {types} {{
  %s = arith.constant {start} : {kind}
  %z = arith.constant 0 : {element}
  %ev = tensor.empty() : {values}
  %ep = tensor.empty() : {places}
  %fv = linalg.fill ins(%s : {kind}) outs(%ev : {values}) -> {values}
  %fp = linalg.fill ins(%z : {element}) outs(%ep : {places}) -> {places}
  %r:2 = linalg.generic {{indexing_maps = [{all_}, {row}, {row}], iterator_types = [{kinds}]}}
      ins(%x : {x}) outs(%fv, %fp : {values}, {places}) {{
  ^bb0(%in: {kind}, %out: {kind}, %place: {element}):
    %i = linalg.index {len(outer)} : index
    %j = arith.index_cast %i : index to {element}
    %m = arith.{combiner} %in, %out : {kind}
    %c = arith.{compare}, %in, %out : {kind}
    %p = arith.select %c, %j, %place : {element}
    linalg.yield %m, %p : {kind}, {element}
  }} -> ({values}, {places})
  return {results} : {returned}
}}
"""


ARG_MAXES = [
    arg_max((6, 40), False), arg_max((6, 40), False, both=False), arg_max((3, 5, 33), True, "i32"),
    arg_max((4, 100), True, "i16", both=False), arg_max((2, 1, 7), False),
]  # fmt: skip
ARG_MAXES_OF_INTEGERS = [
    arg_max((6, 40), least, both=both, of=of)
    for of in ("i8", "i16", "i32", "i64", "u8", "u32") for least in (False, True) for both in (False, True)
]  # fmt: skip


@pytest.mark.parametrize("text", ARG_MAXES_OF_INTEGERS)
def test_places_of_the_greatest_integers(text: str) -> None:
    """These are two reductions under `strict`, too; of another start or width than they have, none."""
    for accuracy in ACCURACIES:
        with ir.Context(), ir.Location.unknown():
            changed = prepare(text, "k.mlir", accuracy=accuracy)
            assert str(changed.module).count('"reduction"') == 2
            assert not analyse(changed, "k.mlir").skipped
    start = re.search(r"%s = arith.constant (-?\d+)", text)
    assert start is not None
    for other in (text.replace(start[0], "%s = arith.constant 3"), arg_max((6, 40), False, of="i24")):
        assert normalised(other).count('"reduction"') == 1


@pytest.mark.parametrize("text", ARG_MAXES)
def test_places_of_the_greatest(pool: Pool, text: str) -> None:
    with ir.Context(), ir.Location.unknown():
        module = prepare(text, "k.mlir", accuracy="reassociate").module
        found = analyse(prepare(str(module), "k.mlir"), "k.mlir")
        changed = str(module)
    assert not found.skipped
    assert_same_numbers(pool, text, changed)
    assert changed != normalised(text)


def test_places_of_equal_and_of_infinite_elements_and_of_nans(pool: Pool) -> None:
    with ir.Context(), ir.Location.unknown():
        changed = str(prepare(arg_max((8, 5), False), "k.mlir", accuracy="reassociate").module)
    inf, nan = np.inf, np.nan
    x = np.array(
        [
            [1, 3, 3, 2, 3], [-inf] * 5, [0.0, -0.0, 0.0, -0.0, 0.0], [-0.0, 0.0, -1, 0.0, 0.0],
            [1, inf, 0, inf, 2], [nan, 1, 2, 3, 4], [5, 1, nan, 9, nan], [-3, -2, -1, -inf, -1],
        ],
        np.float32,
    )  # fmt: skip
    made = pool.compile(changed, "k.mlir")
    values, places = load(made.object, made.functions)["f"](x)
    assert list(places) == list(np.argmax(x, axis=1))
    np.testing.assert_array_equal(values, x.max(axis=1))


def test_a_live_place_stays_under_strict_accuracy() -> None:
    assert "arith.cmpf ogt" in normalised(ARG_MAXES[0])
    assert "arith.cmpf ogt" not in normalised(TORCH["softmax"])


@pytest.mark.parametrize("exponent", [2, 3, 4])
@pytest.mark.parametrize("element", ["i8", "i32", "i64"])
def test_integers_to_small_powers_are_tuned(pool: Pool, element: str, exponent: int) -> None:
    kind, same = f"tensor<6x20x{element}>", "affine_map<(i, j) -> (i, j)>"
    text = f"""func.func @f(%x: {kind}) -> {kind} {{
  %n = arith.constant {exponent} : {element}
  %e = tensor.empty() : {kind}
  %r = linalg.generic {{indexing_maps = [{same}, {same}], iterator_types = ["parallel", "parallel"]}}
    ins(%x : {kind}) outs(%e : {kind}) {{
  ^bb0(%a: {element}, %o: {element}):
    %p = math.ipowi %a, %n : {element}
    linalg.yield %p : {element}
  }} -> {kind}
  return %r : {kind}
}}"""
    (task,) = pool.analyse(text, "kernel.mlir").tasks
    (space,) = sketches_for(task, this_processor())
    assert pool.verify(task, space.default(), run=True) is None
    made = pool.compile(text, "kernel.mlir", pool.library([(task, space.default())]))
    x = np.arange(-60, 60).reshape(6, 20).astype(f"int{element[1:]}")
    np.testing.assert_array_equal(load(made.object, made.functions)["f"](x), x**exponent)
