"""The MLIR text of a case: one function on tensors, its result returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.elementwise_operations import elementwise_kernel
from benchmarks.row_operations import row_kernel
from benchmarks.shapes import Shape
from benchmarks.suite import Case

_PREFIX = {1: "conv_1d", 2: "conv_2d", 3: "conv_3d"}
_CHANNELS_LAST = {1: "nwc_wcf", 2: "nhwc_hwcf", 3: "ndhwc_dhwcf"}
_CHANNELS_FIRST = {1: "ncw_fcw", 2: "nchw_fchw", 3: "ncdhw_fcdhw"}


def kernel_text(case: Case) -> str:
    """A module with one function named `kernel`, which takes the case's inputs in order."""
    written = _WRITTEN.get(case.kind)
    return _contraction_text(case) if written is None else written(case)


def _contraction_text(case: Case) -> str:
    out = tensor(case.output)
    names = [f"%arg{number}" for number in range(len(case.inputs))]
    arguments = ", ".join(f"{n}: {tensor(shape)}" for n, shape in zip(names, case.inputs, strict=True))
    prologue, image, image_shape = _image(case)
    operands = f"ins({image}, %arg1 : {tensor(image_shape)}, {tensor(case.inputs[1])})"
    op, body = _op(case)
    lines = [
        f"func.func @kernel({arguments}) -> {out} {{",
        "  %zero = arith.constant 0.0 : f32",
        *prologue,
        f"  %empty = tensor.empty() : {out}",
        f"  %init = linalg.fill ins(%zero : f32) outs(%empty : {out}) -> {out}",
        f"  %result = {op} {operands} outs(%init : {out}) {body}-> {out}",
    ]
    if case.has_epilogue:
        lines += [_epilogue(case), f"  return %fused : {out}"]
    else:
        lines.append(f"  return %result : {out}")
    return "\n".join((*lines, "}", ""))


_WRITTEN: dict[str, Callable[[Case], str]] = {"rows": row_kernel, "elementwise": elementwise_kernel}


def tensor(shape: Shape) -> str:
    """The type of a tensor of f32."""
    return f"tensor<{'x'.join(str(extent) for extent in (*shape, 'f32'))}>"


def _image(case: Case) -> tuple[list[str], str, Shape]:
    """The first operand: lines that make it, its name and shape.

    That of a transposed convolution is the image spread among zeros, as torch-mlir emits it.
    """
    shape = case.inputs[0]
    if case.kind != "transposed_conv":
        return [], "%arg0", shape
    f = case.fields
    border, stride = f["kernel"] - 1 - f["padding"], f["stride"]
    batch, *spatial, channels = shape
    spread = (batch, *((extent - 1) * stride + 1 + 2 * border for extent in spatial), channels)
    lines = [
        f"  %space = tensor.empty() : {tensor(spread)}",
        f"  %zeros = linalg.fill ins(%zero : f32) outs(%space : {tensor(spread)}) -> {tensor(spread)}",
        f"  %spread = tensor.insert_slice %arg0 into %zeros[0, {border}, {border}, 0]"
        f" {list(shape)} [1, {stride}, {stride}, 1]",
        f"    : {tensor(shape)} into {tensor(spread)}",
    ]
    return lines, "%spread", spread


def _op(case: Case) -> tuple[str, str]:
    """The contraction: what stands before its operands, and its body, if it is spelled out."""
    f = case.fields
    if case.kind in ("matvec", "vecmat"):
        return f"linalg.{case.kind}", ""
    if case.kind == "matmul":
        return _matmul(f["batch"] > 0, f["a_transposed"], f["b_transposed"]), ""
    dims = len(f["spatial"])
    stride = 1 if case.kind == "transposed_conv" else f["stride"]
    attributes = (
        f"{{dilations = dense<1> : tensor<{dims}xi64>, strides = dense<{stride}> : tensor<{dims}xi64>}}"
    )
    last = f["layout"] == "channels_last"
    if f.get("depthwise"):
        return f"linalg.depthwise_conv_2d_{'nhwc_hwc' if last else 'nchw_chw'} {attributes}", ""
    if f.get("groups", 1) > 1:
        # linalg's own op with channels last wants the filters' loops in front of the window's.
        if last:
            body = _body(product="mulf %x, %y", sum="addf %o, %product")
            return _grouped_channels_last(stride), f"{body} "
        return f"linalg.conv_2d_ngchw_gfchw {attributes}", ""
    return f"linalg.{_PREFIX[dims]}_{(_CHANNELS_LAST if last else _CHANNELS_FIRST)[dims]} {attributes}", ""


def _matmul(batched: bool, a_transposed: bool, b_transposed: bool) -> str:
    name = "linalg.batch_matmul" if batched else "linalg.matmul"
    if not (a_transposed or b_transposed):
        return name
    batch = ["b"] if batched else []
    a, b = (["k", "m"] if a_transposed else ["m", "k"]), (["n", "k"] if b_transposed else ["k", "n"])
    loops = [*batch, "m", "n", "k"]
    return f"{name} indexing_maps = {_maps(loops, [*batch, *a], [*batch, *b], [*batch, 'm', 'n'])}"


def _grouped_channels_last(stride: int) -> str:
    loops = ["n", "h", "w", "g", "f", "y", "x", "c"]
    image = ["n", f"h * {stride} + y", f"w * {stride} + x", "g", "c"]
    maps = _maps(loops, image, ["y", "x", "g", "c", "f"], loops[:5])
    return f"linalg.generic {{indexing_maps = {maps}, {_iterators(5, 3)}}}"


def _epilogue(case: Case) -> str:
    """Bias and ReLU on `%result`; the bias runs along the columns or filters."""
    loops = [f"d{number}" for number in range(len(case.output))]
    along = loops[1] if case.fields.get("layout") == "channels_first" else loops[-1]
    out, bias = tensor(case.output), len(case.inputs) - 1
    maps = _maps(loops, loops, [along], loops)
    body = _body(sum="addf %x, %y", positive="maximumf %sum, %zero")
    return (
        f"  %fused = linalg.generic {{indexing_maps = {maps}, {_iterators(len(loops), 0)}}}"
        f" ins(%result, %arg{bias} : {out}, {tensor(case.inputs[bias])}) outs(%empty : {out})"
        f" {body} -> {out}"
    )


def _body(**values: str) -> str:
    """That of a generic of `%x` and `%y` into `%o`: its operations by their results, the last one yielded."""
    ops = "\n".join(f"    %{name} = arith.{op} : f32" for name, op in values.items())
    *_, result = values
    return f"""{{
  ^bb0(%x: f32, %y: f32, %o: f32):
{ops}
    linalg.yield %{result} : f32
  }}"""


def _maps(loops: Sequence[str], *results: Sequence[str]) -> str:
    maps = (f"affine_map<({', '.join(loops)}) -> ({', '.join(rows)})>" for rows in results)
    return f"[{', '.join(maps)}]"


def _iterators(parallel: int, reduction: int) -> str:
    kinds = ['"parallel"'] * parallel + ['"reduction"'] * reduction
    return f"iterator_types = [{', '.join(kinds)}]"
