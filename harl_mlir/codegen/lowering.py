"""The one fixed lowering: from linalg and vectors on tensors to the LLVM dialect.

The same for every schedule and for an untuned kernel, but that `strict` accuracy keeps sums in order;
raise `version.LOWERING_VERSION` with every change. Passes only, spelled alike in the bindings' MLIR and
in MLIR 22 (`mlir-opt --pass-pipeline=` takes `pipeline_text()`), and two steps that no pass takes
(`buffers`): without them a copy between strided buffers becomes a call of `memrefCopy`, which is in
`libmlir_c_runner_utils`, and a function that returns one value twice crashes a pass. The code made here
calls nothing beyond libc and libm.

Calling convention after `bufferize`: the arguments in order, then one out-parameter for each result
in order. A private function does not get an out-parameter for a result that was computed in place in
an argument; a public one gets it, filled by a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.approximate import approximate_math
from harl_mlir.codegen.buffers import copies_to_loops, part_equal_results
from harl_mlir.mlir import PassManager, func, ir, memref

# The first canonicalize drops dead fills, which would become allocations.
_TO_BUFFERS = (
    "canonicalize",
    "cse",
    "eliminate-empty-tensors",
    "one-shot-bufferize{bufferize-function-boundaries=true"
    " function-boundary-type-conversion=identity-layout-map}",
    # Else a result that comes out of a loop is not seen to be an allocation of the function, and is
    # copied to the caller's buffer instead of being computed in it.
    "canonicalize",
)
# The second canonicalize + cse removes the copies of a buffer to itself that the first uncovers.
_TO_OUT_PARAMETERS = (
    "drop-equivalent-buffer-results",
    "buffer-results-to-out-params{hoist-static-allocs=true modify-public-functions=true}",
    "func.func(buffer-loop-hoisting)",
    "canonicalize",
    "cse",
    "canonicalize",
    "cse",
)
_TO_CONTROL_FLOW = (
    "func.func(scf-forall-to-for)",
    "buffer-deallocation-pipeline",
    "func.func(lower-vector-multi-reduction{lowering-strategy=inner-reduction})",
    "convert-linalg-to-loops",
    "convert-vector-to-scf{full-unroll=true}",
    "expand-strided-metadata",
    "lower-affine",
    "convert-scf-to-cf",
    "canonicalize",
    "cse",
)
_REASSOCIATING = (
    "convert-vector-to-llvm{vector-contract-lowering=outerproduct reassociate-fp-reductions=true}"
)
_VECTORS_TO_LLVM: Mapping[Accuracy, str] = {
    "reassociate": _REASSOCIATING,
    "strict": "convert-vector-to-llvm{vector-contract-lowering=outerproduct reassociate-fp-reductions=false}",
    "approximate": _REASSOCIATING,
}
_TO_LLVM = (
    "convert-math-to-llvm",
    # Takes vectors apart, one call of libm an element; the pieces are vector ops again.
    "convert-math-to-libm",
    "convert-vector-to-llvm",
    "convert-ub-to-llvm",
    "finalize-memref-to-llvm",
    "convert-arith-to-llvm",
    "convert-index-to-llvm",
    "convert-func-to-llvm",
    "convert-cf-to-llvm",
    "reconcile-unrealized-casts",
    "canonicalize",
    "cse",
)


@dataclass(frozen=True)
class InPlace:
    """A result that has no buffer of its own: it is left in argument `argument`."""

    argument: int


@dataclass(frozen=True)
class OutParameter:
    """A result written to the function's parameter number `parameter`."""

    parameter: int


ResultPlace = InPlace | OutParameter


def pipeline_text(accuracy: Accuracy = DEFAULT_ACCURACY) -> str:
    """The whole lowering as one pass pipeline for `mlir-opt --pass-pipeline=`."""
    return _text(_TO_BUFFERS + _TO_OUT_PARAMETERS + _to_llvm(accuracy))


