from __future__ import annotations

from collections.abc import Iterator

import pytest

from harl_mlir.frontend.prepare import Prepared, prepare
from harl_mlir.mlir import ir

HEAD = "#id = affine_map<(d0, d1) -> (d0, d1)>\n"


@pytest.fixture(autouse=True)
def context() -> Iterator[None]:
    with ir.Context(), ir.Location.unknown():
        yield


def raised(arguments: str, body: str, results: str = "", returned: str = "") -> Prepared:
    text = f"{HEAD}func.func @f({arguments}) {results} {{\n{body}\nreturn {returned}\n}}\n"
    result = prepare(text, "k.mlir")
    assert result.module.operation.verify()
    return result


def test_values_are_chained_and_put_back() -> None:
    result = raised(
        "%A: memref<4x8xf32>, %B: memref<8x4xf32>, %C: memref<4x4xf32>, %unused: memref<4xf32>",
        """%z = arith.constant 0.0 : f32
        linalg.fill ins(%z : f32) outs(%C : memref<4x4xf32>)
        linalg.matmul ins(%A, %B : memref<4x8xf32>, memref<8x4xf32>) outs(%C : memref<4x4xf32>)""",
    )
    assert result.skipped == ()
    ops = [line.strip() for line in str(result.module).splitlines()[2:] if line.startswith("    ")]
    assert ops == [
        "%0 = bufferization.to_tensor %arg0 restrict : memref<4x8xf32> to tensor<4x8xf32>",
        "%1 = bufferization.to_tensor %arg1 restrict : memref<8x4xf32> to tensor<8x4xf32>",
        "%2 = bufferization.to_tensor %arg2 restrict writable : memref<4x4xf32> to tensor<4x4xf32>",
        "%cst = arith.constant 0.000000e+00 : f32",
        "%3 = linalg.fill ins(%cst : f32) outs(%2 : tensor<4x4xf32>) -> tensor<4x4xf32>",
        "%4 = linalg.matmul ins(%0, %1 : tensor<4x8xf32>, tensor<8x4xf32>) "
        "outs(%3 : tensor<4x4xf32>) -> tensor<4x4xf32>",
        "bufferization.materialize_in_destination %4 in restrict writable %arg2 : "
        "(tensor<4x4xf32>, memref<4x4xf32>) -> ()",
        "return",
    ]


def test_attributes_and_places_stay() -> None:
    result = raised(
        "%x: memref<4x4xf32>, %y: memref<4x4xf32>",
        'linalg.exp {mark = "m"} ins(%x : memref<4x4xf32>) outs(%y : memref<4x4xf32>)',
    )
    text = result.module.operation.get_asm(enable_debug_info=True, pretty_debug_info=True)
    line = next(line for line in text.splitlines() if "linalg.exp" in line)
    assert 'mark = "m"' in line
    assert line.endswith(" -:3:1")


def test_local_buffers_and_copies_are_values() -> None:
    result = raised(
        "%x: memref<4x4xf32>, %y: memref<4x4xf32>",
        """%t = memref.alloc() {alignment = 64 : i64} : memref<4x4xf32>
        %s = memref.alloca() : memref<4x4xf32>
        linalg.exp ins(%x : memref<4x4xf32>) outs(%t : memref<4x4xf32>)
        memref.copy %t, %s : memref<4x4xf32> to memref<4x4xf32>
        linalg.exp ins(%x : memref<4x4xf32>) outs(%t : memref<4x4xf32>)
        linalg.add ins(%s, %t : memref<4x4xf32>, memref<4x4xf32>) outs(%y : memref<4x4xf32>)
        memref.dealloc %t : memref<4x4xf32>""",
    )
    text = str(result.module)
    assert result.skipped == ()
    assert "memref.alloc" not in text
    assert "memref.copy" not in text
    assert "memref.dealloc" not in text
    # %s keeps the first exp, %t holds the second.
    assert "%4 = linalg.exp ins(%0" in text
    assert "ins(%4 : tensor<4x4xf32>) outs(%3 : tensor<4x4xf32>)" in text
    assert "%6 = linalg.exp ins(%0" in text
    assert "linalg.add ins(%5, %6 :" in text


def test_a_returned_allocation_becomes_a_buffer() -> None:
    result = raised(
        "%x: memref<4x4xf32>",
        """%t = memref.alloc() : memref<4x4xf32>
        linalg.exp ins(%x : memref<4x4xf32>) outs(%t : memref<4x4xf32>)""",
        "-> memref<4x4xf32>",
        "%t : memref<4x4xf32>",
    )
    assert result.skipped == ()
    assert "bufferization.to_buffer %2 : tensor<4x4xf32> to memref<4x4xf32>" in str(result.module)


