"""What is added to signed numbers to make them unsigned is taken away again, once for all that share it."""

from __future__ import annotations

import re

import pytest

from harl_mlir.processor import I8_DOTS, this_processor
from tests.codegen.compiled import run

_HEAD = """
#group = affine_map<(n, k) -> (k)>
#groups = affine_map<(n, k) -> (n, k)>
#sums = affine_map<(n, k) -> (n)>
func.func @kernel(%a: memref<8x24x4xi8>, %b: memref<24x19x4xi8>, %c: memref<8x19xi32>) {
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %i2 = arith.constant 2 : index
  %i4 = arith.constant 4 : index
  %i8 = arith.constant 8 : index
  %i20 = arith.constant 20 : index
  %i24 = arith.constant 24 : index
  %p = arith.constant 0 : i8
  %z = arith.constant dense<0> : vector<19xi32>
  %panel = memref.alloc() : memref<24x19x4xi8>
"""
_COPY = "  memref.copy %b, %panel : memref<24x19x4xi8> to memref<24x19x4xi8>\n"
_LEFT = """
  return
}
"""


def _groups(step: str, made: str) -> str:
    """`made` is the groups of a step in the panel."""
    return f"""
  {made} = vector.transfer_read %panel[{step}, %i0, %i0], %p {{in_bounds = [true, true]}}
    : memref<24x19x4xi8>, vector<19x4xi8>
"""


def _products(row: str, step: str, groups: str, sums: str, made: str) -> str:
    """`made` is `sums` and the products of a group of a row with groups of the panel."""
    return f"""
  {made}x = vector.transfer_read %a[{row}, {step}, %i0], %p {{in_bounds = [true]}}
    : memref<8x24x4xi8>, vector<4xi8>
  {made} = vector.contract {{indexing_maps = [#group, #groups, #sums],
      iterator_types = ["parallel", "reduction"], kind = #vector.kind<add>}}
    {made}x, {groups}, {sums} : vector<4xi8>, vector<19x4xi8> into vector<19xi32>
"""


def _step(row: str, step: str, sums: str, made: str) -> str:
    return _groups(step, f"{made}y") + _products(row, step, f"{made}y", sums, made)


def _loop(row: str, first: str, end: str, sums: str, made: str, after: str = "") -> str:
    """`made` is `sums` and the products of some groups of a row; `after` may use the sums `%s`."""
    body = _step(row, "%k", "%t", "%s")
    return f"""
  {made} = scf.for %k = {first} to {end} step %i1 iter_args(%t = {sums}) -> (vector<19xi32>) {{
    {body}{after}
    scf.yield %s : vector<19xi32>
  }}
"""


def _write(row: str, sums: str) -> str:
    place = f"%c[{row}, %i0] {{in_bounds = [true]}}"
    return f"  vector.transfer_write {sums}, {place} : vector<19xi32>, memref<8x19xi32>\n"


def _rows(body: str, before: str = "") -> str:
    return f"  scf.for %r = %i0 to %i8 step %i1 {{\n{before}{body}  }}\n"


_PIECES = (
    _loop("%r", "%i0", "%i20", "%z", "%u") + _loop("%r", "%i20", "%i24", "%u", "%v") + _write("%r", "%v")
)
_ONE = _loop("%r", "%i0", "%i24", "%z", "%u") + _write("%r", "%u")
_TWO = (
    """  %q = affine.apply affine_map<(r) -> (7 - r)>(%r)
  %v:2 = scf.for %k = %i0 to %i24 step %i1 iter_args(%t = %z, %u = %z) -> (vector<19xi32>, vector<19xi32>) {
"""
    + _groups("%k", "%y")
    + _products("%r", "%k", "%y", "%t", "%s")
    + _products("%q", "%k", "%y", "%u", "%w")
    + "    scf.yield %s, %w : vector<19xi32>, vector<19xi32>\n  }\n"
    + _write("%r", "%v#0")
    + _write("%q", "%v#1")
)
_SEEN = _loop("%r", "%i0", "%i24", "%z", "%u", _write("%r", "%s")) + _write("%r", "%u")
_UNROLLED = _step("%r", "%i2", "%z", "%u") + _step("%r", "%i4", "%u", "%v") + _write("%r", "%v")

KERNELS = {
    "rows": _HEAD + _COPY + _rows(_ONE) + _LEFT,
    "two rows": _HEAD + _COPY + _rows(_TWO) + _LEFT,
    "pieces": _HEAD + _COPY + _rows(_PIECES) + _LEFT,
    "no loop": _HEAD + _COPY + _rows(_UNROLLED) + _LEFT,
    "copied in the loop": _HEAD + _rows(_ONE, _COPY) + _LEFT,
    "sums seen on the way": _HEAD + _COPY + _rows(_SEEN) + _LEFT,
}

_REWRITTEN = """
from harl_mlir.codegen.unsigned_groups import unsign_groups
with ir.Context(), ir.Location.unknown():
    module = ir.Module.parse(sys.argv[1])
    unsign_groups(module)
    module.operation.verify()
    print(module)
"""

_CALLED = """
kernel = compiled(sys.argv[1])
random = np.random.default_rng(1)
a, b = (random.integers(-128, 128, shape).astype(np.int8) for shape in ((8, 24, 4), (24, 19, 4)))
a[:, :2], b[:2] = -128, -128
steps = slice(*map(int, sys.argv[2:]))
c = np.zeros((8, 19), np.int32)
kernel.bind([x.ctypes.data for x in (a, b, c)])(1)
wanted = np.einsum("rkg,kng->rn", a[:, steps].astype(np.int32), b[steps].astype(np.int32))
print((c == wanted).all())
"""


def _places(text: str) -> list[str]:
    """The loops and what sums begin with, in order, further in the deeper they are."""
    found = re.findall(r"^( *)(?:%\S+ = )?(scf\.for|arith\.subi|vector\.contract)", text, re.MULTILINE)
    least = min(len(indent) for indent, _ in found)
    return [" " * ((len(indent) - least) // 2) + name.split(".")[1] for indent, name in found]


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("rows", ["for", " contract", "for", " subi", " for", "  contract"]),
        (
            "two rows",
            ["for", " contract", "for", " subi", " subi", " for", "  contract", "  contract"],
        ),
        ("no loop", ["contract", "contract", "for", " subi", " contract", " contract"]),
        ("copied in the loop", ["for", " for", "  contract", " subi", " for", "  contract"]),
        ("sums seen on the way", ["for", " for", "  contract", "  subi", "  contract"]),
    ],
)
def test_sums_of_columns_are_made_once(name: str, places: list[str]) -> None:
    assert _places(run(_REWRITTEN, KERNELS[name])) == places


@pytest.mark.skipif(I8_DOTS not in this_processor().features, reason="the processor has no dot products")
@pytest.mark.parametrize("name", KERNELS)
def test_the_numbers_are_right(name: str) -> None:
    steps = ("2", "5", "2") if name == "no loop" else ("0", "24")
    assert run(_CALLED, KERNELS[name], *steps).strip() == "True"


def test_what_others_may_write_is_left_alone() -> None:
    seen = "func.func private @seen(memref<24x19x4xi8>)\n"
    call = "  func.call @seen(%panel) : (memref<24x19x4xi8>) -> ()\n"
    assert "arith.subi" not in run(_REWRITTEN, seen + _HEAD + call + _rows(_ONE) + _LEFT)
