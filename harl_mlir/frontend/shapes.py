"""Making dynamic shapes static: `--shape ARG=DIMxDIM...`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harl_mlir.errors import InputError, Place, printable
from harl_mlir.frontend.program import (
    all_ops,
    argument_names,
    entry_block,
    function_name,
    functions,
    linalg_ops,
    place_of,
)
from harl_mlir.mlir import PassManager, ir, memref, tensor


@dataclass(frozen=True)
class _Argument:
    """One argument of a function, under every name a user may give it."""

    function: ir.OpView
    number: int
    name: str | None
    place: Place

    @property
    def spelling(self) -> str:
        return self.name or str(self.number)

    @property
    def type(self) -> ir.Type:
        return entry_block(self.function).arguments[self.number].type

    def answers_to(self, key: str) -> bool:
        names = {str(self.number)}
        if self.name is not None:
            # `%0` as written is a name, a bare 0 is always a number.
            names.add(f"%{self.name}")
            if not self.name.isdigit():
                names.add(self.name)
        function = function_name(self.function)
        return key in names or key.removeprefix("@") in {f"{function}.{name}" for name in names}

    def __str__(self) -> str:
        return f"argument {'%' + self.name if self.name else self.number} of @{function_name(self.function)}"


def specialise(
    module: ir.Module,
    function: str | None,
    shapes: Mapping[str, tuple[int, ...]],
    text: str,
    file: str,
) -> None:
    """Give arguments static shapes and carry them through their functions, in place.

    Args:
        module: as `read_module` gives it.
        function: the only function to treat; None for all that hold linalg ops.
        shapes: for an argument (`0`, `A`, `%A`, or `func.A`) its sizes.
        text: what the module was parsed from, for the names of arguments.
        file: its name in messages.

    Raises:
        InputError: no such function or argument, a shape that contradicts the type, or a linalg op
            that stays dynamic because an argument does.
    """
    chosen = chosen_functions(module, function, file)
    arguments = [argument for f in chosen for argument in _arguments(f, text, file)]
    wanted = _resolve(shapes, arguments, file)
    for f in chosen:
        own = {a.number: wanted[i] for i, a in enumerate(arguments) if i in wanted and a.function == f}
        own = {n: s for n, s in own.items() if list(entry_block(f).arguments[n].type.shape) != list(s)}
        if own:
            _refuse_callers(module, f, file)
            _set_shapes(f, own, file)
    for f in chosen:
        _refuse_dynamic(f, [a for a in arguments if a.function == f])


def chosen_functions(module: ir.Module, function: str | None, file: str) -> list[ir.OpView]:
    """The functions with linalg ops, or the one that is named.

    Raises:
        InputError: there is no such function, or it holds no linalg op.
    """
    found = functions(module)
    useful = [f for f in found if linalg_ops(f)]
    if function is None:
        return useful
    wanted = function.removeprefix("@")
    named = [f for f in useful if function_name(f) == wanted]
    if named:
        return named
    names = ", ".join(f"@{printable(function_name(f))}" for f in useful)
    problem = (
        f"function @{printable(wanted)} holds no linalg op"
        if any(function_name(f) == wanted for f in found)
        else f"there is no function @{printable(wanted)}"
    )
    raise InputError(f"{problem}; those with linalg ops are {names}", Place(file))


def _arguments(function: ir.OpView, text: str, file: str) -> Iterator[_Argument]:
    names = argument_names(function, text)
    for number, argument in enumerate(entry_block(function).arguments):
        yield _Argument(function, number, names[number], place_of(argument.location, file))


def _resolve(
    shapes: Mapping[str, tuple[int, ...]], arguments: list[_Argument], file: str
) -> dict[int, tuple[int, ...]]:
    wanted: dict[int, tuple[int, ...]] = {}
    for key, shape in shapes.items():
        matching = [i for i, argument in enumerate(arguments) if argument.answers_to(key)]
        if not matching:
            known = ", ".join(
                f"{function_name(a.function)}.{a.spelling}" for a in arguments if _is_shaped(a.type)
            )
            raise InputError(f"--shape {key}: there is no such argument; there are {known}", Place(file))
        for i in matching:
            _check(key, shape, arguments[i])
            if wanted.get(i, shape) != shape:
                raise InputError(f"two --shape give {arguments[i]} different shapes", arguments[i].place)
            wanted[i] = shape
    return wanted


def _check(key: str, shape: tuple[int, ...], argument: _Argument) -> None:
    given = f"--shape {key}={'x'.join(map(str, shape))}"
    if not _is_shaped(argument.type):
        raise InputError(f"{given}: {argument} is a {argument.type}, which has no shape", argument.place)
    rank = argument.type.rank
    if rank != len(shape):
        problem = f"is a {argument.type} and needs {rank} sizes, not {len(shape)}"
        raise InputError(f"{given}: {argument} {problem}", argument.place)
    for d, size in enumerate(shape):
        if size < 0:
            raise InputError(f"{given}: a size cannot be negative", argument.place)
        if not argument.type.is_dynamic_dim(d) and argument.type.get_dim_size(d) != size:
            raise InputError(
                f"{given}: {argument} is a {argument.type}, so size {d} is fixed", argument.place
            )


def _is_shaped(type_: ir.Type) -> bool:
    return isinstance(type_, (ir.RankedTensorType, ir.MemRefType))


def _refuse_callers(module: ir.Module, function: ir.OpView, file: str) -> None:
    name = function_name(function)
    callers = [
        op
        for op in all_ops(module.operation)
        if op.name == "func.call" and ir.FlatSymbolRefAttr(op.attributes["callee"]).value == name
    ]
    if callers:
        raise InputError(
            f"@{name} is called here, so its shapes cannot be set by --shape; inline it first",
            place_of(callers[0].location, file),
        )


def _set_shapes(function: ir.OpView, shapes: Mapping[int, tuple[int, ...]], file: str) -> None:
    """Retype arguments, then let canonicalization carry the sizes to everything computed from them."""
    pending = dict(shapes)
    while pending:
        for number, shape in pending.items():
            _retype(function, number, shape)
        _update_signature(function)
        _canonicalize(function, file)
        pending = _implied(function)
    _refine_results(function)
    _canonicalize(function, file)


def _canonicalize(function: ir.OpView, file: str) -> None:
    try:
        PassManager.parse("func.func(canonicalize)").run(function.operation)
    except ir.MLIRError as error:
        # The verifier runs after the pass: sizes that do not fit each other show as invalid ops.
        first = error.error_diagnostics[0]
        message = f"the sizes given do not fit together: {' '.join(first.message.split())}"
        raise InputError(message, place_of(first.location, file)) from None


def _retype(function: ir.OpView, number: int, shape: tuple[int, ...]) -> None:
    block = entry_block(function)
    argument = block.arguments[number]
    old = argument.type
    argument.set_type(_with_shape(old, shape))
    dialect = memref if isinstance(old, ir.MemRefType) else tensor
    with ir.InsertionPoint.at_block_begin(block), argument.location:
        cast = dialect.CastOp(old, argument)
    argument.replace_all_uses_except(cast.result, cast.operation)


def _with_shape(type_: ir.Type, shape: tuple[int, ...]) -> ir.Type:
    if isinstance(type_, ir.MemRefType):
        return ir.MemRefType.get(shape, type_.element_type, type_.layout, type_.memory_space)
    return ir.RankedTensorType.get(shape, type_.element_type, type_.encoding)


def _implied(function: ir.OpView) -> dict[int, tuple[int, ...]]:
    """Arguments that are used only as a more static type: a matmul's init, once A and B are known."""
    implied = {}
    for number, argument in enumerate(entry_block(function).arguments):
        users = [use.owner for use in argument.uses]
        if not _is_shaped(argument.type) or argument.type.has_static_shape or not users:
            continue
        if any(user.name not in ("tensor.cast", "memref.cast") for user in users):
            continue
        types = {user.results[0].type for user in users}
        if len(types) == 1:
            only = types.pop()
            if _is_shaped(only) and only.has_static_shape:
                implied[number] = tuple(only.shape)
    return implied


