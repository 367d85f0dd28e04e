"""Kernels of every named linalg op that is a loop nest, in several element types, strides and dilations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

ZEROS = {"f16": "0.0", "bf16": "0.0", "f32": "0.0", "f64": "0.0", "i1": "false", "i8": "0", "i32": "0"}
SIZES = {"n": 2, "c": 3, "f": 5, "g": 2, "m": 2}
"""Sizes of the dimensions of an image, a filter and a result that are not spatial."""


def tensor(shape: Sequence[int], element: str) -> str:
    """The type of a tensor, or of a scalar if the shape is the empty string."""
    return f"tensor<{''.join(f'{size}x' for size in shape)}{element}>"


def constant(value: str, element: str) -> str:
    """An `arith.constant`, whose type MLIR does not write after `true` and `false`."""
    return f"arith.constant {value}" + ("" if value in ("true", "false") else f" : {element}")


def apply(op: str, inputs: Sequence[str], result: str, attributes: str = "", fill: str = "") -> str:
    """A function of one op; `fill` is a constant that its init is filled with, else it is an argument."""
    arguments = ", ".join(f"%a{i}: {type_}" for i, type_ in enumerate([*inputs, *([] if fill else [result])]))
    names = ", ".join(f"%a{i}" for i in range(len(inputs)))
    element = result.removeprefix("tensor<").removesuffix(">").rpartition("x")[2]
    lines = [f"func.func @f({arguments}) -> {result} {{"]
    init = f"%a{len(inputs)}"
    if fill:
        init = "%init"
        lines += [
            f"  %v = {constant(fill, element)}",
            f"  %e = tensor.empty() : {result}",
            f"  {init} = linalg.fill ins(%v : {element}) outs(%e : {result}) -> {result}",
        ]
    lines += [
        f"  %r = {op} {attributes} ins({names} : {', '.join(inputs)}) outs({init} : {result}) -> {result}",
        f"  return %r : {result}\n}}",
    ]
    return "\n".join(lines)


def products() -> Iterator[str]:
    """Matrix products: every op, transposed spellings, element types, with and without a fill."""
    ops = {
        "matmul": ("mk", "kn", "mn"),
        "batch_matmul": ("bmk", "bkn", "bmn"),
        "batch_reduce_matmul": ("bmk", "bkn", "mn"),
        "matvec": ("mk", "k", "m"),
        "vecmat": ("k", "kn", "n"),
        "batch_matvec": ("bmk", "bk", "bm"),
        "batch_vecmat": ("bk", "bkn", "bn"),
        "dot": ("k", "k", ""),
        "mmt4d": ("mkpr", "nkqr", "mnpq"),
        "batch_mmt4d": ("bmkpr", "bnkqr", "bmnpq"),
    }
    sizes = dict(zip("bmnkpqr", (2, 6, 7, 9, 4, 8, 3), strict=True))
    elements = [
        ("f32", "f32", "f32"), ("f64", "f64", "f64"), ("f16", "f16", "f32"), ("bf16", "bf16", "bf16"),
        ("f32", "f64", "f64"), ("i8", "i8", "i32"), ("i32", "i32", "i32"), ("i1", "i1", "i1"),
    ]  # fmt: skip
    for (op, letters), fills in itertools.product(ops.items(), (False, True)):
        for kinds in elements:
            a, b, c = (
                tensor([sizes[d] for d in names], kind) for names, kind in zip(letters, kinds, strict=True)
            )
            yield apply(f"linalg.{op}", [a, b], c, fill=ZEROS[kinds[2]] if fills else "")
    yield from _transposed()
    unsigned = "{cast = #linalg.type_fn<cast_unsigned>}"
    yield apply("linalg.matmul", ["tensor<4x8xi8>", "tensor<8x4xi8>"], "tensor<4x4xi32>", unsigned)
    for batch in ("", "2x"):
        name = f"linalg.quantized_{'batch_' if batch else ''}matmul"
        types = [f"tensor<{batch}4x8xi8>", f"tensor<{batch}8x4xi8>", "i32", "i32"]
        yield apply(name, types, f"tensor<{batch}4x4xi32>")


def _transposed() -> Iterator[str]:
    maps = {
        "linalg.matmul": [("mk", "nk", "mn"), ("km", "kn", "mn"), ("k", "kn", "mn")],
        "linalg.batch_matmul": [("bmk", "bnk", "bmn"), ("bkm", "bkn", "bmn"), ("k", "bkn", "bmn")],
        "linalg.contract": [("mk", "kn", "nm"), ("bmkr", "rkn", "bmn"), ("kn", "k", "n"), ("kr", "rk", "")],
    }
    sizes = dict(zip("bmnkr", (2, 6, 7, 9, 3), strict=True))
    for op, spellings in maps.items():
        for letters in spellings:
            known = {"linalg.matmul": "mnk", "linalg.batch_matmul": "bmnk"}
            loops = known.get(op, "".join(sorted(set("".join(letters)))))
            texts = [f"affine_map<({', '.join(loops)}) -> ({', '.join(d)})>" for d in letters]
            a, b, c = (tensor([sizes[d] for d in names], "f32") for names in letters)
            yield apply(op, [a, b], c, f"indexing_maps = [{', '.join(texts)}]")


CONVOLUTIONS = (
    "conv_1d_ncw_fcw", "conv_1d_nwc_wcf", "conv_2d_nchw_fchw", "conv_2d_nchw_fchw_q", "conv_2d_ngchw_fgchw",
    "conv_2d_ngchw_gfchw", "conv_2d_ngchw_gfchw_q", "conv_2d_nhwc_fhwc", "conv_2d_nhwc_fhwc_q",
    "conv_2d_nhwc_hwcf", "conv_2d_nhwc_hwcf_q", "conv_2d_nhwgc_gfhwc", "conv_2d_nhwgc_gfhwc_q",
    "conv_3d_ncdhw_fcdhw", "conv_3d_ndhwc_dhwcf", "conv_3d_ndhwc_dhwcf_q",
    "depthwise_conv_1d_ncw_cw", "depthwise_conv_1d_nwc_wc", "depthwise_conv_1d_nwc_wcm",
    "depthwise_conv_2d_nchw_chw", "depthwise_conv_2d_nhwc_hwc", "depthwise_conv_2d_nhwc_hwc_q",
    "depthwise_conv_2d_nhwc_hwcm", "depthwise_conv_2d_nhwc_hwcm_q", "depthwise_conv_3d_ncdhw_cdhw",
    "depthwise_conv_3d_ndhwc_dhwc", "depthwise_conv_3d_ndhwc_dhwcm",
)  # fmt: skip
POOLINGS = (
    "pooling_nchw_max", "pooling_nchw_sum", "pooling_ncw_max", "pooling_ncw_sum", "pooling_ndhwc_max",
    "pooling_ndhwc_min", "pooling_ndhwc_sum", "pooling_nhwc_max", "pooling_nhwc_max_unsigned",
    "pooling_nhwc_min", "pooling_nhwc_min_unsigned", "pooling_nhwc_sum", "pooling_nwc_max",
    "pooling_nwc_max_unsigned", "pooling_nwc_min", "pooling_nwc_min_unsigned", "pooling_nwc_sum",
)  # fmt: skip


def windows() -> Iterator[str]:
    """Convolutions and pooling in every layout, with strides and dilations."""
    for op in CONVOLUTIONS:
        quantized = op.endswith("_q")
        image, window = op.removesuffix("_q").split("_")[-2:]
        result = image.replace("c", "f") if "f" in window else image + "m" * ("m" in window)
        kinds = [("i8", "i8", "i32")] if quantized else [("f32", "f32", "f32"), ("bf16", "bf16", "f32")]
        for elements, (stride, dilation) in itertools.product(kinds, ((1, 1), (2, 1), (1, 2), (3, 2))):
            yield _window(op, (image, window, result), elements, stride, dilation, quantized)
    for op in POOLINGS:
        image = op.split("_")[1]
        window = "".join(d for d in image if d in "dhw")
        kinds = (
            [("i32", "i32", "i32")] if "unsigned" in op else [("f32", "f32", "f32"), ("i32", "i32", "i32")]
        )
        for elements, (stride, dilation) in itertools.product(kinds, ((1, 1), (2, 1), (1, 2))):
            yield _window(op, (image, window, image), elements, stride, dilation, False)
    yield apply("linalg.conv_1d", ["tensor<9xf32>", "tensor<3xf32>"], "tensor<7xf32>", fill="0.0")
    yield apply("linalg.conv_2d", ["tensor<9x9xf32>", "tensor<3x3xf32>"], "tensor<7x7xf32>")
    yield apply("linalg.conv_3d", ["tensor<9x9x9xf32>", "tensor<3x3x3xf32>"], "tensor<7x7x7xf32>")


def _window(
    op: str, layouts: tuple[str, str, str], kinds: tuple[str, str, str], stride: int, dilation: int, q: bool
) -> str:
    outputs = dict(zip("dhw", (3, 4, 5), strict=True))
    taps = dict(zip("dhw", (2, 3, 2), strict=True))
    moved = [d for d in layouts[0] if d in "dhw"]
    # The first dimension has them the other way round.
    steps = {d: (stride, dilation) if i else (dilation, stride) for i, d in enumerate(moved)}
    images = {d: (outputs[d] - 1) * steps[d][0] + (taps[d] - 1) * steps[d][1] + 1 for d in moved}
    spatial = (images, taps, outputs)
    types = [
        tensor([{**SIZES, **sizes}[d] for d in layout], kind)
        for layout, sizes, kind in zip(layouts, spatial, kinds, strict=True)
    ]
    strides, dilations = (
        f"dense<[{', '.join(str(steps[d][i]) for d in moved)}]> : tensor<{len(moved)}xi64>" for i in (0, 1)
    )
    attributes = f"{{strides = {strides}, dilations = {dilations}}}"
    return apply(f"linalg.{op}", [*types[:2], *(["i32", "i32"] if q else [])], types[2], attributes)


def elementwise() -> Iterator[str]:
    """Named elementwise ops, copies, transposes, broadcasts and reductions."""
    t = tensor((4, 6), "f32")
    for name in (
        "exp", "log", "abs", "ceil", "floor", "negf", "reciprocal", "round", "sqrt", "rsqrt", "square",
        "tanh", "erf",
    ):  # fmt: skip
        yield apply(f"linalg.{name}", [t], t)
        if name not in ("negf", "reciprocal"):
            yield apply("linalg.elementwise", [t], t, f"kind = #linalg.elementwise_kind<{name}>")
    for name in ("add", "sub", "mul", "div", "max", "min", "powf"):
        yield apply(f"linalg.{name}", [t, t], t)
        if name != "powf":
            yield apply(f"linalg.{name}", ["tensor<6xi32>"] * 2, "tensor<6xi32>")
    yield apply("linalg.div_unsigned", ["tensor<6xi32>"] * 2, "tensor<6xi32>")
    yield apply("linalg.select", [tensor((4, 6), "i1"), t, t], t)
    maps = "[affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>]"
    kind = f"kind = #linalg.elementwise_kind<sub> indexing_maps = {maps}"
    yield apply("linalg.elementwise", ["tensor<6xf32>", t], t, kind)
    for source in ("f64", "i32", "i8", "f16"):
        yield apply("linalg.copy", [tensor((4, 6), source)], t)
    yield apply("linalg.fill_rng_2d", ["f64", "f64", "i32"], t)
    yield apply("linalg.fill", ["f32"], t)
    for body in ("arith.addf", "arith.mulf", "arith.maximumf", "arith.minnumf"):
        for out, dims in (("4", "1"), ("6", "0"), ("", "0, 1")):
            result = tensor([int(out)] if out else [], "f32")
            text = apply(f"linalg.reduce {{ {body} }}", [t], result)
            yield text.replace(f") -> {result}\n", f") dimensions = [{dims}]\n")
    for op, source, suffix in (
        ("linalg.transpose", tensor((6, 4), "f32"), "permutation = [1, 0]"),
        ("linalg.broadcast", tensor((4,), "f32"), "dimensions = [1]"),
        ("linalg.map { math.sin }", t, ""),
    ):
        yield apply(op, [source], t).replace(f") -> {t}\n", f") {suffix}\n")
