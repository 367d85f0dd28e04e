"""Kernel texts of many kinds of op, small."""

from __future__ import annotations


def generic(
    dims: str, inputs: dict[str, str], output: str, maps: list[str], iterators: str, body: str, init: str
) -> str:
    """A function around one linalg.generic; `inputs` name -> tensor type, `init` the ops that make %init."""
    names = list(inputs)
    kinds = ", ".join(f'"{ {"p": "parallel", "r": "reduction"}[i] }"' for i in iterators)
    arguments = ", ".join(f"%{n}: {inputs[n]}" for n in names)
    affine = ", ".join(f"affine_map<({dims}) -> ({m})>" for m in maps)
    element = {n: t.rsplit("x", 1)[1][:-1] for n, t in [*inputs.items(), ("out", output)]}
    block = ", ".join(f"%{n[0]}_{n}: {element[n]}" for n in names)
    return f"""
func.func @k({arguments}) -> {output} {{
  {init}
  %r = linalg.generic {{indexing_maps = [{affine}], iterator_types = [{kinds}]}}
    ins({", ".join(f"%{n}" for n in names)} : {", ".join(inputs.values())}) outs(%init : {output}) {{
  ^bb0({block}, %out: {element["out"]}):
    {body}
  }} -> {output}
  return %r : {output}
}}"""


def filled(output: str, value: str) -> str:
    """Ops that make %init a tensor of one value."""
    element = output.rsplit("x", 1)[-1].rstrip(">").removeprefix("tensor<")
    return f"""%v = arith.constant {value} : {element}
  %e = tensor.empty() : {output}
  %init = linalg.fill ins(%v : {element}) outs(%e : {output}) -> {output}"""


def named(name: str, inputs: list[str], output: str, init: str | None = "0.0", attributes: str = "") -> str:
    """A function around one named op; `init` None accumulates into an argument."""
    arguments = ", ".join(f"%a{i}: {t}" for i, t in enumerate(inputs))
    made = filled(output, init) if init is not None else ""
    if init is None:
        arguments += f", %init: {output}"
    ins = ", ".join(f"%a{i}" for i in range(len(inputs)))
    return f"""
func.func @k({arguments}) -> {output} {{
  {made}
  %r = linalg.{name} {attributes} ins({ins} : {", ".join(inputs)}) outs(%init : {output}) -> {output}
  return %r : {output}
}}"""


def elementwise(element: str, body: str, shape: str = "5x7", second: str = "") -> str:
    """A function around an elementwise generic of %a_a (and %b_b, of type `second`), yielding %y."""
    kind = f"tensor<{shape}x{element}>"
    inputs = {"a": kind} | ({"b": f"tensor<{shape}x{second}>"} if second else {})
    return generic(
        "i, j",
        inputs,
        kind,
        ["i, j"] * (len(inputs) + 1),
        "pp",
        f"{body}\n    linalg.yield %y : {element}",
        f"%init = tensor.empty() : {kind}",
    )


MATMUL_BIAS_RELU = """
func.func @k(%a: tensor<9x17xf32>, %b: tensor<17x12xf32>, %bias: tensor<12xf32>) -> tensor<9x12xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<9x12xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<9x12xf32>) -> tensor<9x12xf32>
  %m = linalg.matmul ins(%a, %b : tensor<9x17xf32>, tensor<17x12xf32>) outs(%f : tensor<9x12xf32>)
    -> tensor<9x12xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
    affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%m, %bias : tensor<9x12xf32>, tensor<12xf32>) outs(%e : tensor<9x12xf32>) {
  ^bb0(%x: f32, %y: f32, %out: f32):
    %s = arith.addf %x, %y : f32
    %c = arith.cmpf ogt, %s, %z : f32
    %t = arith.select %c, %s, %z : f32
    linalg.yield %t : f32
  } -> tensor<9x12xf32>
  return %r : tensor<9x12xf32>
}"""

