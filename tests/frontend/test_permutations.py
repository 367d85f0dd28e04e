"""Permutations of what contractions read become part of their maps: the same task, the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harl_mlir.export.loaded import load
from harl_mlir.frontend.permutations import fold_permutations
from harl_mlir.frontend.program import functions
from harl_mlir.measure.pool import Pool
from harl_mlir.mlir import ir
from harl_mlir.space.sketches import sketches_for
from harl_mlir.tasks.contraction import is_contraction
from tests.schedule.sketches.contractions import contractions
from tests.schedule.sketches.legality import processor_with
from tests.schedule.sketches.loop_nests import LoopNest


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool() as shared:
        yield shared


A, B, C = "tensor<24x40xf32>", "tensor<40x48xf32>", "tensor<24x48xf32>"


def _permuted(nest: LoopNest, operand: int, order: list[int], generic: bool) -> str:
    """The kernel, of which one operand is another argument with its dimensions in another order."""
    element, rows = nest.inputs[operand]
    shape = [nest.dims[row[0][0]] for row in rows]
    given = [size for _, size in sorted(zip(order, shape, strict=True))]
    old, new = (f"tensor<{''.join(f'{s}x' for s in sizes)}{element}>" for sizes in (shape, given))
    head, body = nest.text.replace(f"%a{operand}: {old}", f"%g{operand}: {new}").split("{\n", 1)
    written = f"%t{operand} = tensor.empty() : {old}\n  %a{operand} = "
    ends = f"ins(%g{operand} : {new}) outs(%t{operand} : {old})"
    if generic:
        loops = [f"d{d}" for d in range(len(order))]
        taken = [loops[order.index(d)] for d in range(len(order))]
        maps = ", ".join(f"affine_map<({', '.join(loops)}) -> ({', '.join(r)})>" for r in (taken, loops))
        kinds = ", ".join(['"parallel"'] * len(order))
        written += f"linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {ends} {{\n"
        written += f"  ^bb0(%p: {element}, %q: {element}):\n  linalg.yield %p : {element}\n  }} -> {old}"
    else:
        written += f"linalg.transpose {ends} permutation = {order}"
    return f"{head}{{\n  {written}\n{body}"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(nest=contractions(), data=st.data())
def test_a_permuted_operand_is_read_as_it_lies(pool: Pool, nest: LoopNest, data: st.DataObject) -> None:
    """The task is that of the contraction of the argument, with its maps."""
    operand = data.draw(st.integers(0, 1))
    element, rows = nest.inputs[operand]
    order = data.draw(st.permutations(range(len(rows))))
    text = _permuted(nest, operand, order, data.draw(st.booleans()))
    moved = tuple(row for _, row in sorted(zip(order, rows, strict=True)))
    inputs = tuple((element, moved) if i == operand else each for i, each in enumerate(nest.inputs))
    (plain,) = pool.analyse(replace(nest, inputs=inputs).text, "kernel.mlir").tasks
    tasks = pool.analyse(text, "kernel.mlir").tasks
    if is_contraction(plain.anchor_op):
        assert [task.key for task in tasks] == [plain.key], text
    else:
        assert len(tasks) == (2 if order != sorted(order) else len(tasks)), text


def _program(lines: str, types: str = A) -> str:
    return f"""func.func @kernel(%a: tensor<40x24xf32>, %b: {B}) -> {C} {{
  %z = arith.constant 0.0 : f32
  %ea = tensor.empty() : {A}
  %et = tensor.empty() : tensor<40x24xf32>
  %ec = tensor.empty() : {C}
  %f = linalg.fill ins(%z : f32) outs(%ec : {C}) -> {C}
  %t = linalg.transpose ins(%a : tensor<40x24xf32>) outs(%ea : {A}) permutation = [1, 0]
  {lines}
  return %r : {C}
}}"""


_PRODUCT = f"%r = linalg.matmul ins(%t, %b : {A}, {B}) outs(%f : {C}) -> {C}"
_TWICE = f"""%u = linalg.transpose ins(%t : {A}) outs(%et : tensor<40x24xf32>) permutation = [1, 0]
  %v = linalg.transpose ins(%u : tensor<40x24xf32>) outs(%ea : {A}) permutation = [1, 0]
  %r = linalg.matmul ins(%v, %b : {A}, {B}) outs(%f : {C}) -> {C}"""
_ALSO_USED = f"""%n = linalg.negf ins(%t : {A}) outs(%ea : {A}) -> {A}
  %s = linalg.matmul ins(%t, %b : {A}, {B}) outs(%f : {C}) -> {C}
  %r = linalg.matmul ins(%n, %b : {A}, {B}) outs(%s : {C}) -> {C}"""
_BY_TWO = f"""%s = linalg.matmul ins(%t, %b : {A}, {B}) outs(%f : {C}) -> {C}
  %r = linalg.matmul ins(%t, %b : {A}, {B}) outs(%s : {C}) -> {C}"""


@pytest.mark.parametrize(("lines", "left"), [(_PRODUCT, 0), (_TWICE, 0), (_ALSO_USED, 1), (_BY_TWO, 0)])
def test_what_is_folded(lines: str, left: int) -> None:
    """A permutation that contractions alone take, one of a permutation too."""
    with ir.Context(), ir.Location.unknown():
        module = ir.Module.parse(_program(lines))
        fold_permutations(functions(module)[0])
        module.operation.verify()
        assert str(module).count("linalg.transpose") == left


@pytest.mark.parametrize("lines", [_PRODUCT, _TWICE, _BY_TWO])
def test_numbers(pool: Pool, lines: str) -> None:
    text = _program(lines)
    tasks = pool.analyse(text, "kernel.mlir").tasks
    library = pool.library([(task, sketches_for(task, processor_with(64))[0].default()) for task in tasks])
    made = pool.compile(text, "kernel.mlir", library)
    random = np.random.default_rng(2)
    a, b = (random.standard_normal(s).astype(np.float32) for s in ((40, 24), (40, 48)))
    found = load(made.object, made.functions)["kernel"](a, b)
    np.testing.assert_allclose(found, a.T @ b * (2 if lines == _BY_TWO else 1), rtol=1e-4, atol=1e-4)


_IMAGE = """func.func @kernel(%x: tensor<1x8x14x14xf32>, %f: tensor<16x8x3x3xf32>) -> tensor<1x12x12x16xf32> {
  %z = arith.constant 0.0 : f32
  %ei = tensor.empty() : tensor<1x14x14x8xf32>
  %i = linalg.transpose ins(%x : tensor<1x8x14x14xf32>) outs(%ei : tensor<1x14x14x8xf32>)
    permutation = [0, 2, 3, 1]
  %ew = tensor.empty() : tensor<3x3x8x16xf32>
  %w = linalg.transpose ins(%f : tensor<16x8x3x3xf32>) outs(%ew : tensor<3x3x8x16xf32>)
    permutation = [2, 3, 1, 0]
  %e = tensor.empty() : tensor<1x12x12x16xf32>
  %o = linalg.fill ins(%z : f32) outs(%e : tensor<1x12x12x16xf32>) -> tensor<1x12x12x16xf32>
  %r = linalg.conv_2d_nhwc_hwcf ins(%i, %w : tensor<1x14x14x8xf32>, tensor<3x3x8x16xf32>)
    outs(%o : tensor<1x12x12x16xf32>) -> tensor<1x12x12x16xf32>
  return %r : tensor<1x12x12x16xf32>
}"""


def test_a_convolutions_image_stays_what_it_is(pool: Pool) -> None:
    """Its filters are read as they lie."""
    image, product = pool.analyse(_IMAGE, "kernel.mlir").tasks
    assert image.label().startswith("transpose")
    assert [operand.shape for operand in product.anchor_op.inputs] == [(1, 14, 14, 8), (16, 8, 3, 3)]
