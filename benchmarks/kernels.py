"""The MLIR text of a case: one function on tensors, its result returned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.chains import chain_kernel
from benchmarks.elementwise_operations import elementwise_kernel
from benchmarks.epilogues import write_epilogue
from benchmarks.memory_operations import memory_kernel
from benchmarks.row_operations import row_kernel
from benchmarks.suite import Case
from benchmarks.writer import LETTERS, Value, Writer

_PREFIX = {1: "conv_1d", 2: "conv_2d", 3: "conv_3d"}
_CHANNELS_LAST = {1: "nwc_wcf", 2: "nhwc_hwcf", 3: "ndhwc_dhwcf"}
_CHANNELS_FIRST = {1: "ncw_fcw", 2: "nchw_fchw", 3: "ncdhw_fcdhw"}


def kernel_text(case: Case) -> str:
    """A module with one function named `kernel`, which takes the case's inputs in order."""
    written = _WRITTEN.get(case.kind)
    return _contraction_text(case) if written is None else written(case)


def _contraction_text(case: Case) -> str:
    writer = Writer(case)
    element = "i32" if case.elements[0] == "i8" else "f32"
    result = Value("%result", case.output, element)
    zero = writer.filled(0.0, case.output, element)
    image = _image(writer, case)
    first, second, *extras = (image, *writer.arguments[1:])
    operands = f"ins({first.name}, {second.name} : {first.type}, {second.type})"
    op, body = _op(case)
    writer.line(f"%result = {op} {operands} outs({zero.name} : {zero.type}) {body}-> {result.type}")
    along = 1 if case.fields.get("layout") == "channels_first" else -1
    if case.has_epilogue:
        result = write_epilogue(writer, case.fields["epilogue"], result, extras, along)
    if case.result_element != element:
        loops = LETTERS[: len(case.output)]
        narrow = [f"%r = arith.truncf %x : {element} to {case.result_element}"]
        into = writer.empty(case.output, case.result_element)
        result = writer.generic(loops, [(result, loops)], into, loops, narrow)
    return writer.finished(result)


_WRITTEN: dict[str, Callable[[Case], str]] = {
    "rows": row_kernel,
    "elementwise": elementwise_kernel,
    "memory": memory_kernel,
    "chain": chain_kernel,
}


def _image(w: Writer, case: Case) -> Value:
    """The first operand; of a transposed convolution the image spread among zeros, as by torch-mlir."""
    image = w.arguments[0]
    if case.kind != "transposed_conv":
        return image
    f = case.fields
    border, stride = f["kernel"] - 1 - f["padding"], f["stride"]
    batch, *spatial, channels = image.shape
    spread = (batch, *((extent - 1) * stride + 1 + 2 * border for extent in spatial), channels)
    zeros, made = w.filled(0.0, spread), w.fresh(spread)
    w.line(
        f"{made.name} = tensor.insert_slice {image.name} into {zeros.name}[0, {border}, {border}, 0]"
        f" {list(image.shape)} [1, {stride}, {stride}, 1] : {image.type} into {zeros.type}"
    )
    return made


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
