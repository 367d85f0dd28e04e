"""torch finds the backend by its name, and a second process compiles nothing again."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import torch

from tests.conftest import ROOT
from tests.integrations.torch.conftest import Compile
from tests.integrations.torch.models import mlp

_PROGRAM = """
import sys
import torch
import harl_mlir.integrations.torch.child as child
from tests.integrations.torch.models import mlp

def refused(*_):
    raise SystemExit("something is compiled again")

child.run = refused
model = mlp()
x = torch.ones(7, 24)
with torch.no_grad():
    compiled = torch.compile(model, backend="harl_mlir")
    torch.testing.assert_close(compiled(x), model(x))
assert "torch_mlir.ir" not in sys.modules, "the caller's process holds MLIR"
print("found")
"""


def test_by_its_name_in_a_second_process(compiles: Compile, tmp_path: Path, shared_cache: Path) -> None:
    model = mlp()
    x = torch.ones(7, 24)
    torch.testing.assert_close(compiles(model)(x), model(x))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ((name, value),) = project["entry-points"]["torch_dynamo_backends"].items()
    installed = tmp_path / "site" / "harl_mlir-0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: harl_mlir\nVersion: 0\n")
    (installed / "entry_points.txt").write_text(f"[torch_dynamo_backends]\n{name} = {value}\n")
    ended = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", _PROGRAM],
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}", "XDG_CACHE_HOME": str(shared_cache)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "found\n"
