"""Kernels that are broken, hostile or odd, made the same each time."""

from __future__ import annotations

import gzip

GOOD = """\
func.func @kernel(%a: tensor<8x8xf32>, %b: tensor<8x8xf32>, %c: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>)
                     outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %0 : tensor<8x8xf32>
}
"""


def matmul(shape: str = "8x8xf32", name: str = "@kernel", before: str = "", after: str = "") -> str:
    """A square matmul of any type."""
    kind = f"tensor<{shape}>"
    return f"""\
func.func {name}(%a: {kind}, %b: {kind}, %c: {kind}) -> {kind} {{
  {before}
  %0 = linalg.matmul ins(%a, %b : {kind}, {kind}) outs(%c : {kind}) -> {kind}
  {after}
  return %0 : {kind}
}}
"""


def generic(maps: str, kinds: str, body: str, shape: str = "8xf32", element: str = "f32") -> str:
    """A generic op from one tensor to another of the same type."""
    kind = f"tensor<{shape}>"
    return f"""\
func.func @kernel(%a: {kind}, %c: {kind}) -> {kind} {{
  %0 = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
      ins(%a : {kind}) outs(%c : {kind}) {{
  ^bb0(%x: {element}, %y: {element}):
    {body}
  }} -> {kind}
  return %0 : {kind}
}}
"""


def elementwise(body: str, shape: str = "8xf32", element: str = "f32") -> str:
    """A body over a vector."""
    same = "affine_map<(d0) -> (d0)>"
    return generic(f"{same}, {same}", '"parallel"', body, shape, element)


def nested(open_: str, close: str, depth: int, inside: str = "") -> str:
    return open_ * depth + inside + close * depth


_TRUNCATED = {f"cut after {n} bytes": GOOD[:n] for n in (1, 9, 25, 60, 99, 103, 150, 200, 260, len(GOOD) - 2)}

_NO_TEXT: dict[str, bytes] = {
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(64),
    "NUL bytes": GOOD.encode().replace(b"%b", b"%\0"),
    "NUL at the end": GOOD.encode() + b"\0",
    "nothing but NUL": bytes(4096),
    "invalid UTF-8": GOOD.encode().replace(b"@kernel", b"@k\xff\xfe"),
    "a lone surrogate": GOOD.encode().replace(b"@kernel", b"@k\xed\xa0\x80"),
    "overlong UTF-8": GOOD.encode().replace(b"@kernel", b"@k\xc0\xaf"),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-32": GOOD.encode("utf-32"),
    "gzip": gzip.compress(GOOD.encode(), mtime=0),
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "MLIR bytecode": b"ML\xefR\x06MLIR22\x00" + bytes(40),
    "LLVM bitcode": b"BC\xc0\xde" + bytes(range(64)),
}

