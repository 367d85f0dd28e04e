"""From a scheduled program to an object file: position independent, with one C function an export.

A C function is a wrapper in the LLVM dialect around the function that the one lowering made: it takes
plain pointers and builds the memref descriptors from constants. The function itself becomes internal, so
LLVM puts it into its wrapper.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harl_mlir.accuracy import Accuracy
from harl_mlir.codegen.elf import undefined_symbols
from harl_mlir.codegen.interface import CFunction, CParameter
from harl_mlir.codegen.jit import OPT_LEVEL, JitError, LowerError
from harl_mlir.codegen.lowering import bufferize_public, find_function, to_llvm
from harl_mlir.codegen.names import is_in_libm
from harl_mlir.codegen.openmp import is_in_openmp
from harl_mlir.codegen.target import Target
from harl_mlir.codegen.target_features import Subtarget, subtarget
from harl_mlir.codegen.vector_library import is_in_libmvec, level_of
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import ExecutionEngine, ir, llvm
from harl_mlir.processor import DOT_PRODUCTS, this_processor

_INNER = "harl.inner."
_HANDLE = "harl.handle."
_BITS = {"f16": "i16", "bf16": "i16"}
"""What C has no type for comes as its bits."""


def compile_object(
    module: ir.Module,
    exports: Sequence[CFunction],
    accuracy: Accuracy,
    target: Target | None,
    threads: int = 1,
) -> bytes:
    """Compile a program (`exports.choose_exports`), which is consumed, to the bytes of an object file.

    `target` None is this machine, as measuring compiles for it. With several `threads` the code calls an
    OpenMP runtime. Raises InputError for an unknown target, LowerError, JitError.
    """
    chosen = None if target is None else subtarget(target)
    with module.context, ir.Location.unknown():
        try:
            names = _rename(module)
            inner = [names[export.name] for export in exports]
            scalars = [_scalar_results(module, *pair) for pair in zip(exports, inner, strict=True)]
            bufferize_public(module, threads)
            for export, name, places in zip(exports, inner, scalars, strict=True):
                _check_out_parameters(module, export, name, places)
            features = this_processor().features if chosen is None else _names_of(chosen)
            to_llvm(module, accuracy, threads, features=features, vectors=level_of(features))
            _refuse_other_calls(module)
            _make_internal(module)
            for export, name, places in zip(exports, inner, scalars, strict=True):
                _wrap(module, export, name, places)
            _keep_out_packed_forms(module)
            _add_handle(module, exports[0].symbol)
            if chosen is not None:
                _set_target(module, chosen.cpu, chosen.features)
            module.operation.verify()
        except (ir.MLIRError, ValueError, RuntimeError) as error:
            raise LowerError(str(error)) from error
        return _emit(module, exports[0].symbol)


def _names_of(chosen: Subtarget) -> set[str]:
    """The features that a processor has, as Linux calls them."""
    # Later ones count.
    has = {feature[1:]: feature.startswith("+") for feature in chosen.features}
    names = {name for name, held in has.items() if held}
    known = {dot.feature for dot in DOT_PRODUCTS.values()}
    return names | {name for name in known if name.replace("_", "") in names}


def _rename(module: ir.Module) -> dict[str, str]:
    """Give all that has a body a name that no pass, no library and no C function of ours knows; old to new.

    Else what is lowered to a call of `expf` would call a function of the program's that is called so.
    """
    names: dict[str, str] = {}
    for op in module.body.operations:
        if "sym_name" in op.attributes and not _is_declaration(op):
            new = f"{_INNER}{len(names)}"
            names[_symbol(op)] = new
            op.attributes["sym_name"] = ir.StringAttr.get(new)
    for op in all_ops(module.operation):
        for name in list(op.attributes):
            held = op.attributes[name]
            if isinstance(held, ir.FlatSymbolRefAttr) and held.value in names:
                op.attributes[name] = ir.FlatSymbolRefAttr.get(names[held.value])
    return names


def _is_declaration(op: ir.OpView) -> bool:
    return len(op.regions) == 1 and not len(op.regions[0].blocks) and op.operation.name != "llvm.mlir.global"


def _scalar_results(module: ir.Module, export: CFunction, inner: str) -> list[CParameter]:
    """The results that stay returned when the others have become buffers of the caller's."""
    types = find_function(module, inner).type.results
    outs = [p for p in export.parameters if p.role == "out"]
    shaped = (ir.RankedTensorType, ir.MemRefType)
    return [p for p, kind in zip(outs, types, strict=True) if not isinstance(kind, shaped)]


