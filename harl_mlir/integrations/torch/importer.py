"""The importer's process: `python -m harl_mlir.integrations.torch.importer DIRECTORY`.

Reads `graph.json`, writes `kernel.mlir` or, where the graph cannot be lowered, `refusal.txt`. It may crash
or hang without harm to the caller.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harl_mlir.measure.worker import die_with

if TYPE_CHECKING:
    from harl_mlir.integrations.torch.lowering import UnsupportedError

FUNCTION = "graph"
"""The name of the function in `kernel.mlir`."""

_UNLEGALISED = re.compile(r"failed to legalize operation '(?:torch\.)?([\w.]+)'")
_UNKNOWN = re.compile(r'torch\.operator "torch\.([\w.]+)"')


def main(arguments: list[str]) -> int:
    """Import one graph."""
    directory = Path(arguments[0])
    die_with(os.getppid())
    # Only now: importing torch takes a while, and the parent may die meanwhile.
    from harl_mlir.integrations.torch import lowering

    data = json.loads((directory / "graph.json").read_text(encoding="utf-8"))
    try:
        text = lowering.linalg_of(data, FUNCTION)
    except lowering.UnsupportedError as error:
        (directory / "refusal.txt").write_text(_reason(error), encoding="utf-8")
        return 0
    (directory / "kernel.mlir").write_text(text, encoding="utf-8")
    return 0


def _reason(error: UnsupportedError) -> str:
    unknown = _UNKNOWN.findall(error.imported) or _UNLEGALISED.findall("\n".join(error.said))
    if unknown:
        return f"torch-mlir does not lower {', '.join(dict.fromkeys(unknown))}; leave it out of the model"
    said = (error.said or [str(error)])[0].strip().splitlines()
    why = said[0] if said else "no reason given"
    return f"torch-mlir does not lower all of it ({why}); leave that out of the model"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