def _refine_results(function: ir.OpView) -> None:
    """Return what is known of a result rather than a cast that forgets it."""
    blocks = function.regions[0].blocks
    returns = [op for block in blocks for op in block.operations if op.operation.name == "func.return"]
    if len(returns) != 1:
        return
    for i, value in enumerate(returns[0].operands):
        producer = value.owner
        if isinstance(producer, ir.Block) or producer.name not in ("tensor.cast", "memref.cast"):
            continue
        source = producer.operands[0]
        if _is_shaped(source.type) and source.type.has_static_shape and not value.type.has_static_shape:
            returns[0].operation.operands[i] = source
    _update_signature(function)


def _update_signature(function: ir.OpView) -> None:
    inputs = [argument.type for argument in entry_block(function).arguments]
    results = list(function.type.results)
    for block in function.regions[0].blocks:
        last = block.operations[len(block.operations) - 1]
        if last.operation.name == "func.return":
            results = [value.type for value in last.operands]
    function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(inputs, results))


def _refuse_dynamic(function: ir.OpView, arguments: list[_Argument]) -> None:
    dynamic = [a for a in arguments if _is_shaped(a.type) and not a.type.has_static_shape]
    if not dynamic or not any(_is_dynamic(op) for op in linalg_ops(function)):
        return
    remedy = " ".join(f"--shape {a.spelling}={_sizes(a.type)}" for a in dynamic)
    verb = "has" if len(dynamic) == 1 else "have"
    listed = ", ".join(f"%{a.spelling}" if a.name else f"number {a.number}" for a in dynamic)
    raise InputError(
        f"{listed} of @{function_name(function)} {verb} unknown sizes; give them: {remedy}",
        dynamic[0].place,
    )


def _is_dynamic(op: ir.Operation) -> bool:
    return any(_is_shaped(value.type) and not value.type.has_static_shape for value in op.operands)


def _sizes(type_: ir.Type) -> str:
    return "x".join(
        "SIZE" if type_.is_dynamic_dim(d) else str(type_.get_dim_size(d)) for d in range(type_.rank)
    )
