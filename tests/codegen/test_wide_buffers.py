"""Copies of narrow numbers hold them widened, of whatever shape they are."""

from __future__ import annotations

import pytest

from tests.codegen.compiled import run

_PROGRAM = """
from harl_mlir.codegen.wide_buffers import widen_buffers
with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse(sys.argv[1])
    assert widen_buffers(module) == 1, module
    module.operation.verify()
    assert "linalg.generic" in str(module)
"""


@pytest.mark.parametrize(
    ("kind", "sizes", "place"),
    [("f16", "", ""), ("?xf16", "%n", "%c0"), ("1x?xbf16", "%n", "%c0, %c0"), ("3x5xf16", "", "%c0, %c0")],
)
def test_copies_of_other_shapes_than_rows(kind: str, sizes: str, place: str) -> None:
    buffer, element = f"memref<{kind}>", kind.split("x")[-1]
    text = f"""func.func @kernel(%x: {buffer}, %n: index) -> f32 {{
  %c0 = arith.constant 0 : index
  %b = memref.alloc({sizes}) : {buffer}
  memref.copy %x, %b : {buffer} to {buffer}
  %v = memref.load %b[{place}] : {buffer}
  %w = arith.extf %v : {element} to f32
  memref.dealloc %b : {buffer}
  return %w : f32
}}"""
    run(_PROGRAM, text)
