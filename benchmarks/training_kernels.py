"""`python -m benchmarks.training_kernels -o DIRECTORY`: the kernels that the shipped weights are trained on.

Small kernels of every kind the sketches know, none of them held out. To rebuild the database of records
(a few seconds a round and kernel on one core), then the weights:

    python -m benchmarks.training_kernels -o kernels
    for kernel in kernels/*.mlir; do
        harl-mlir tune $kernel --agent random --trials 100 --seconds 20 --db training.db
        harl-mlir tune $kernel --agent harl --weights none --trials 40 --seconds 20 --seed 1 --db training.db
    done
    harl-mlir train --agent harl --database training.db -o harl_mlir/weights/harl
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.kernels import kernel_text
from benchmarks.suite import Case, make_case
from benchmarks.writer import tensor
from harl_mlir.errors import InputError
from harl_mlir.measure.pool import Pool
from harl_mlir.training.held_out import load_held_out

Kernels = Iterator[tuple[str, str]]
"""Names and MLIR texts."""

_MATMULS = (
    # rows, columns, contracted, batch, transposed operands, fused
    (64, 64, 64, 0, "", ""),
    (96, 160, 224, 0, "", ""),
    (192, 192, 192, 0, "", ""),
    (256, 256, 256, 0, "", ""),
    (384, 320, 448, 0, "", ""),
    (640, 96, 320, 0, "", ""),
    (48, 1536, 256, 0, "", ""),
    (256, 1024, 48, 0, "", ""),
    (130, 70, 190, 0, "", ""),
    (253, 301, 127, 0, "", ""),
    (33, 500, 65, 0, "", ""),
    (12, 768, 768, 0, "", ""),
    (2, 2048, 384, 0, "", ""),
    (768, 24, 512, 0, "", ""),
    (320, 320, 320, 0, "a", ""),
    (224, 384, 256, 0, "b", ""),
    (64, 512, 1024, 0, "b", ""),
    (96, 96, 48, 8, "", ""),
    (160, 48, 96, 6, "b", ""),
    (56, 200, 72, 10, "", ""),
    (288, 256, 320, 0, "", "bias_relu"),
    (72, 1024, 384, 0, "", "bias_relu"),
)
_CONVOLUTIONS = (
    # batch, spatial, channels, filters, kernel, stride, padding, layout, groups, depthwise, fused
    (1, (192,), 48, 96, 3, 1, 1, "last", 1, False, ""),
    (2, (100,), 96, 160, 5, 2, 2, "last", 1, False, ""),
    (1, (160,), 80, 192, 1, 2, 0, "last", 1, False, ""),
    (1, (128,), 64, 64, 3, 1, 1, "first", 1, False, ""),
    (2, (96,), 48, 80, 5, 2, 2, "first", 1, False, ""),
    (1, (40, 40), 48, 48, 3, 1, 1, "last", 1, False, ""),
    (1, (30, 30), 96, 96, 3, 2, 1, "last", 1, False, ""),
    (1, (12, 12), 160, 192, 3, 1, 1, "last", 1, False, ""),
    (1, (48, 48), 80, 112, 1, 1, 0, "last", 1, False, ""),
    (1, (96, 96), 3, 32, 7, 2, 3, "last", 1, False, ""),
    (2, (9, 9), 224, 224, 3, 1, 1, "last", 1, False, ""),
    (1, (20, 20), 40, 56, 5, 1, 2, "last", 1, False, ""),
    (1, (40, 40), 48, 48, 3, 1, 1, "first", 1, False, ""),
    (1, (30, 30), 96, 96, 3, 2, 1, "first", 1, False, ""),
    (1, (12, 12), 160, 192, 3, 1, 1, "first", 1, False, ""),
    (1, (48, 48), 80, 112, 1, 1, 0, "first", 1, False, ""),
    (1, (96, 96), 3, 32, 7, 2, 3, "first", 1, False, ""),
    (2, (9, 9), 224, 224, 3, 1, 1, "first", 1, False, ""),
    (1, (8, 24, 24), 32, 32, 3, 1, 1, "last", 1, False, ""),
    (1, (6, 20, 20), 48, 64, 1, 1, 0, "last", 1, False, ""),
    (1, (8, 24, 24), 24, 32, 3, 2, 1, "first", 1, False, ""),
    (1, (80, 80), 48, 48, 3, 1, 1, "last", 1, True, ""),
    (1, (40, 40), 96, 96, 3, 2, 1, "last", 1, True, ""),
    (1, (20, 20), 320, 320, 5, 1, 2, "last", 1, True, ""),
    (1, (40, 40), 96, 96, 3, 1, 1, "first", 1, True, ""),
    (1, (20, 20), 256, 256, 3, 2, 1, "first", 1, True, ""),
    (1, (20, 20), 96, 96, 3, 1, 1, "last", 12, False, ""),
    (1, (20, 20), 96, 96, 3, 1, 1, "first", 12, False, ""),
    (1, (36, 36), 64, 80, 3, 1, 1, "last", 1, False, "bias_relu"),
    (1, (24, 24), 96, 64, 3, 1, 1, "first", 1, False, "bias_relu"),
    (1, (44, 44), 48, 160, 1, 1, 0, "last", 1, False, "bias_relu"),
)
_TRANSPOSED = ((1, (10, 10), 96, 64), (1, (24, 24), 48, 32))
_VECTORS = (("matvec", 768, 1280), ("matvec", 300, 700), ("vecmat", 640, 1536))
_REDUCTIONS = (
    ("rows_sum", (512, 768), (0,), "arith.addf", "0.0"),
    ("rows_max", (200, 1000), (0,), "arith.maximumf", "0xFF800000"),
    ("columns_sum", (768, 512), (1,), "arith.addf", "0.0"),
    ("middle_sum", (24, 56, 200), (0, 2), "arith.addf", "0.0"),
    ("pool_max", (32, 40, 96), (2,), "arith.maximumf", "0xFF800000"),
)
"""Name, extents, the loops that are kept, the combiner and its neutral element."""
_ELEMENTWISE = (("add", (700, 900)), ("add", (64, 48, 96)), ("turned", (640, 480)))


def kernels() -> Kernels:
    """Every training kernel."""
    for case in _cases():
        yield case.name, kernel_text(case)
    for name, extents, kept, combiner, neutral in _REDUCTIONS:
        yield f"{name}_{_by(extents)}", _reduction(extents, kept, combiner, neutral)
    for name, extents in _ELEMENTWISE:
        yield f"{name}_{_by(extents)}", _elementwise(extents, name == "turned")


def checked_kernels() -> Kernels:
    """The training kernels after a look at their workload keys.

    Raises:
        InputError: one of them is held out.
    """
    held = load_held_out().workloads
    with Pool() as pool:
        for name, text in kernels():
            for task in pool.analyse(text, f"{name}.mlir").tasks:
                if task.flops and task.key in held:
                    raise InputError(f"the training kernel {name} is held out ({', '.join(held[task.key])})")
            yield name, text


def main() -> None:
    """Write the kernels."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_kernels")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY")
    directory = parser.parse_args().output
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, text in checked_kernels():
        (directory / f"{name}.mlir").write_text(text, encoding="utf-8")
        count += 1
    print(f"wrote {count} kernels to {directory}")


