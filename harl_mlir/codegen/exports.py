"""Which functions of a program are exported to C, and how they are called there."""

from __future__ import annotations

from collections.abc import Iterator

from harl_mlir.codegen.interface import CFunction, CParameter, Role
from harl_mlir.codegen.names import c_function_name, parameter_names
from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.program import argument_names, entry_block, function_name, place_of
from harl_mlir.mlir import PassManager, ir
from harl_mlir.tasks.task import TensorType

ELEMENTS = frozenset(
    {"f16", "bf16", "f32", "f64", "i1", "index"}
    | {f"{sign}i{bits}" for sign in ("", "s", "u") for bits in (8, 16, 32, 64)}
)
"""Element types that C has a type of the same size for; one of i1 takes a byte."""
_VIEWS = frozenset(
    {
        "memref.subview", "memref.cast", "memref.collapse_shape", "memref.expand_shape",
        "memref.reinterpret_cast", "memref.transpose",
    }
)  # fmt: skip
_READS = frozenset({"memref.load", "memref.dim", "vector.load", "vector.transfer_read", "affine.load"})
_WRITABLE = "bufferization.writable"


def choose_exports(module: ir.Module, text: str, file: str, function: str | None) -> tuple[CFunction, ...]:
    """Keep a program's public functions, or only the one that is named, and what these call.

    What else there is becomes private and goes. Tensor arguments are marked as not to be written to.

    Args:
        module: a prepared program (`frontend.prepare`), changed in place.
        text: what it was read from, for the names of arguments.
        file: its name in messages.
        function: the one function to export, without `@`.

    Raises:
        InputError: a function has no body, a type that C cannot be given, or another's name in C.
    """
    chosen = [f for f in _functions(module) if _is_exported(f, function)]
    if not chosen:
        raise InputError("no public function is here to be exported; make one public", Place(file))
    for each in _functions(module):
        # The second form of a function with plain pointers is ours.
        if "llvm.emit_c_interface" in each.attributes:
            del each.attributes["llvm.emit_c_interface"]
        each.attributes["sym_visibility"] = ir.StringAttr.get("public" if each in chosen else "private")
    PassManager.parse("builtin.module(symbol-dce)").run(module.operation)
    _refuse_declarations(module, file)
    exports = tuple(_interface(f, text, file) for f in chosen)
    _refuse_equal_symbols(exports, file)
    for each in chosen:
        _protect_inputs(each)
    return exports


def _functions(module: ir.Module) -> Iterator[ir.OpView]:
    return (op for op in module.body.operations if op.operation.name == "func.func")


def _is_exported(function: ir.OpView, wanted: str | None) -> bool:
    if not len(function.regions[0].blocks):
        return False
    if wanted is not None:
        return function_name(function) == wanted
    return "sym_visibility" not in function.attributes or "public" in str(
        function.attributes["sym_visibility"]
    )


def _refuse_declarations(module: ir.Module, file: str) -> None:
    for function in _functions(module):
        if not len(function.regions[0].blocks):
            raise InputError(
                f"@{function_name(function)} has no body here, and an object calls nothing but libc and libm;"
                " put its body into the module",
                place_of(function.operation.location, file),
            )
    for op in module.body.operations:
        if op.operation.name == "memref.global" and "initial_value" not in op.attributes:
            raise InputError(
                f"@{op.attributes['sym_name'].value} has no value here; give it one, or `uninitialized`",
                place_of(op.operation.location, file),
            )


def _refuse_equal_symbols(exports: tuple[CFunction, ...], file: str) -> None:
    names: dict[str, str] = {}
    for export in exports:
        if export.symbol in names:
            raise InputError(
                f"@{names[export.symbol]} and @{export.name} would both be {export.symbol} in C; rename one",
                Place(file),
            )
        names[export.symbol] = export.name