def test_elementwise_in_place_is_raised() -> None:
    result = raised("%x: memref<4x4xf32>", "linalg.exp ins(%x : memref<4x4xf32>) outs(%x : memref<4x4xf32>)")
    assert result.skipped == ()
    assert "linalg.exp ins(%0 : tensor<4x4xf32>) outs(%0 : tensor<4x4xf32>)" in str(result.module)


def test_rank_0_and_tensors_among_memrefs() -> None:
    result = raised(
        "%s: f32, %x: memref<f32>, %t: tensor<4xf32>, %y: memref<4xf32>, %z: memref<4xf32>",
        """linalg.fill ins(%s : f32) outs(%x : memref<f32>)
        linalg.exp ins(%y : memref<4xf32>) outs(%z : memref<4xf32>)
        %r = linalg.exp ins(%t : tensor<4xf32>) outs(%t : tensor<4xf32>) -> tensor<4xf32>""",
    )
    assert result.skipped == ()
    assert "linalg.fill ins(%arg0 : f32) outs(%0 : tensor<f32>)" in str(result.module)


def test_constants_are_read() -> None:
    text = """memref.global "private" constant @w : memref<4x4xf32> = dense<1.0>
    func.func @f(%x: memref<4x4xf32>) {
      %w = memref.get_global @w : memref<4x4xf32>
      linalg.exp ins(%w : memref<4x4xf32>) outs(%x : memref<4x4xf32>)
      return
    }"""
    result = prepare(text, "k.mlir")
    assert result.skipped == ()
    assert result.module.operation.verify()


EXP = "linalg.exp ins(%x : memref<4x4xf32>) outs(%y : memref<4x4xf32>)\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            EXP + "%s = memref.subview %x[0, 0] [2, 2] [1, 1]"
            " : memref<4x4xf32> to memref<2x2xf32, strided<[4, 1]>>",
            "memref.subview uses a memref (k.mlir:4:6)",
        ),
        (
            EXP + "%c = arith.constant 0 : index\n%v = memref.load %x[%c, %c] : memref<4x4xf32>",
            "memref.load uses a memref (k.mlir:5:6)",
        ),
        (
            "linalg.transpose ins(%x : memref<4x4xf32>) outs(%x : memref<4x4xf32>) permutation = [1, 0]",
            "linalg.transpose reads other elements of the memref it writes (k.mlir:3:1)",
        ),
        (
            "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
            "scf.for %i = %c0 to %c1 step %c1 {\n" + EXP + "}",
            "linalg.exp inside scf.for uses a memref (k.mlir:5:1)",
        ),
        (EXP + "cf.br ^next\n^next:", "the function has control flow"),
        (
            "linalg.softmax dimension(1) ins(%x : memref<4x4xf32>) outs(%y : memref<4x4xf32>)",
            "linalg.softmax cannot be raised (k.mlir:3:1)",
        ),
    ],
)
def test_what_cannot_be_raised_is_left_with_the_reason(body: str, reason: str) -> None:
    arguments = "%x: memref<4x4xf32>, %y: memref<4x4xf32>"
    text = f"{HEAD}func.func @f({arguments}) {{\n{body}\nreturn\n}}\n"
    before = str(ir.Module.parse(text))
    result = prepare(text, "k.mlir")
    assert str(result.module) == before
    assert [skip.reason for skip in result.skipped] == [f"works on memrefs: {reason}"]


def test_other_functions_are_raised_all_the_same() -> None:
    good = "func.func @g(%x: memref<4x4xf32>, %y: memref<4x4xf32>) {" + EXP + "return }"
    bad = good.replace("@g", "@h").replace("return", "func.call @g(%x, %y) : (memref<4x4xf32>, "
                                           "memref<4x4xf32>) -> ()\n return")  # fmt: skip
    result = prepare(bad + good, "k.mlir")
    assert [skip.op for skip in result.skipped] == ["linalg.exp"]
    assert "func.call uses a memref" in result.skipped[0].reason
    assert "tensor<4x4xf32>" in str(result.module)


def test_preparing_twice_gives_the_same_module() -> None:
    text = f"func.func @f(%x: memref<4x4xf32>, %y: memref<4x4xf32>) {{ {EXP} return }}"
    assert str(prepare(text, "k.mlir").module) == str(prepare(text, "k.mlir").module)