def _cases() -> Iterator[Case]:
    for m, n, k, batch, turned, fused in _MATMULS:
        parts = ["matmul", *([f"b{batch}"] if batch else []), _by((m, n, k)), turned and f"{turned}t", fused]
        fields = {"m": m, "n": n, "k": k, "batch": batch, "epilogue": fused}
        turns = {"a_transposed": turned == "a", "b_transposed": turned == "b"}
        yield _case("matmul", parts, {**fields, **turns})
    for (
        batch,
        spatial,
        channels,
        filters,
        kernel,
        stride,
        padding,
        layout,
        groups,
        deep,
        fused,
    ) in _CONVOLUTIONS:
        shape = f"b{batch}_{_by((*spatial, channels))}_f{filters}_k{kernel}_s{stride}_g{groups}"
        parts = ["depthwise" if deep else "conv", layout, shape, fused]
        fields = {"batch": batch, "spatial": spatial, "channels": channels, "filters": filters}
        window = {"kernel": kernel, "stride": stride, "padding": padding, "layout": f"channels_{layout}"}
        yield _case(
            "conv", parts, {**fields, **window, "groups": groups, "depthwise": deep, "epilogue": fused}
        )
    for batch, spatial, channels, filters in _TRANSPOSED:
        fields = {"batch": batch, "spatial": spatial, "channels": channels, "filters": filters}
        parts = ["tconv", _by((*spatial, channels)), f"f{filters}"]
        yield _case(
            "transposed_conv",
            parts,
            {**fields, "kernel": 4, "stride": 2, "padding": 1, "layout": "channels_last"},
        )
    for kind, m, k in _VECTORS:
        yield _case(kind, [kind, _by((m, k))], {"m": m, "n": k, "k": m if kind == "vecmat" else k})


