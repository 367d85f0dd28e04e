"""Raised functions compute what they computed on memrefs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

M = "memref<8x8xf32>"
BODIES = {
    "chain": f"""linalg.fill ins(%k : f32) outs(%z : {M})
        linalg.matmul ins(%x, %y : {M}, {M}) outs(%z : {M})
        linalg.exp ins(%z : {M}) outs(%z : {M})""",
    "accumulates into an argument": f"linalg.matmul ins(%x, %y : {M}, {M}) outs(%z : {M})",
    "old values": f"""%t = memref.alloc() : {M}
        memref.copy %x, %t : {M} to {M}
        linalg.matmul ins(%y, %z : {M}, {M}) outs(%x : {M})
        linalg.add ins(%t, %x : {M}, {M}) outs(%y : {M})""",
    "swap": f"""%t = memref.alloca() : {M}
        memref.copy %x, %t : {M} to {M}
        memref.copy %y, %x : {M} to {M}
        memref.copy %t, %y : {M} to {M}
        linalg.transpose ins(%x : {M}) outs(%z : {M}) permutation = [1, 0]""",
    "swap by ops that copy": f"""%t = memref.alloca() : {M}
        linalg.transpose ins(%x : {M}) outs(%t : {M}) permutation = [0, 1]
        linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                         iterator_types = ["parallel", "parallel"]}} ins(%y : {M}) outs(%x : {M}) {{
        ^bb0(%a: f32, %b: f32):
          linalg.yield %a : f32
        }}
        linalg.copy ins(%t : {M}) outs(%y : {M})""",
    "a copy of a value that is written after": f"""linalg.exp ins(%x : {M}) outs(%x : {M})
        linalg.copy ins(%x : {M}) outs(%y : {M})
        linalg.exp ins(%x : {M}) outs(%x : {M})
        memref.copy %x, %z : {M} to {M}
        linalg.exp ins(%x : {M}) outs(%x : {M})""",
    "a local buffer written twice": f"""%t = memref.alloc() : {M}
        linalg.exp ins(%x : {M}) outs(%t : {M})
        linalg.sub ins(%y, %t : {M}, {M}) outs(%y : {M})
        linalg.fill ins(%k : f32) outs(%t : {M})
        linalg.matmul ins(%x, %y : {M}, {M}) outs(%t : {M})
        linalg.add ins(%t, %y : {M}, {M}) outs(%z : {M})""",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_the_same_numbers(body: str) -> None:
    text = f"""func.func @f(%x: {M}, %y: {M}, %z: {M}) {{
        %k = arith.constant 0.25 : f32
        {body}
        return
    }}"""
    done = subprocess.run(
        [sys.executable, "-m", "tests.frontend.run_kernel"],
        input=text, capture_output=True, text=True, timeout=120, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout)
    assert after == pytest.approx(before, rel=1e-6)
