"""What the C++ pipeline makes of dot products computes the same as what it makes without them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harl_mlir.measure.pool import Pool
from harl_mlir.processor import BF16_DOTS, I8_DOTS, this_processor
from harl_mlir.space.sketches import dots
from tests.passes.built import driver
from tests.schedule.sketches.legality import processor_with

_RUNNER = shutil.which("mlir-runner-22")
_OPTIONS = {"bf16": "bf16-dots", "i8": "i8-dots"}
_INSTRUCTIONS = {"bf16": "dpbf16ps.512", "i8": "vpdpbusd.512"}

_MAIN = """
func.func @main() -> i64 {{
  %a = tensor.generate {{
  ^bb0(%i: index, %j: index):
    {made}
    tensor.yield %n : {element}
  }} : {a}
  %b = tensor.generate {{
  ^bb0(%j: index, %i: index):
    {made}
    tensor.yield %n : {element}
  }} : {b}
  %r = func.call @k(%a, %b) : ({a}, {b}) -> {c}
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %rows = arith.constant {rows} : index
  %columns = arith.constant {columns} : index
  %none = arith.constant 0 : i64
  %factor = arith.constant 31 : i64
  %sum = scf.for %i = %zero to %rows step %one iter_args(%s = %none) -> (i64) {{
    %t = scf.for %j = %zero to %columns step %one iter_args(%u = %s) -> (i64) {{
      %x = tensor.extract %r[%i, %j] : {c}
      %y = {widened}
      %m = arith.muli %u, %factor : i64
      %v = arith.addi %m, %y : i64
      scf.yield %v : i64
    }}
    scf.yield %t : i64
  }}
  return %sum : i64
}}
"""


def _program(element: str, rows: int, columns: int, steps: int) -> tuple[str, str]:
    """A kernel, and a `@main` that prints a checksum of it for whole numbers: no sum is rounded."""
    kind = {"bf16": "f32", "i8": "i32"}[element]
    a, b, c = (
        f"tensor<{m}x{n}x{e}>"
        for m, n, e in ((rows, steps, element), (steps, columns, element), (rows, columns, kind))
    )
    zero = {"bf16": "0.0", "i8": "0"}[element]
    kernel = f"""func.func @k(%a: {a}, %b: {b}) -> {c} {{
  %z = arith.constant {zero} : {kind}
  %e = tensor.empty() : {c}
  %f = linalg.fill ins(%z : {kind}) outs(%e : {c}) -> {c}
  %r = linalg.matmul ins(%a, %b : {a}, {b}) outs(%f : {c}) -> {c}
  return %r : {c}
}}
"""
    most = {"bf16": 15, "i8": 255}[element]
    number = f"""%p = arith.constant 37 : index
    %q = arith.muli %i, %p : index
    %o = arith.addi %q, %j : index
    %l = arith.muli %o, %o : index
    %k = arith.constant {most} : index
    %g = arith.remui %l, %k : index
    %h = arith.index_cast %g : index to i32
    """
    cast = {"bf16": "%n = arith.sitofp %h : i32 to bf16", "i8": "%n = arith.trunci %h : i32 to i8"}[element]
    widened = {"bf16": "arith.fptosi %x : f32 to i64", "i8": "arith.extsi %x : i32 to i64"}[element]
    main = _MAIN.format(
        made=number + cast, element=element, a=a, b=b, c=c, rows=rows, columns=columns, widened=widened
    )
    return kernel, main


def _lowered(text: str, *options: str) -> str:
    command = [str(driver()), "-", *options]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def _number(lowered: str) -> str:
    assert _RUNNER is not None
    command = [_RUNNER, "-e", "main", "--entry-point-result=i64"]
    return subprocess.run(
        command, input=lowered, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


@pytest.mark.skipif(_RUNNER is None, reason="mlir-runner-22 is not installed")
@pytest.mark.skipif(
    not {BF16_DOTS, I8_DOTS} <= set(this_processor().features), reason="the processor has no dot products"
)
@pytest.mark.parametrize("element", ["bf16", "i8"])
def test_the_numbers_are_the_same(tmp_path: Path, element: str) -> None:
    kernel, main = _program(element, 19, 85, 23)
    library = tmp_path / "library.mlir"
    with Pool() as pool:
        (task,) = pool.analyse(kernel, "kernel.mlir").tasks
        (space,) = dots.spaces(task, replace(processor_with(64), features=(BF16_DOTS, I8_DOTS)))
        library.write_text(pool.library([(task, space.default())]))
    option = f"library={library} fail-if-none"
    with_dots = _lowered(kernel + main, f"--harl-default={option} {_OPTIONS[element]}")
    without = _lowered(kernel + main, f"--harl-default={option}")
    assert _INSTRUCTIONS[element] in with_dots
    assert "llvm.x86" not in without
    untuned = _number(_lowered(kernel + main, "--harl-lower-to-llvm"))
    assert untuned not in ("", "0")
    assert _number(with_dots) == _number(without) == untuned