def _check_out_parameters(
    module: ir.Module, export: CFunction, inner: str, scalars: Sequence[CParameter]
) -> None:
    function = find_function(module, inner)
    expected = len(export.parameters) - len(scalars)
    if len(function.type.results) != len(scalars) or len(function.arguments) != expected:
        raise ValueError(f"the results of @{export.name} do not fit what it has become: {function.type}")


def _refuse_other_calls(module: ir.Module) -> None:
    for op in module.body.operations:
        if op.operation.name == "llvm.func" and not len(op.regions[0].blocks):
            name = _symbol(op)
            if not _is_in_the_system(name):
                raise ValueError(f"the code would call {name}, which is not in libc or libm")


def _is_in_the_system(name: str) -> bool:
    # What is named so is an instruction, or a code of LLVM's own.
    is_intrinsic = name.startswith("llvm.")
    return is_intrinsic or is_in_libm(name) or is_in_libmvec(name) or is_in_openmp(name)


def _make_internal(module: ir.Module) -> None:
    internal = ir.Attribute.parse("#llvm.linkage<internal>")
    for op in module.body.operations:
        if op.operation.name == "llvm.mlir.global" or _has_body(op):
            op.attributes["linkage"] = internal


def _has_body(op: ir.OpView) -> bool:
    return op.operation.name == "llvm.func" and bool(len(op.regions[0].blocks))


def _symbol(op: ir.OpView) -> str:
    return str(ir.StringAttr(op.attributes["sym_name"]).value)


def _wrap(module: ir.Module, export: CFunction, inner: str, returned: Sequence[CParameter]) -> None:
    """Add the C function `export.symbol`, which calls the function `inner`."""
    types = [_c_type(parameter) for parameter in export.parameters]
    with ir.InsertionPoint(module.body):
        signature = ir.Type.parse(f"!llvm.func<void ({', '.join(types)})>")
        wrapper = llvm.LLVMFuncOp(export.symbol, ir.TypeAttr.get(signature))
    block = wrapper.body.blocks.append(
        *map(ir.Type.parse, types), arg_locs=[ir.Location.unknown()] * len(types)
    )
    with ir.InsertionPoint(block):
        operands: list[ir.Value] = []
        places: list[ir.Value] = []
        for parameter, value in zip(export.parameters, block.arguments, strict=True):
            if parameter in returned:
                places.append(value)
            else:
                operands += _passed(parameter, value)
        kinds = [parameter.type.element for parameter in returned]
        made = _call(inner, operands, ["i64" if kind == "index" else kind.lstrip("su") for kind in kinds])
        for value, place in zip(made, places, strict=True):
            llvm.StoreOp(value, place)
        llvm.ReturnOp()


def _c_type(parameter: CParameter) -> str:
    if not parameter.type.is_scalar:
        return "!llvm.ptr"
    element = parameter.type.element
    return "i64" if element == "index" else _BITS.get(element, element.lstrip("su"))


def _passed(parameter: CParameter, value: ir.Value) -> list[ir.Value]:
    """What the inner function takes for a parameter: a descriptor's parts or the scalar."""
    kind = parameter.type
    if kind.is_scalar:
        return [llvm.bitcast(ir.Type.parse(kind.element), value) if kind.element in _BITS else value]
    numbers = (0, *kind.shape, *parameter.strides)
    return [value, value, *(_constant(number) for number in numbers)]


def _constant(number: int) -> ir.Value:
    integer = ir.IntegerType.get_signless(64)
    return llvm.ConstantOp(integer, ir.IntegerAttr.get(integer, number)).result