def _case(kind: str, parts: list[str], fields: dict[str, object]) -> Case:
    name = "_".join(part for part in parts if part)
    return make_case({"name": name, "class": "training", "kind": kind, "quick": False, **fields})


def _by(extents: tuple[int, ...]) -> str:
    return "x".join(map(str, extents))


def _reduction(extents: tuple[int, ...], kept: tuple[int, ...], combiner: str, neutral: str) -> str:
    loops = [f"d{number}" for number in range(len(extents))]
    kinds = ", ".join('"parallel"' if number in kept else '"reduction"' for number in range(len(extents)))
    image, out = tensor(extents), tensor(tuple(extents[number] for number in kept))
    inside, outside = ", ".join(loops), ", ".join(loops[number] for number in kept)
    return f"""func.func @kernel(%x: {image}) -> {out} {{
  %neutral = arith.constant {neutral} : f32
  %empty = tensor.empty() : {out}
  %init = linalg.fill ins(%neutral : f32) outs(%empty : {out}) -> {out}
  %result = linalg.generic {{
      indexing_maps = [affine_map<({inside}) -> ({inside})>, affine_map<({inside}) -> ({outside})>],
      iterator_types = [{kinds}]}} ins(%x : {image}) outs(%init : {out}) {{
  ^bb0(%value: f32, %so_far: f32):
    %combined = {combiner} %value, %so_far : f32
    linalg.yield %combined : f32
  }} -> {out}
  return %result : {out}
}}
"""


def _elementwise(extents: tuple[int, ...], turned: bool) -> str:
    """max(x + y, 0), the second operand with its dimensions in reverse where it is `turned`."""
    loops = [f"d{number}" for number in range(len(extents))]
    inside = ", ".join(loops)
    second = ", ".join(reversed(loops)) if turned else inside
    image, other = tensor(extents), tensor(extents[::-1] if turned else extents)
    kinds = ", ".join('"parallel"' for _ in extents)
    maps = ", ".join(f"affine_map<({inside}) -> ({rows})>" for rows in (inside, second, inside))
    return f"""func.func @kernel(%x: {image}, %y: {other}) -> {image} {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {image}
  %result = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}}
      ins(%x, %y : {image}, {other}) outs(%empty : {image}) {{
  ^bb0(%a: f32, %b: f32, %o: f32):
    %sum = arith.addf %a, %b : f32
    %positive = arith.maximumf %sum, %zero : f32
    linalg.yield %positive : f32
  }} -> {image}
  return %result : {image}
}}
"""


if __name__ == "__main__":
    main()
