"""Walking a program: its functions, its linalg ops, and where in the source they are written."""

from __future__ import annotations

import re

from harl_mlir.errors import Place
from harl_mlir.mlir import ir, linalg

_NOT_OPERATIONS = frozenset({"linalg.index", "linalg.yield"})
_ARGUMENT_NAME = re.compile(rb"%([A-Za-z0-9_$.-]+)")
MEMOIZED_MAPS = "linalg.memoized_indexing_maps"
"""Where MLIR caches the maps it derives for an op."""
ALONE = "harl.alone"
"""On an `scf.forall` that one thread runs, whatever the others do."""
STREAMED = "harl.streamed"
"""On an `scf.for` whose stores go past the caches."""
FETCHED = "harl.fetched"
"""On an `scf.for` whose reads are asked for some steps before."""
TRANSPOSED = "harl.transposed"
"""On an `scf.for` in which tiles are transposed by shuffles of registers."""
VECTOR = "harl.vector"
"""On a linalg op that the lowering vectorises, as it reads or writes tensors of i1."""
BORDER = "harl.border"
"""On a `linalg.fill` that writes what lies around something padded: too little to be a task."""
LANES = "harl.lanes"
"""On an `scf.for`, a number: of its steps so many are done at once, in the lanes of vectors."""
ONLINE = "harl.online"
"""On an `scf.forall` over rows, a number: of so many elements of a row the greatest is found and the
exponentials are summed before the next (`codegen/online_sums.py`)."""
_PARSED_TEXT = "-"
"""What MLIR calls the file of a module parsed from a string."""


def all_ops(root: ir.Operation) -> list[ir.Operation]:
    """`root` and everything inside it, in program order, an op before what it holds."""
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        found.append(op)
        return ir.WalkResult.ADVANCE

    root.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def functions(module: ir.Module) -> list[ir.OpView]:
    """All `func.func` with a body, in program order, those of nested modules too."""
    return [
        op.opview for op in all_ops(module.operation) if op.name == "func.func" and len(op.regions[0].blocks)
    ]


def linalg_ops(function: ir.OpView) -> list[ir.Operation]:
    """All linalg ops of a function, inside loops and branches too, in program order."""
    return [
        op
        for op in all_ops(function.operation)
        if op.name.startswith("linalg.") and op.name not in _NOT_OPERATIONS
    ]


def task_ops(function: ir.OpView) -> list[ir.Operation]:
    """The ops of a task's kernel that are members, in program order: linalg ops and paddings."""
    wanted = {*linalg_ops(function)}
    return [op for op in all_ops(function.operation) if op in wanted or op.name == "tensor.pad"]


def made_by(value: ir.Value, name: str) -> ir.Operation | None:
    """The op that makes a value, if it is one of that name."""
    op = value.owner
    return None if isinstance(op, ir.Block) or op.name != name else op.operation


def constant_number(constant: ir.Operation) -> ir.Attribute | None:
    """The one number of an `arith.constant` that is a scalar or a splat; None of others."""
    value = constant.attributes["value"]
    if isinstance(value, ir.DenseElementsAttr) and value.is_splat:
        value = value.get_splat_value()
    return value if isinstance(value, (ir.BoolAttr, ir.IntegerAttr, ir.FloatAttr)) else None


def indexing_maps(op: ir.Operation) -> list[ir.AffineMap] | None:
    """The indexing maps of a structured linalg op; None for other linalg ops (softmax, pack)."""
    had = MEMOIZED_MAPS in op.attributes
    attribute = linalg.get_indexing_maps(op)
    # Asking caches the maps of some ops in an attribute, which would show in everything printed.
    if not had and MEMOIZED_MAPS in op.attributes:
        del op.attributes[MEMOIZED_MAPS]
    return None if attribute is None else [entry.value for entry in attribute]


def function_name(function: ir.OpView) -> str:
    """The symbol name, without `@`."""
    return str(ir.StringAttr(function.attributes["sym_name"]).value)


def entry_block(function: ir.OpView) -> ir.Block:
    """The block whose arguments are the function's."""
    return function.regions[0].blocks[0]


def place_of(location: ir.Location, file: str) -> Place:
    """The place a location names; ops parsed from our text are in `file`.

    A location that was written into the text (`loc("model.py":3:1)`) keeps its own file.
    """
    found = _file_location(location)
    if found is None:
        return Place(file)
    name = found.filename
    return Place(file if name == _PARSED_TEXT else name, found.start_line, found.start_col)


def argument_names(function: ir.OpView, text: str) -> list[str | None]:
    """The names the arguments were written with, without `%`; None where the text has none.

    MLIR forgets names when it parses, but the location of an argument leads back to its name.
    """
    lines = text.encode("utf-8", errors="surrogatepass").split(b"\n")
    return [_name_at(argument.location, lines) for argument in entry_block(function).arguments]


def _name_at(location: ir.Location, lines: list[bytes]) -> str | None:
    found = _file_location(location)
    if found is None or found.filename != _PARSED_TEXT or not 0 < found.start_line <= len(lines):
        return None
    match = _ARGUMENT_NAME.match(lines[found.start_line - 1], max(found.start_col - 1, 0))
    return match.group(1).decode() if match else None


def _file_location(location: ir.Location) -> ir.FileLineColLoc | None:
    if type(location) is ir.Location:  # diagnostics give locations of no particular kind
        location = ir.Location.from_attr(location.attr)
    if isinstance(location, ir.FileLineColLoc):
        return location
    if isinstance(location, ir.NameLoc):
        return _file_location(location.child_loc)
    if isinstance(location, ir.CallSiteLoc):
        return _file_location(location.callee)
    if isinstance(location, ir.FusedLoc):
        parts = (_file_location(part) for part in location.locations)
        return next((part for part in parts if part is not None), None)
    return None
