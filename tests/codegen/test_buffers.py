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


_PIECES = """
# Extents of a buffer and of the slice of it that is copied from, or to: pieces of every length lie in both.
random = np.random.default_rng(1)
for case in range(24):
    kind, dtype = [("f32", np.float32), ("i8", np.int8), ("f64", np.float64)][case % 3]
    shape = [int(n) for n in random.choice([1, 1, 2, 3, 5, 17], size=1 + case % 4)]
    low, high = ([int(random.choice([0, 0, 1, 3])) for _ in shape] for _ in range(2))
    if case % 2:  # whole rows
        low[-1] = high[-1] = 0
    whole = [a + n + b for a, n, b in zip(low, shape, high)]
    small, large = (f"memref<{'x'.join(map(str, s))}x{kind}>" for s in (shape, whole))
    strides = [int(np.prod(whole[d + 1 :])) for d in range(len(whole))]
    at = sum(a * s for a, s in zip(low, strides))
    view = f"memref<{'x'.join(map(str, shape))}x{kind}, strided<{strides}, offset: {at}>>"
    place = f"{low} {shape} {[1] * len(shape)} : {large} to {view}"
    for copy in ("memref.copy %a, %b : {0} to {1}", "linalg.copy ins(%a : {0}) outs(%b : {1})"):
        for inwards in (True, False):
            ends = (small, view) if inwards else (view, small)
            source, target = ("%x", "%v") if inwards else ("%v", "%x")
            op = copy.replace("%a", source).replace("%b", target).format(*ends)
            body = f"%v = memref.subview %y{place}\\n{op}\\nreturn"
            text = f"func.func @kernel(%x: {small}, %y: {large}) {{ {body} }}"
            x, y = ((random.random(s) * 100).astype(dtype) for s in (shape, whole))
            inside = tuple(slice(a, a + n) for a, n in zip(low, shape))
            wanted = x.copy(), y.copy()
            if inwards:
                wanted[1][inside] = x
            else:
                wanted[0][:] = y[inside]
            compiled(text).bind([x.ctypes.data, y.ctypes.data])(1)
            assert (x == wanted[0]).all() and (y == wanted[1]).all(), text
"""


def test_pieces_of_every_length() -> None:
    run(_PIECES)