_NO_MLIR = {
    "empty": "",
    "blank": " \n\t\n ",
    "a comment": "// nothing here\n",
    "a byte order mark": "\ufeff" + GOOD,
    "C": "int main(void) { return 0; }\n",
    "JSON": '{"kernel": [1, 2, 3]}\n',
    "Python": "def kernel(a, b):\n    return a @ b\n",
    "HTML": "<!DOCTYPE html><html></html>\n",
    "right to left": GOOD.replace("@kernel", "@\u202elenrek"),
    "terminal codes": "\x1b[2J\x1b[31m" + GOOD,
    "half a string": 'module attributes {a = "' + GOOD,
    "an undefined value": GOOD.replace("ins(%a,", "ins(%nothing,"),
    "a value twice": GOOD.replace("return", "%0 = arith.constant 0.0 : f32\n  return"),
    "a function twice": GOOD + GOOD,
    "no return": GOOD.replace("return %0 : tensor<8x8xf32>", ""),
    "another result type": GOOD.replace("return %0 : tensor<8x8xf32>", "return %0 : tensor<8x9xf32>"),
    "shapes that do not fit": GOOD.replace("%b: tensor<8x8xf32>", "%b: tensor<9x8xf32>"),
    "a negative dimension": matmul("-8x8xf32"),
    "a dimension beyond 64 bits": matmul("99999999999999999999x8xf32"),
    "an unknown type": matmul("8x8xf31"),
    "an unknown op": GOOD.replace("linalg.matmul", "linalg.matmull"),
    "an unknown dialect": GOOD.replace("linalg.matmul", "nolang.matmul"),
    "an unregistered op": matmul(after='"some.op"() : () -> ()'),
    "torch": "func.func @kernel(%a: !torch.vtensor<[8],f32>) -> !torch.vtensor<[8],f32> {\n"
    "  return %a : !torch.vtensor<[8],f32>\n}\n",
    "tosa only": "func.func @kernel(%a: tensor<8xf32>) -> tensor<8xf32> {\n"
    "  %0 = tosa.tanh %a : (tensor<8xf32>) -> tensor<8xf32>\n  return %0 : tensor<8xf32>\n}\n",
    "a number of 1000 digits": matmul(before=f"%n = arith.constant {'9' * 1000} : i64"),
    "a map beyond its operand": generic(
        "affine_map<(d0) -> (d0 + 100)>, affine_map<(d0) -> (d0)>", '"parallel"', "linalg.yield %x : f32"
    ),
    "a coefficient beyond 64 bits": generic(
        f"affine_map<(d0) -> (d0 * {2**70})>, affine_map<(d0) -> (d0)>", '"parallel"', "linalg.yield %x : f32"
    ),
    "more loops than maps": generic(
        "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>",
        '"parallel", "parallel"',
        "linalg.yield %x : f32",
    ),
    "an unknown iterator": generic(
        "affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>", '"sideways"', "linalg.yield %x : f32"
    ),
    "a body that yields nothing": elementwise("linalg.yield"),
    "bytes that are no tensor": matmul(
        before=f'%d = arith.constant dense<"0x{"AB" * 5000}"> : tensor<7xf32>'
    ),
    "an alias that is none": matmul().replace("tensor<8x8xf32>", "!nothing", 1),
    "aliases in a circle": "!a = tensor<8x!b>\n!b = tensor<8x!a>\n" + GOOD,
}

NOTHING_TO_DO = {
    "no function": "module {}\n",
    "a declaration": "func.func private @kernel(%a: tensor<8xf32>) -> tensor<8xf32>\n",
    "no linalg op": "func.func @kernel(%a: tensor<8xf32>) -> tensor<8xf32> {\n"
    "  return %a : tensor<8xf32>\n}\n",
    "an LLVM function": "llvm.func @kernel(%a: i64) -> i64 {\n  llvm.return %a : i64\n}\n",
    "a module in a module": "module { module {\n" + GOOD + "} }\n",
    "a global of bytes": "memref.global @g : memref<4xf32> = dense<0.0>\n",
}

