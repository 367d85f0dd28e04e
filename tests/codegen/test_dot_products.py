"""Contractions of groups become the processor's dot products, and mean the same."""

from __future__ import annotations

import pytest

from harl_mlir.processor import BF16_DOTS, I8_DOTS, this_processor
from tests.codegen.compiled import run

_SUMS = {"bf16": "f32", "i8": "i32"}


def _kernel(element: str, columns: int, widen: tuple[str, str] = ("", "")) -> str:
    """Two contractions in a row, each of a group with those of `columns` columns; casts come before."""
    group, kind = {"bf16": 2, "i8": 4}[element], _SUMS[element]
    shared, groups = f"vector<{group}x{element}>", f"vector<{columns}x{group}x{element}>"
    zero = {"bf16": "0.0", "i8": "0"}[element]
    casts, kinds = "", [shared, groups]
    for number, (name, cast) in enumerate(zip("xy", widen, strict=True)):
        if cast:
            wide = kinds[number].replace(element, kind)
            casts += "".join(
                f"  %{name}w{n} = arith.{cast} %{name}{n} : {kinds[number]} to {wide}\n" for n in (0, 1)
            )
            kinds[number] = wide
    x, y = (name + ("w" if cast else "") for name, cast in zip("xy", widen, strict=True))
    contracts = "".join(
        f"""  %r{n + 1} = vector.contract {{
    indexing_maps = [affine_map<(n, k) -> (k)>, affine_map<(n, k) -> (n, k)>, affine_map<(n, k) -> (n)>],
    iterator_types = ["parallel", "reduction"], kind = #vector.kind<add>
  }} %{x}{n}, %{y}{n}, %r{n} : {kinds[0]}, {kinds[1]} into vector<{columns}x{kind}>
"""
        for n in (0, 1)
    )
    reads = "".join(
        f"""  %x{n} = vector.transfer_read %a[%i{n}, %i0], %p {{in_bounds = [true]}}
    : tensor<2x{group}x{element}>, {shared}
  %y{n} = vector.transfer_read %b[%i{n}, %i0, %i0], %p {{in_bounds = [true, true]}}
    : tensor<2x{columns}x{group}x{element}>, {groups}
"""
        for n in (0, 1)
    )
    c = f"tensor<{columns}x{kind}>"
    return f"""
func.func @kernel(%a: tensor<2x{group}x{element}>, %b: tensor<2x{columns}x{group}x{element}>,
    %c: {c}) -> {c} {{
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %p = arith.constant {zero} : {element}
  %q = arith.constant {zero} : {kind}
{reads}{casts}  %r0 = vector.transfer_read %c[%i0], %q {{in_bounds = [true]}} : {c}, vector<{columns}x{kind}>
{contracts}  %e = tensor.empty() : {c}
  %w = vector.transfer_write %r2, %e[%i0] {{in_bounds = [true]}} : vector<{columns}x{kind}>, {c}
  return %w : {c}
}}
"""


_LOWERED = """
from harl_mlir.codegen.lowering import bufferize, to_llvm
with ir.Context(), ir.Location.unknown():
    features = "avx512_bf16", "avx512_vnni"
    for accuracy, dots in (("reassociate", features), ("reassociate", ()), ("strict", features)):
        module = ir.Module.parse(sys.argv[1])
        bufferize(module, "kernel")
        to_llvm(module, accuracy, features=dots)
        print(sum(str(module).count(name + ".512") for name in ("dpbf16ps", "vpdpbusd")))
"""

_CALLED = """
element, shared, groups = sys.argv[2:5]
def single(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)
def drawn(shape, cast):
    if element == "bf16":
        return (random.standard_normal(shape, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return random.integers(0, 256, shape).astype(np.uint8)
def value(bits, cast):
    if element == "bf16":
        return single(bits)
    return bits.astype(np.int32) if cast == "extui" else bits.view(np.int8).astype(np.int32)
kernel = compiled(sys.argv[1])
random = np.random.default_rng(1)
columns, group = kernel.parameters[1].shape[1:]
a, b = drawn((2, group), shared), drawn((2, columns, group), groups)
kind = np.float32 if element == "bf16" else np.int32
c, r = random.integers(-100, 100, columns).astype(kind), np.zeros(columns, kind)
kernel.bind([x.ctypes.data for x in (a, b, c, r)])(1)
wanted = c + np.einsum("pk,pnk->n", value(a, shared), value(b, groups))
print(np.abs(r - wanted).max() <= (1e-5 if element == "bf16" else 0))
"""


@pytest.mark.parametrize(
    ("element", "columns", "strict", "count"),
    # i8: as many again for what 128 in the place of 0 adds.
    [("bf16", 32, 0, 4), ("bf16", 20, 0, 4), ("i8", 32, 8, 8), ("i8", 5, 4, 4)],
)
def test_where_the_processor_has_them_and_rounding_is_free(
    element: str, columns: int, strict: int, count: int
) -> None:
    assert run(_LOWERED, _kernel(element, columns)).split() == [str(count), "0", str(strict)]


def test_only_what_fits_the_instruction() -> None:
    both = _kernel("i8", 16, ("extui", "extui"))
    assert run(_LOWERED, both).split() == ["0", "0", "0"]
    one = _kernel("i8", 16, ("extui", "extsi"))
    assert run(_LOWERED, one).split() == ["2", "0", "2"]


@pytest.mark.skipif(
    not {BF16_DOTS, I8_DOTS} <= set(this_processor().features), reason="the processor has no dot products"
)
@pytest.mark.parametrize(
    ("element", "columns", "widen"),
    [
        ("bf16", 32, ("", "")),
        ("bf16", 37, ("", "")),
        ("i8", 16, ("", "")),
        ("i8", 49, ("extsi", "extsi")),
        ("i8", 64, ("extui", "extsi")),
        ("i8", 3, ("extsi", "extui")),
        ("i8", 16, ("extui", "extui")),
    ],
)
def test_the_numbers_are_right(element: str, columns: int, widen: tuple[str, str]) -> None:
    assert run(_CALLED, _kernel(element, columns, widen), element, *widen).strip() == "True"