def _call(callee: str, operands: Sequence[ir.Value], results: Sequence[str]) -> list[ir.Value]:
    if not results:
        llvm.CallOp(None, operands, [], [], callee=callee)
        return []
    types = [ir.Type.parse(result) for result in results]
    if len(types) == 1:
        return [llvm.CallOp(types[0], operands, [], [], callee=callee).result]
    struct = ir.Type.parse(f"!llvm.struct<({', '.join(results)})>")
    whole = llvm.CallOp(struct, operands, [], [], callee=callee).result
    return [llvm.ExtractValueOp(type_, whole, [i]).result for i, type_ in enumerate(types)]


def _keep_out_packed_forms(module: ir.Module) -> None:
    """Add an internal function of the name of each packed form that the engine makes.

    It gives every function a second, exported form `_mlir_NAME`. Where there is an internal function of
    that name it appends its code to that, behind a return, and LLVM drops both.
    """
    names = [_symbol(op) for op in module.body.operations if _has_body(op)]
    # What threads run becomes functions too, the first of a function's without a number.
    shared = sum(1 for op in all_ops(module.operation) if op.name == "omp.parallel")
    parts = [f"{name}..omp_par" for name in names] if shared else []
    parts += [f"{part}.{number}" for part in parts for number in range(1, shared)]
    for name in (*names, *parts):
        with ir.InsertionPoint(module.body):
            packed = llvm.LLVMFuncOp(
                f"_mlir_{name}",
                ir.TypeAttr.get(ir.Type.parse("!llvm.func<void (ptr)>")),
                linkage=ir.Attribute.parse("#llvm.linkage<internal>"),
            )
        block = packed.body.blocks.append(ir.Type.parse("!llvm.ptr"), arg_locs=[ir.Location.unknown()])
        with ir.InsertionPoint(block):
            llvm.ReturnOp()


def _add_handle(module: ir.Module, symbol: str) -> None:
    """Add a hidden second name of a function, by which the engine, which looks for packed forms, finds it."""
    text = f"""llvm.func @{symbol}()
    llvm.mlir.alias external hidden @"_mlir_{_HANDLE}{symbol}" : !llvm.func<void ()> {{
      %0 = llvm.mlir.addressof @{symbol} : !llvm.ptr
      llvm.return %0 : !llvm.ptr
    }}"""
    made = ir.Module.parse(text)
    made.body.operations[1].operation.clone(ip=ir.InsertionPoint(module.body))


def _set_target(module: ir.Module, cpu: str, features: Sequence[str]) -> None:
    # The processor alone does not do: functions without features get those of this machine.
    listed = ", ".join(f'"{feature}"' for feature in features)
    attribute = ir.Attribute.parse(f"#llvm.target_features<[{listed}]>")
    for op in module.body.operations:
        if _has_body(op):
            op.attributes["target_cpu"] = ir.StringAttr.get(cpu)
            op.attributes["target_features"] = attribute


def _emit(module: ir.Module, symbol: str) -> bytes:
    try:
        engine = ExecutionEngine(module, opt_level=OPT_LEVEL, enable_object_dump=True, enable_pic=True)
    except (ir.MLIRError, ValueError, RuntimeError) as error:
        raise JitError(str(error)) from error
    # Compiles the module. Where linking in this process fails (a function of the compiler's own library
    # is missing), the object is there all the same.
    engine.raw_lookup(_HANDLE + symbol)
    descriptor, name = tempfile.mkstemp(suffix=".o")
    os.close(descriptor)
    try:
        engine.dump_to_object_file(name)
        made = Path(name).read_bytes()
    finally:
        Path(name).unlink(missing_ok=True)
    if not made:
        raise JitError("LLVM made no code of it")
    foreign = [name for name in undefined_symbols(made) if not _is_in_the_system(name)]
    if foreign:
        # As __truncsfhf2 is: a function of compilers' own libraries, of which not all have it.
        raise LowerError(
            f"the processor has no instruction for what {foreign[0]} does, which is not in libc or libm; "
            "compile for one that has, or convert the elements to f32"
        )
    return made