def _interface(function: ir.OpView, text: str, file: str) -> CFunction:
    name = function_name(function)
    arguments = list(entry_block(function).arguments)
    results = list(function.type.results)
    names = parameter_names(argument_names(function, text), len(results))
    parameters: list[CParameter] = []
    for number, argument in enumerate(arguments):
        what = f"argument {number} of @{name}"
        place = place_of(argument.location, file)
        role: Role = "inout" if isinstance(argument.type, ir.MemRefType) and _is_written(argument) else "in"
        parameters.append(_parameter(names[number], argument.type, role, what, place))
    place = place_of(function.operation.location, file)
    for number, result in enumerate(results):
        what = f"result {number} of @{name}"
        made = _parameter(names[len(arguments) + number], result, "out", what, place)
        # By value nothing comes back.
        pointer = CParameter(made.name, TensorType(made.type.shape, made.type.element), "out", made.layout)
        parameters.append(pointer)
    return CFunction(name, c_function_name(name), tuple(parameters))


def _parameter(name: str, type_: ir.Type, role: Role, what: str, place: Place) -> CParameter:
    if not isinstance(type_, (ir.RankedTensorType, ir.MemRefType)):
        if str(type_) not in ELEMENTS:
            raise InputError(f"{what} is a {type_}, for which C has no type; use a tensor of numbers", place)
        return CParameter(name, TensorType((), str(type_), is_scalar=True), role)
    if not type_.has_static_shape:
        raise InputError(f"{what} is a {type_} with unknown sizes; give them with --shape", place)
    element = str(type_.element_type)
    if element not in ELEMENTS:
        raise InputError(f"{what} has elements of {element}, for which C has no type; convert them", place)
    plain = CParameter(name, TensorType(tuple(type_.shape), element), role)
    if isinstance(type_, ir.RankedTensorType):
        return plain
    if type_.memory_space is not None:
        raise InputError(f"{what} is in a memory space, which C has not; leave that out", place)
    try:
        strides, offset = type_.get_strides_and_offset()
    except (ir.MLIRError, ValueError, RuntimeError):
        raise InputError(f"{what} is a {type_}; its layout has to be one of strides", place) from None
    if offset != 0 or any(stride < 0 for stride in strides):
        raise InputError(f"{what} is a {type_}; its layout has to be static and begin at 0", place)
    if role == "out" and tuple(strides) != plain.strides:
        raise InputError(f"{what} is a {type_}, which is not row-major; return it in rows", place)
    if tuple(strides) == plain.strides:
        return plain
    return CParameter(name, plain.type, role, tuple(strides))


def _is_written(value: ir.Value) -> bool:
    """Whether a memref may be written to: what is not known only to read it writes it."""
    for use in value.uses:
        op, number = use.owner.operation, use.operand_number
        if op.name in _VIEWS:
            if any(_is_written(result) for result in op.results):
                return True
        elif op.name == "bufferization.to_tensor":
            if "writable" in op.attributes:
                return True
        elif op.name in ("memref.copy", "linalg.copy"):
            if number != 0:
                return True
        elif op.name not in _READS and not _is_linalg_input(op, number):
            return True
    return False


def _is_linalg_input(op: ir.Operation, number: int) -> bool:
    if not op.name.startswith("linalg.") or not len(op.regions):
        return False
    block = op.regions[0].blocks[0]
    yielded = len(block.operations[len(block.operations) - 1].operands)
    return number < len(op.operands) - yielded


def _protect_inputs(function: ir.OpView) -> None:
    """Results that could be left in an argument go to their own places: bufferization may not write there."""
    held = function.attributes.get("arg_attrs", None)
    attributes: list[ir.Attribute] = []
    for number, argument in enumerate(entry_block(function).arguments):
        own = {} if held is None else {entry.name: entry.attr for entry in held[number]}
        if isinstance(argument.type, ir.RankedTensorType):
            own[_WRITABLE] = ir.BoolAttr.get(False)
        attributes.append(ir.DictAttr.get(own))
    function.attributes["arg_attrs"] = ir.ArrayAttr.get(attributes)
