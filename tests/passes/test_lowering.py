"""The C++ pipeline is the fixed lowering: Python's passes with the same options in the same order."""

from __future__ import annotations

import re
import subprocess

import pytest

from harl_mlir.accuracy import ACCURACIES, Accuracy
from harl_mlir.codegen.lowering import pipeline_text
from tests.passes.built import driver

OWN = {
    "strict": [
        "harl-vectorize-marked",
        "harl-first-places",
        "harl-compute-in-place",
        "harl-online-sums",
        "harl-keep-part-writes",
        "harl-part-equal-results",
        "harl-wide-buffers",
        "harl-copies-to-loops",
        "harl-vectorize-lanes",
        "harl-vector-math{isa=none}",
        "harl-move-masks-as-bytes",
        "harl-transpose-tiles",
        "harl-stream-stores",
        "harl-dot-products{bf16=false i8=true}",
        "harl-narrow-f64",
        "harl-single-transfers",
        "harl-move-single-masks-as-bytes",
        "harl-pad-bf16-vectors",
        "harl-move-bf16-as-bits",
    ],
    "reassociate": [
        "harl-vectorize-marked",
        "harl-first-places",
        "harl-compute-in-place",
        "harl-online-sums",
        "harl-keep-part-writes",
        "harl-part-equal-results",
        "harl-wide-buffers",
        "harl-copies-to-loops",
        "harl-vectorize-lanes",
        "harl-vector-math{isa=avx2}",
        "harl-move-masks-as-bytes",
        "harl-transpose-tiles",
        "harl-stream-stores",
        "harl-dot-products{bf16=true i8=true}",
        "harl-narrow-f64",
        "harl-single-transfers",
        "harl-move-single-masks-as-bytes",
        "harl-pad-bf16-vectors",
        "harl-move-bf16-as-bits",
    ],
    "approximate": [
        "harl-vectorize-marked",
        "harl-first-places",
        "harl-compute-in-place",
        "harl-online-sums",
        "harl-keep-part-writes",
        "harl-part-equal-results",
        "harl-wide-buffers",
        "harl-copies-to-loops",
        "harl-vectorize-lanes",
        "harl-approximate-math{avx512=true}",
        "harl-vector-math{isa=avx2}",
        "harl-move-masks-as-bytes",
        "harl-transpose-tiles",
        "harl-stream-stores",
        "harl-dot-products{bf16=true i8=true}",
        "harl-narrow-f64",
        "harl-single-transfers",
        "harl-move-single-masks-as-bytes",
        "harl-pad-bf16-vectors",
        "harl-move-bf16-as-bits",
    ],
}


def passes(pipeline: str) -> list[str]:
    """The passes of a pipeline with all their options, as the pass manager prints them."""
    command = [str(driver()), "-", f"--pass-pipeline={pipeline}", "--dump-pass-pipeline"]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    listed = done.stderr.split("builtin.module(", 1)[1]
    lines = [line.strip().rstrip(",") for line in listed.splitlines()]
    return [line for line in lines if re.match(r"[a-z]", line) and not line.startswith("func.func(")]


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_the_passes_are_those_of_python(accuracy: Accuracy) -> None:
    options = f"accuracy={accuracy} vector-math=avx2 bf16-dots i8-dots avx512"
    ours = passes(f"builtin.module(harl-lower-to-llvm{{{options}}})")
    assert [name for name in ours if name.startswith("harl-")] == OWN[accuracy]
    theirs = passes(pipeline_text(accuracy))
    assert len(theirs) > 30
    assert [name for name in ours if not name.startswith("harl-")] == theirs
