from __future__ import annotations

import pytest

from harl_mlir.frontend.prepare import prepare
from harl_mlir.frontend.program import functions, linalg_ops
from harl_mlir.tasks.facts import UnsupportedOpError, read_facts
from harl_mlir.tasks.linalg_op import BodyOp, LinalgOp


def facts(op: str, arguments: str, result: str, before: str = "") -> LinalgOp:
    text = f"func.func @f({arguments}) -> {result} {{\n{before}\n%r = {op}\nreturn %r : {result}\n}}"
    prepared = prepare(text, "k.mlir")
    op_ = linalg_ops(functions(prepared.module)[0])[-1]
    printed = str(op_)
    found = read_facts(op_)
    assert str(op_) == printed
    return found


def reason(op: str, arguments: str, result: str, before: str = "") -> str:
    with pytest.raises(UnsupportedOpError) as caught:
        facts(op, arguments, result, before)
    return caught.value.reason


X = "%x: tensor<4x8xf32>"
UNARY = "ins(%x : tensor<4x8xf32>) outs(%x : tensor<4x8xf32>)"


def test_matmul() -> None:
    op = facts(
        "linalg.matmul ins(%a, %b : tensor<2x3xf32>, tensor<3x5xf32>) outs(%c : tensor<2x5xf32>)"
        " -> tensor<2x5xf32>",
        "%a: tensor<2x3xf32>, %b: tensor<3x5xf32>, %c: tensor<2x5xf32>",
        "tensor<2x5xf32>",
    )
    assert op.name == "linalg.matmul"
    assert op.dims == (2, 5, 3)
    assert op.iterators == ("parallel", "parallel", "reduction")
    assert [o.map for o in op.operands] == [
        ((1, 0, 0, 0), (0, 0, 1, 0)),
        ((0, 0, 1, 0), (0, 1, 0, 0)),
        ((1, 0, 0, 0), (0, 1, 0, 0)),
    ]
    assert op.body == (BodyOp("arith.mulf", (0, 1), "f32"), BodyOp("arith.addf", (2, 3), "f32"))
    assert op.yields == 4
    assert op.reads_init
    assert op.flops == 2 * 2 * 5 * 3


@pytest.mark.parametrize(
    ("op", "body"),
    [
        (f"linalg.exp {UNARY} -> tensor<4x8xf32>", ["math.exp"]),
        (f"linalg.map {{ math.exp }} {UNARY}", ["math.exp"]),
        (f"linalg.elementwise kind=#linalg.elementwise_kind<exp> {UNARY} -> tensor<4x8xf32>", ["math.exp"]),
        (f"linalg.copy {UNARY} -> tensor<4x8xf32>", []),
    ],
)
def test_elementwise_ops_in_every_spelling(op: str, body: list[str]) -> None:
    found = facts(op, X, "tensor<4x8xf32>")
    assert found.iterators == ("parallel", "parallel")
    assert [b.name for b in found.body] == body
    assert not found.reads_init


def test_fill_has_a_scalar_operand() -> None:
    found = facts(
        "linalg.fill ins(%s : f32) outs(%x : tensor<4x8xf32>) -> tensor<4x8xf32>",
        f"%s: f32, {X}",
        "tensor<4x8xf32>",
    )
    assert found.operands[0].is_scalar
    assert (found.operands[0].shape, found.operands[0].map, found.yields) == ((), (), 0)
    assert found.flops == 0


def test_reduce_and_transpose_and_broadcast() -> None:
    reduce = facts(
        "linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%y : tensor<8xf32>) dimensions = [0]",
        f"{X}, %y: tensor<8xf32>",
        "tensor<8xf32>",
    )
    assert reduce.iterators == ("reduction", "parallel")
    transpose = facts(
        "linalg.transpose ins(%x : tensor<4x8xf32>) outs(%y : tensor<8x4xf32>) permutation = [1, 0]",
        f"{X}, %y: tensor<8x4xf32>",
        "tensor<8x4xf32>",
    )
    assert (transpose.dims, transpose.operands[0].map) == ((8, 4), ((0, 1, 0), (1, 0, 0)))
    broadcast = facts(
        "linalg.broadcast ins(%y : tensor<8xf32>) outs(%x : tensor<4x8xf32>) dimensions = [0]",
        f"{X}, %y: tensor<8xf32>",
        "tensor<4x8xf32>",
    )
    assert broadcast.operands[0].map == ((0, 1, 0),)


def test_strides_and_dilations_are_coefficients() -> None:
    found = facts(
        "linalg.conv_1d_nwc_wcf {strides = dense<2> : tensor<1xi64>, dilations = dense<3> : tensor<1xi64>}"
        " ins(%x, %w : tensor<1x21x4xf32>, tensor<3x4x8xf32>) outs(%y : tensor<1x8x8xf32>)"
        " -> tensor<1x8x8xf32>",
        "%x: tensor<1x21x4xf32>, %w: tensor<3x4x8xf32>, %y: tensor<1x8x8xf32>",
        "tensor<1x8x8xf32>",
    )
    assert found.dims == (1, 8, 8, 3, 4)
    assert found.operands[0].map[1] == (0, 2, 0, 3, 0, 0)


