"""Steps of marked loops as lanes of vectors: the same numbers, and nothing read beyond a buffer."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.codegen.compiled import run

_PROGRAM = '''
import json
from harl_mlir.codegen.lanes import vectorise_lanes

def kernel(steps, lanes, stride, taps, inner, updates):
    read = stride * (steps - 1) + max(taps) + 1
    body = "\\n".join(f"""
      %p{n} = affine.apply affine_map<(d) -> (d * {stride} + {tap})>(%i)
      %x{n} = memref.load %x[%k, %p{n}] : memref<{inner}x{read}xf32>
      %m{n} = arith.mulf %x{n}, %w : f32
      %s{n + 1} = arith.addf %s{n}, %m{n} : f32""" for n, tap in enumerate(taps))
    start = f"memref.load %y[%i] : memref<{steps}xf32>" if updates else "arith.constant 0.5 : f32"
    types = f"%x: memref<{inner}x{read}xf32>, %w1: memref<1xf32>, %y: memref<{steps}xf32>"
    return f"""func.func @kernel({types}) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %steps = arith.constant {steps} : index
  %inner = arith.constant {inner} : index
  scf.for %i = %c0 to %steps step %c1 {{
    %w = memref.load %w1[%c0] : memref<1xf32>
    %first = {start}
    %sum = scf.for %k = %c0 to %inner step %c1 iter_args(%s0 = %first) -> f32 {{
      {body}
      scf.yield %s{len(taps)} : f32
    }}
    memref.store %sum, %y[%i] : memref<{steps}xf32>
  }} {{harl.lanes = {lanes} : i64}}
  return
}}"""

random = np.random.default_rng(0)
for case in json.loads(sys.argv[1]):
    text = kernel(**case)
    with ir.Context(), ir.Location.unknown():
        assert vectorise_lanes(ir.Module.parse(text)) == (case["steps"] > 1), text
    steps, stride, taps, inner = (case[name] for name in ("steps", "stride", "taps", "inner"))
    x = random.standard_normal((inner, stride * (steps - 1) + max(taps) + 1)).astype(np.float32)
    w = random.standard_normal(1).astype(np.float32)
    y = random.standard_normal(steps).astype(np.float32)
    wanted = y.copy() if case["updates"] else np.full(steps, 0.5, np.float32)
    for row in x:
        for tap in taps:
            wanted += row[tap : tap + stride * (steps - 1) + 1 : stride] * w
    compiled(text, accuracy="strict").bind([x.ctypes.data, w.ctypes.data, y.ctypes.data])(1)
    np.testing.assert_array_equal(y, wanted, err_msg=text)
'''

_CASES = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 70),
        "lanes": st.sampled_from((2, 4, 8, 16, 32)),
        "stride": st.integers(1, 4),
        "taps": st.lists(st.integers(0, 9), min_size=1, max_size=5),
        "inner": st.integers(1, 3),
        "updates": st.booleans(),
    }
)


@settings(
    max_examples=3, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.lists(_CASES, min_size=20, max_size=20))
def test_every_stride_and_number_of_lanes(cases: list[dict[str, object]]) -> None:
    run(_PROGRAM, json.dumps(cases))


@pytest.mark.parametrize(
    "body",
    [
        # What another step wrote; a position that nothing tells; a position as a number.
        """%n = arith.addi %i, %c1 : index
        %a = memref.load %x[%i] : memref<24xf32>
        memref.store %a, %x[%n] : memref<24xf32>""",
        """%n = arith.divui %i, %c2 : index
        %a = memref.load %x[%n] : memref<24xf32>
        memref.store %a, %y[%i] : memref<24xf32>""",
        """%n = arith.index_cast %i : index to i32
        %a = arith.sitofp %n : i32 to f32
        memref.store %a, %y[%i] : memref<24xf32>""",
        # Elements of a column, and of what is too far apart.
        """%a = memref.load %z[%i, %c1] : memref<24x3xf32>
        memref.store %a, %y[%i] : memref<24xf32>""",
        """%n = arith.muli %i, %c5 : index
        %a = memref.load %far[%n] : memref<120xf32>
        memref.store %a, %y[%i] : memref<24xf32>""",
        # More or less of it in later steps.
        """%s = scf.for %k = %c0 to %i step %c1 iter_args(%s = %one) -> f32 {
          %a = memref.load %x[%k] : memref<24xf32>
          %t = arith.addf %s, %a : f32
          scf.yield %t : f32
        }
        memref.store %s, %y[%i] : memref<24xf32>""",
        # A vector of its own.
        """%v = vector.load %x[%i] : memref<24xf32>, vector<2xf32>
        %a = vector.extract %v[1] : f32 from vector<2xf32>
        memref.store %a, %y[%i] : memref<24xf32>""",
    ],
)
def test_steps_that_are_not_alike_are_left(body: str) -> None:
    text = f"""func.func @kernel(%x: memref<24xf32>, %z: memref<24x3xf32>, %far: memref<120xf32>,
                                 %y: memref<24xf32>) {{
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c5 = arith.constant 5 : index
      %c22 = arith.constant 22 : index
      %one = arith.constant 1.0 : f32
      scf.for %i = %c0 to %c22 step %c1 {{
        {body}
      }} {{harl.lanes = 8 : i64}}
      return
    }}"""
    program = """
from harl_mlir.codegen.lanes import vectorise_lanes
with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse(sys.argv[1])
    assert vectorise_lanes(module) == 0, module
    assert "harl.lanes" not in str(module)
"""
    run(program, text)


def test_the_inner_of_two_marked_loops_is_taken() -> None:
    """Each could be; the outer is erased with what it holds."""
    program = """
from harl_mlir.codegen.lanes import vectorise_lanes
with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse(sys.argv[1])
    assert vectorise_lanes(module) == 1, module
    module.operation.verify()
    assert "harl.lanes" not in str(module)
"""
    text = """func.func @kernel(%x: memref<24xf32>, %y: memref<24xf32>) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c22 = arith.constant 22 : index
      %zero = arith.constant 0.0 : f32
      scf.for %k = %c0 to %c22 step %c1 {
        scf.for %i = %c0 to %c22 step %c1 {
          %a = memref.load %x[%k] : memref<24xf32>
          memref.store %a, %y[%k] : memref<24xf32>
        } {harl.lanes = 8 : i64}
      } {harl.lanes = 8 : i64}
      return
    }"""
    run(program, text)