def bufferize_text() -> str:
    """The first stage as a pass pipeline: tensors to buffers and out-parameters."""
    return _text(_TO_BUFFERS + _TO_OUT_PARAMETERS)


def to_llvm_text(accuracy: Accuracy = DEFAULT_ACCURACY) -> str:
    """The second stage as a pass pipeline: buffers to the LLVM dialect."""
    return _text(_to_llvm(accuracy))


def bufferize(module: ir.Module, kernel: str) -> tuple[ResultPlace, ...]:
    """Run the first stage on a module and say where each result of function `kernel` is left.

    The function is private while the stage runs, so results computed in place in an argument cost no
    copy, and public after it. Raises ir.MLIRError or ValueError where a pass fails.
    """
    function = find_function(module, kernel)
    arguments = len(function.arguments)
    function.attributes["sym_visibility"] = ir.StringAttr.get("private")
    PassManager.parse(_text(_TO_BUFFERS)).run(module.operation)
    part_equal_results(find_function(module, kernel))
    held = _arguments_returned(find_function(module, kernel))
    PassManager.parse(_text(_TO_OUT_PARAMETERS)).run(module.operation)
    function = find_function(module, kernel)
    function.attributes["sym_visibility"] = ir.StringAttr.get("public")
    if len(function.type.results):
        raise ValueError(f"results are left after bufferization: {function.type}")
    places: list[ResultPlace] = []
    following = arguments
    for argument in held:
        if argument is not None:
            places.append(InPlace(argument))
        else:
            places.append(OutParameter(following))
            following += 1
    if following != len(function.arguments):
        raise ValueError(f"{len(held)} results do not fit the parameters of {function.type}")
    return tuple(places)


def bufferize_public(module: ir.Module) -> None:
    """Run the first stage on a module whose public functions keep all their results.

    Every result of a public function that is a tensor or memref gets an out-parameter. Raises
    ir.MLIRError or ValueError where a pass fails.
    """
    PassManager.parse(_text(_TO_BUFFERS)).run(module.operation)
    for op in module.body.operations:
        if isinstance(op.opview, func.FuncOp) and len(op.opview.body.blocks) == 1:
            part_equal_results(op.opview)
    PassManager.parse(_text(_TO_OUT_PARAMETERS)).run(module.operation)


def to_llvm(module: ir.Module, accuracy: Accuracy = DEFAULT_ACCURACY) -> None:
    """Run the second stage on a module. Raises ir.MLIRError or ValueError where a pass fails."""
    copies_to_loops(module)
    if accuracy == "approximate":
        approximate_math(module)
    passes = PassManager.parse(to_llvm_text(accuracy))
    # Verified once, at the end: verifying after each of two dozen passes takes as long as they do.
    passes.enable_verifier(False)
    passes.run(module.operation)
    module.operation.verify()


def find_function(module: ir.Module, name: str) -> func.FuncOp:
    """The function of that name. Raises ValueError if there is none."""
    for op in module.body.operations:
        if isinstance(op.opview, func.FuncOp) and op.opview.name.value == name:
            return op.opview
    raise ValueError(f"the module has no function @{name}")


def _arguments_returned(function: func.FuncOp) -> list[int | None]:
    """For each result the number of the argument it is, or None."""
    (block,) = function.body.blocks
    operands = list(block.operations)[-1].operands
    return [_argument_number(value) for value in operands]


def _argument_number(value: ir.Value) -> int | None:
    while not isinstance(value, ir.BlockArgument):
        owner = value.owner.opview
        if not isinstance(owner, memref.CastOp):
            return None
        value = owner.source
    return int(value.arg_number)


def _to_llvm(accuracy: Accuracy) -> tuple[str, ...]:
    return (*_TO_CONTROL_FLOW, _VECTORS_TO_LLVM[accuracy], *_TO_LLVM)


def _text(passes: tuple[str, ...]) -> str:
    return f"builtin.module({','.join(passes)})"
