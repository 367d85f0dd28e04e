"""From the JSON of a graph to linalg on tensors, by torch-mlir. For the importer's process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch_mlir import ir
from torch_mlir.compiler_utils import TorchMlirCompilerError
from torch_mlir.dialects import torch as torch_dialect
from torch_mlir.extras.fx_importer import FxImporter
from torch_mlir.fx import stateless_fx_import

from harl_mlir.integrations.torch.exchange import decode
from harl_mlir.integrations.torch.linalg_rewrites import simplify

_NO_LINALG = re.compile(r"= (tm_tensor\.\w+)")
"""torch-mlir's own ops for cumulative sums, sorting, scattering."""


class UnsupportedError(Exception):
    """torch-mlir does not lower a graph.

    Attributes:
        said: its diagnostics.
        imported: the module in the torch dialect, as far as it came.
    """

    def __init__(self, message: str, said: list[str], imported: str) -> None:
        super().__init__(message)
        self.said = said
        self.imported = imported


def linalg_of(data: Mapping[str, Any], name: str) -> str:
    """The text of a module with one function, `name`, that computes the graph of `exchange.encode`'s data.

    Raises:
        UnsupportedError: an operator in it, or a use of one, is not supported.
    """
    graph = decode(data, FakeTensorMode())
    said: list[str] = []
    with ir.Context() as context:
        torch_dialect.register_dialect(context)
        importer = FxImporter(context=context)

        def note(diagnostic: ir.Diagnostic) -> bool:
            said.append(str(diagnostic.message))
            return True

        handler = context.attach_diagnostic_handler(note)
        try:
            module = stateless_fx_import(
                torch.fx.GraphModule({}, graph),
                output_type="linalg-on-tensors",
                fx_importer=importer,
                model_name=name,
            )
        except (TorchMlirCompilerError, NotImplementedError) as error:
            raise UnsupportedError(str(error), said, str(importer.module)) from error
        finally:
            handler.detach()
        left = sorted(set(_NO_LINALG.findall(str(module))))
        if left:
            raise UnsupportedError("", [f"{', '.join(left)} has no form in linalg"], "")
        simplify(module, name)
        return str(module)