_F = "f32"
KERNELS: dict[str, str] = {
    "matmul": named("matmul", ["tensor<9x17xf32>", "tensor<17x12xf32>"], "tensor<9x12xf32>"),
    "matmul f64": named("matmul", ["tensor<9x17xf64>", "tensor<17x12xf64>"], "tensor<9x12xf64>"),
    "matmul i8": named("matmul", ["tensor<9x170xi8>", "tensor<170x12xi8>"], "tensor<9x12xi8>", "0"),
    "matmul i8 to i32": named("matmul", ["tensor<9x17xi8>", "tensor<17x12xi8>"], "tensor<9x12xi32>", "0"),
    "matmul f16 to f32": named("matmul", ["tensor<9x17xf16>", "tensor<17x12xf16>"], "tensor<9x12xf32>"),
    "matmul accumulating": named(
        "matmul", ["tensor<9x17xf32>", "tensor<17x12xf32>"], "tensor<9x12xf32>", None
    ),
    "matvec": named("matvec", ["tensor<9x17xf32>", "tensor<17xf32>"], "tensor<9xf32>"),
    "dot": named("dot", ["tensor<99xf32>", "tensor<99xf32>"], "tensor<f32>"),
    "batch_matmul": named(
        "batch_matmul", ["tensor<3x9x17xf32>", "tensor<3x17x12xf32>"], "tensor<3x9x12xf32>"
    ),
    "conv 1d": named("conv_1d_nwc_wcf", ["tensor<2x12x3xf32>", "tensor<3x3x5xf32>"], "tensor<2x10x5xf32>"),
    "conv 2d strided": named(
        "conv_2d_nhwc_hwcf",
        ["tensor<1x13x15x3xf32>", "tensor<3x3x3x5xf32>"],
        "tensor<1x5x6x5xf32>",
        attributes="{strides = dense<2> : tensor<2xi64>, dilations = dense<[2, 1]> : tensor<2xi64>}",
    ).replace("5x6x5", "5x7x5"),
    "conv 2d nchw": named(
        "conv_2d_nchw_fchw", ["tensor<2x3x9x9xf32>", "tensor<4x3x3x3xf32>"], "tensor<2x4x7x7xf32>"
    ),
    "depthwise": named(
        "depthwise_conv_2d_nhwc_hwc", ["tensor<1x9x9x6xf32>", "tensor<3x3x6xf32>"], "tensor<1x7x7x6xf32>"
    ),
    "max pooling": named(
        "pooling_nhwc_max",
        ["tensor<1x9x9x6xf32>", "tensor<3x3xf32>"],
        "tensor<1x4x4x6xf32>",
        "0xFF800000",
        "{strides = dense<2> : tensor<2xi64>}",
    ),
    "sum pooling": named(
        "pooling_nhwc_sum", ["tensor<1x9x9x6xf32>", "tensor<3x3xf32>"], "tensor<1x7x7x6xf32>"
    ),
    "row sum": generic(
        "i, j",
        {"a": "tensor<9x33xf32>"},
        "tensor<9xf32>",
        ["i, j", "i"],
        "pr",
        "%y = arith.addf %a_a, %out : f32\n linalg.yield %y : f32",
        filled("tensor<9xf32>", "0.0"),
    ),
    "row product": generic(
        "i, j",
        {"a": "tensor<9x6xf32>"},
        "tensor<9xf32>",
        ["i, j", "i"],
        "pr",
        "%y = arith.mulf %a_a, %out : f32\n linalg.yield %y : f32",
        filled("tensor<9xf32>", "1.0"),
    ),
    "column max of exp": generic(
        "i, j",
        {"a": "tensor<9x33xf32>"},
        "tensor<33xf32>",
        ["i, j", "j"],
        "rp",
        "%x = math.exp %a_a : f32\n %y = arith.maximumf %x, %out : f32\n linalg.yield %y : f32",
        filled("tensor<33xf32>", "0xFF800000"),
    ),
    "unsigned max": generic(
        "i, j",
        {"a": "tensor<9x33xi8>"},
        "tensor<9xi8>",
        ["i, j", "i"],
        "pr",
        "%y = arith.maxui %a_a, %out : i8\n linalg.yield %y : i8",
        filled("tensor<9xi8>", "0"),
    ),
    "six loops": generic(
        "a, b, c, d, e, f",
        {"x": "tensor<3x4x5x2xf32>", "y": "tensor<2x5x3x2xf32>"},
        "tensor<4x3x3x2xf32>",
        ["a, b, e, f", "f, e, c, d", "b, a, c, d"],
        "pppprr",
        "%p = arith.mulf %x_x, %y_y : f32\n %s = arith.addf %out, %p : f32\n linalg.yield %s : f32",
        filled("tensor<4x3x3x2xf32>", "0.0"),
    ),
    "difference of products": generic(
        "i, j, k",
        {"x": "tensor<5x6xf32>", "y": "tensor<6x7xf32>"},
        "tensor<5x7xf32>",
        ["i, k", "k, j", "i, j"],
        "ppr",
        "%p = arith.mulf %x_x, %y_y : f32\n %s = arith.subf %out, %p : f32\n linalg.yield %s : f32",
        filled("tensor<5x7xf32>", "0.5"),
    ),
    "transposed": generic(
        "i, j",
        {"a": "tensor<9x5xf32>"},
        "tensor<5x9xf32>",
        ["j, i", "i, j"],
        "pp",
        "linalg.yield %a_a : f32",
        "%init = tensor.empty() : tensor<5x9xf32>",
    ),
    "matmul bias relu": MATMUL_BIAS_RELU,
    "gelu": elementwise(
        _F,
        """%h = arith.constant 0.5 : f32
    %o = arith.constant 1.0 : f32
    %s = arith.constant 0.70710678 : f32
    %m = arith.mulf %a_a, %s : f32
    %e = math.erf %m : f32
    %p = arith.addf %e, %o : f32
    %q = arith.mulf %a_a, %p : f32
    %y = arith.mulf %q, %h : f32""",
    ),
    "sigmoid": elementwise(
        _F,
        """%o = arith.constant 1.0 : f32
    %n = arith.negf %a_a : f32
    %e = math.exp %n : f32
    %p = arith.addf %e, %o : f32
    %y = arith.divf %o, %p : f32""",
    ),
    "rsqrt of square": elementwise(
        _F,
        """%s = arith.mulf %a_a, %a_a : f32
    %o = arith.constant 0.001 : f32
    %p = arith.addf %s, %o : f32
    %q = math.sqrt %p : f32
    %t = math.rsqrt %p : f32
    %l = math.log %p : f32
    %u = arith.addf %q, %t : f32
    %y = arith.addf %u, %l : f32""",
    ),
    "log of what may be negative": elementwise(_F, "%y = math.log %a_a : f32"),
    "rounding": elementwise(
        _F,
        """%c = arith.constant 7.3 : f32
    %m = arith.mulf %a_a, %c : f32
    %f = math.floor %m : f32
    %g = math.ceil %m : f32
    %t = arith.addf %f, %g : f32
    %i = arith.fptosi %m : f32 to i32
    %s = arith.sitofp %i : i32 to f32
    %y = arith.addf %t, %s : f32""",
    ),
    "integers": elementwise(
        "i8",
        """%c = arith.constant 100 : i8
    %m = arith.muli %a_a, %c : i8
    %x = arith.xori %m, %b_b : i8
    %d = arith.minui %x, %a_a : i8
    %l = arith.cmpi slt, %d, %b_b : i8
    %s = arith.select %l, %x, %c : i8
    %y = arith.subi %s, %b_b : i8""",
        second="i8",
    ),
    "widening": elementwise(
        "i32",
        """%w = arith.extsi %b_b : i8 to i32
    %u = arith.extui %b_b : i8 to i32
    %m = arith.muli %w, %u : i32
    %y = arith.addi %m, %a_a : i32""",
        second="i8",
    ),
    "indices": elementwise(
        _F,
        """%i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %k = arith.muli %i, %j : index
    %w = arith.index_cast %k : index to i32
    %f = arith.sitofp %w : i32 to f32
    %y = arith.addf %f, %a_a : f32""",
    ),
    "halves": elementwise(
        "f16",
        "%w = arith.extf %a_a : f16 to f32\n %t = math.tanh %w : f32\n %y = arith.truncf %t : f32 to f16",
    ),
}
