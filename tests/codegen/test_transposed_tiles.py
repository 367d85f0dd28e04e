"""Tiles transposed by shuffles: every shape and type, and which transposes are left as they are."""

from __future__ import annotations

import numpy as np
import pytest

from tests.codegen.compiled import run, run_on

_PROGRAM = """
rows, columns, element = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
zero = '0.0' if element[0] in 'fb' else '0'
kernel = compiled(f'''func.func @kernel(%x: memref<128x128x{element}>, %y: memref<128x128x{element}>) {{
  %c0 = arith.constant 0 : index
  %rows = arith.constant {rows} : index
  %columns = arith.constant {columns} : index
  %end = arith.constant 128 : index
  %z = arith.constant {zero} : {element}
  scf.for %i = %c0 to %end step %rows {{
    scf.for %j = %c0 to %end step %columns {{
      %v = vector.transfer_read %x[%i, %j], %z {{in_bounds = [true, true]}}
          : memref<128x128x{element}>, vector<{rows}x{columns}x{element}>
      %t = vector.transpose %v, [1, 0]
          : vector<{rows}x{columns}x{element}> to vector<{columns}x{rows}x{element}>
      vector.transfer_write %t, %y[%j, %i] {{in_bounds = [true, true]}}
          : vector<{columns}x{rows}x{element}>, memref<128x128x{element}>
    }}
  }} {{harl.transposed}}
  return
}}''')
x = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
y = np.zeros(x.size, np.uint8)
kernel.bind([x.ctypes.data, y.ctypes.data])(1)
sys.stdout.buffer.write(y.tobytes())
"""
_LEFT = """
from harl_mlir.codegen.transposed_tiles import transpose_tiles

with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse('''func.func @k(%a: vector<8x4xf32>, %b: vector<6x4xf32>, %c: vector<2x8x4xf32>)
        -> (vector<4x8xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %unmarked = vector.transpose %a, [1, 0] : vector<8x4xf32> to vector<4x8xf32>
      scf.for %i = %c0 to %c1 step %c1 {
        %same = vector.transpose %a, [0, 1] : vector<8x4xf32> to vector<8x4xf32>
        %odd = vector.transpose %b, [1, 0] : vector<6x4xf32> to vector<4x6xf32>
        %three = vector.transpose %c, [0, 2, 1] : vector<2x8x4xf32> to vector<2x4x8xf32>
      } {harl.transposed}
      return %unmarked : vector<4x8xf32>
    }''')
    made = transpose_tiles(module)
    text = str(module)
    print(made, text.count("vector.transpose"), "harl" in text)
"""
_BYTES = {"i8": 1, "f16": 2, "bf16": 2, "f32": 4, "i32": 4, "f64": 8}


@pytest.mark.parametrize("element", _BYTES)
@pytest.mark.parametrize("tile", [(2, 2), (16, 8), (8, 32), (64, 16), (4, 4), (32, 2)])
def test_every_shape_and_type(tile: tuple[int, int], element: str) -> None:
    size = _BYTES[element]
    x = np.random.default_rng(7).integers(0, 256, (128, 128, size), np.uint8)
    given = run_on(x.tobytes(), _PROGRAM, str(tile[0]), str(tile[1]), element)
    np.testing.assert_array_equal(np.frombuffer(given, np.uint8).reshape(x.shape), x.transpose(1, 0, 2))


def test_others_are_left() -> None:
    assert run(_LEFT).split() == ["0", "4", "False"]