GENERIC = "linalg.generic {{indexing_maps = [{0}, {1}], iterator_types = [{2}]}} " + UNARY


def generic(body: str, reads: str = "affine_map<(i, j) -> (i, j)>") -> str:
    head = GENERIC.format(reads, "affine_map<(i, j) -> (i, j)>", '"parallel", "parallel"')
    return f"{head} {{\n^bb0(%a: f32, %o: f32):\n{body}\n}} -> tensor<4x8xf32>"


def test_a_constant_from_outside_is_part_of_the_body() -> None:
    inside = "%k = arith.constant 2.0 : f32\n"
    body = "%p = arith.mulf %a, %k : f32\nlinalg.yield %p : f32"
    found = facts(generic(body), X, "tensor<4x8xf32>", inside)
    assert found == facts(generic(inside + body), X, "tensor<4x8xf32>")
    assert found.body[0] == BodyOp("arith.constant", (), "f32", (("value", "2.0"),))


def test_operands_used_in_the_body_alone_may_repeat() -> None:
    found = facts(generic("linalg.yield %o : f32"), X, "tensor<4x8xf32>")
    assert found.body == ()
    assert found.reads_init


@pytest.mark.parametrize(
    ("body", "before", "expected"),
    [
        (
            "%p = arith.mulf %a, %s : f32\nlinalg.yield %p : f32",
            "%k = arith.constant 2.0 : f32\n%s = arith.addf %k, %k : f32",
            "its body uses a value from outside that is no constant",
        ),
        (
            "%c = arith.constant 0 : index\n%p = tensor.extract %x[%c, %c] : tensor<4x8xf32>\n"
            "linalg.yield %p : f32",
            "",
            "its body uses a value from outside that is no constant",
        ),
        (
            "%c = complex.create %a, %a : complex<f32>\n%p = complex.re %c : complex<f32>\n"
            "linalg.yield %p : f32",
            "",
            "its body holds complex.create",
        ),
    ],
)
def test_bodies_that_are_refused(body: str, before: str, expected: str) -> None:
    assert reason(generic(body), X, "tensor<4x8xf32>", before) == expected


def test_ops_that_are_refused() -> None:
    assert reason(
        generic("linalg.yield %a : f32", "affine_map<(i, j) -> (i, j mod 8)>"), X, "tensor<4x8xf32>"
    ) == ("an indexing map divides or takes a remainder")
    assert (
        reason(f"linalg.softmax dimension(1) {UNARY} -> tensor<4x8xf32>", X, "tensor<4x8xf32>")
        == "linalg.softmax is not a loop nest; decompose it first"
    )
    for element, shape, expected in (
        ("complex<f32>", "4", "elements of type complex<f32> are not supported"),
        ("f8E5M2", "4", "elements of type f8E5M2 are not supported"),
        ("f32", "0x4", "it has a dimension of size zero"),
    ):
        type_ = f"tensor<{shape}x{element}>"
        copy = f"linalg.copy ins(%x : {type_}) outs(%x : {type_}) -> {type_}"
        assert reason(copy, f"%x: {type_}", type_) == expected
    dynamic = "tensor<?xf32>"
    assert (
        reason(
            f"linalg.copy ins(%x : {dynamic}) outs(%x : {dynamic}) -> {dynamic}",
            "%n: index",
            dynamic,
            f"%x = tensor.empty(%n) : {dynamic}",
        )
        == "it has dynamic shapes"
    )


def test_several_results_are_refused() -> None:
    maps = "[affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>]"
    text = f"""func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {{
      %r:2 = linalg.generic {{indexing_maps = {maps}, iterator_types = ["parallel"]}}
        ins(%x : tensor<4xf32>) outs(%x, %x : tensor<4xf32>, tensor<4xf32>) {{
      ^bb0(%a: f32, %o: f32, %p: f32):
        linalg.yield %a, %a : f32, f32
      }} -> (tensor<4xf32>, tensor<4xf32>)
      return %r#0 : tensor<4xf32>
    }}"""
    prepared = prepare(text, "k.mlir")
    with pytest.raises(UnsupportedOpError, match="it has several results"):
        read_facts(linalg_ops(functions(prepared.module)[0])[0])


def test_a_result_not_indexed_by_plain_loops_is_refused() -> None:
    text = """func.func @f(%x: tensor<4xf32>, %y: tensor<4x1xf32>) -> tensor<4x1xf32> {
      %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i, 0)>],
                           iterator_types = ["parallel"]}
        ins(%x : tensor<4xf32>) outs(%y : tensor<4x1xf32>) {
      ^bb0(%a: f32, %o: f32):
        linalg.yield %a : f32
      } -> tensor<4x1xf32>
      return %r : tensor<4x1xf32>
    }"""
    prepared = prepare(text, "k.mlir")
    with pytest.raises(UnsupportedOpError, match="its result is not indexed by plain loops"):
        read_facts(linalg_ops(functions(prepared.module)[0])[0])
