"""Kernels that copy to and from views, or return one value twice, are compiled and right."""

from __future__ import annotations

from tests.codegen.compiled import run

_VIEWS = """
kernel = compiled('''
func.func @kernel(%a: tensor<4x4xf32>, %b: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %s = tensor.extract_slice %b[0, 0] [4, 4] [2, 2] : tensor<8x8xf32> to tensor<4x4xf32>
  %r = linalg.add ins(%s, %a : tensor<4x4xf32>, tensor<4x4xf32>) outs(%a : tensor<4x4xf32>) -> tensor<4x4xf32>
  %i = tensor.insert_slice %r into %b[1, 1] [4, 4] [1, 2] : tensor<4x4xf32> into tensor<8x8xf32>
  %j = tensor.insert_slice %s into %i[2, 2] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<8x8xf32>
  return %j : tensor<8x8xf32>
}''')
print(kernel.results)
rng = np.random.default_rng(0)
a, b = rng.random((4, 4), np.float32), rng.random((8, 8), np.float32)
expected, s = b.copy(), b[::2, ::2].copy()
expected[1:5, 1:8:2] = s + a
expected[2:6, 2:6] = s
kernel.bind([a.ctypes.data, b.ctypes.data])(1)
print((b == expected).all())
"""
_TWICE = """
M = "tensor<4x4xf32>"
kernel = compiled(f'''
func.func @kernel(%a: {M}, %c: {M}) -> ({M}, {M}, {M}, {M}) {{
  %e = tensor.empty() : {M}
  %x = linalg.add ins(%a, %a : {M}, {M}) outs(%e : {M}) -> {M}
  %r = linalg.sub ins(%a, %c : {M}, {M}) outs(%c : {M}) -> {M}
  return %x, %r, %x, %r : {M}, {M}, {M}, {M}
}}''')
print(*kernel.results)
a, c, x, y = np.random.default_rng(0).random((4, 4, 4), np.float32)
expected = a - c
kernel.bind([each.ctypes.data for each in (a, c, x, y)])(1)
print((c == expected).all(), (x == a + a).all(), (y == a + a).all())
"""


def test_copies_between_views() -> None:
    assert run(_VIEWS).splitlines() == ["(InPlace(argument=1),)", "True"]


def test_a_value_returned_twice() -> None:
    places, right = run(_TWICE).splitlines()
    in_place, first, second = "InPlace(argument=1)", "OutParameter(parameter=2)", "OutParameter(parameter=3)"
    assert places == f"{first} {in_place} {second} {in_place}"
    assert right == "True True True"