ODD = {
    "a huge shape": matmul("1099511627776x1099511627776xf32"),
    "bytes beyond 64 bits": matmul("4611686018427387904x4611686018427387904xf32"),
    "a zero dimension": matmul("0x0xf32"),
    "dynamic dimensions": matmul("?x?xf32"),
    "an unranked tensor": "func.func @kernel(%a: tensor<*xf32>) -> tensor<*xf32> {\n"
    "  %0 = linalg.exp ins(%a : tensor<*xf32>) outs(%a : tensor<*xf32>) -> tensor<*xf32>\n"
    "  return %0 : tensor<*xf32>\n}\n",
    "integers of 7 bits": matmul("8x8xi7"),
    "integers of a million bits": matmul("8x8xi1000000"),
    "floats of 128 bits": matmul("8x8xf128"),
    "eight-bit floats": matmul("8x8xf8E4M3FN"),
    "complex numbers": matmul("8x8xcomplex<f32>"),
    "a tensor of vectors": elementwise("linalg.yield %x : vector<4xf32>", "8xvector<4xf32>", "vector<4xf32>"),
    "a sparse tensor": "#s = #sparse_tensor.encoding<{map = (i, j) -> (i : dense, j : compressed)}>\n"
    + matmul("8x8xf32, #s"),
    "an encoding": matmul('8x8xf32, "anything"'),
    "a rank of 40": elementwise("linalg.yield %x : f32").replace("8xf32", "1x" * 40 + "f32"),
    "a map with a symbol": generic(
        "affine_map<(d0)[s0] -> (d0)>, affine_map<(d0)[s0] -> (d0)>", '"parallel"', "linalg.yield %x : f32"
    ),
    "a map with a remainder": generic(
        "affine_map<(d0) -> (d0 mod 8)>, affine_map<(d0) -> (d0)>", '"parallel"', "linalg.yield %x : f32"
    ),
    "a body that calls": elementwise("%1 = func.call @f(%x) : (f32) -> f32\n    linalg.yield %1 : f32")
    + "func.func private @f(%x: f32) -> f32\n",
    "a body that asserts": elementwise(
        '%no = arith.constant false\n    cf.assert %no, "no"\n    linalg.yield %x : f32'
    ),
    "a function that calls itself": matmul(
        after="%1 = call @kernel(%a, %b, %0) : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)"
        " -> tensor<8x8xf32>"
    ),
    "functions that call each other": "".join(
        matmul(
            name=f"@f{n}",
            after=f"%1 = call @f{1 - n}(%a, %b, %0) : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>)"
            " -> tensor<8x8xf32>",
        )
        for n in (0, 1)
    ),
    "a loop of blocks": matmul(after="cf.br ^again\n^again:\n  cf.br ^again").replace(
        "  return %0 : tensor<8x8xf32>\n", ""
    ),
    "a buffer with holes": "func.func @kernel(%a: memref<8x8xf32, strided<[100, 3], offset: ?>>) {\n"
    "  linalg.exp ins(%a : memref<8x8xf32, strided<[100, 3], offset: ?>>)\n"
    "      outs(%a : memref<8x8xf32, strided<[100, 3], offset: ?>>)\n  return\n}\n",
    "a buffer elsewhere": "func.func @kernel(%a: memref<8xf32, 7>) {\n"
    "  linalg.exp ins(%a : memref<8xf32, 7>) outs(%a : memref<8xf32, 7>)\n  return\n}\n",
    "a buffer of tensors": "func.func @kernel(%a: memref<8xmemref<8xf32>>) {\n  return\n}\n",
    "transform ops beside it": "module attributes {transform.with_named_sequence} {\n" + GOOD + "  transform."
    "named_sequence @__transform_main(%r: !transform.any_op) { transform.yield }\n}\n",
    "a name of slashes": matmul(name='@"../../etc/passwd"'),
    "a name of line ends": matmul(name='@"a\\0Ab\\0D"'),
    "a name of quotes": matmul(name='@"\';DROP TABLE record;--"'),
    "a name of 100000 letters": matmul(name="@" + "k" * 100_000),
    "no name": matmul(name='@""'),
}

DEEP = {
    "nested modules": nested("module {\n", "}\n", 3000, GOOD),
    "nested attributes": f"module attributes {{a = {nested('[', ']', 100_000)}}} {{\n{GOOD}}}\n",
    "nested brackets in a map": matmul(
        before=f"%n = affine.apply affine_map<() -> ({nested('(', ')', 50_000, '0')})>()"
    ),
    "nested types": matmul(before=f"%n = ub.poison : {nested('tuple<', '>', 20_000, 'i1')}"),
    "nested conditions": matmul(
        before="%t = arith.constant true\n" + nested("scf.if %t {\n", "}\n", 4000),
    ),
    "a long sum in a map": matmul(
        before="%z = arith.constant 0 : index\n"
        f"%n = affine.apply affine_map<(d0) -> (d0{' + d0' * 5000})>(%z)"
    ),
    "a line of a megabyte": "// " + "x" * (1 << 20) + "\n" + GOOD,
    "a thousand operands": "func.func @kernel("
    + ", ".join(f"%a{n}: tensor<8xf32>" for n in range(1000))
    + ") -> tensor<8xf32> {\n  %0 = linalg.generic {indexing_maps = ["
    + ", ".join(["affine_map<(d0) -> (d0)>"] * 1000)
    + '], iterator_types = ["parallel"]} ins('
    + ", ".join(f"%a{n}" for n in range(999))
    + " : "
    + ", ".join(["tensor<8xf32>"] * 999)
    + ") outs(%a999 : tensor<8xf32>) {\n  ^bb0("
    + ", ".join(f"%x{n}: f32" for n in range(1000))
    + "):\n    linalg.yield %x0 : f32\n  } -> tensor<8xf32>\n  return %0 : tensor<8xf32>\n}\n",
}

TEXTS = {**_TRUNCATED, **_NO_MLIR, **NOTHING_TO_DO, **ODD, **DEEP}
KERNELS: dict[str, bytes] = {**_NO_TEXT, **{name: text.encode() for name, text in TEXTS.items()}}
