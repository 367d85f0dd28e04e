"""The one fixed lowering: from linalg and vectors on tensors to the LLVM dialect.

The same for every schedule and for an untuned kernel, but that `strict` accuracy keeps sums in order;
raise `version.LOWERING_VERSION` with every change. The passes are listed in `lowering.txt`, which the C++
pipeline `harl-lower-to-llvm` is built from too; `mlir-opt --pass-pipeline=` of MLIR 22 takes
`pipeline_text()`. Two steps no pass of MLIR takes (`buffers`): without them a copy between strided buffers
becomes a call of `memrefCopy`, which is in `libmlir_c_runner_utils`, and a function that returns one value
twice crashes a pass. The code made here calls nothing beyond libc,
libm and, where asked for, libmvec.

Calling convention after `bufferize`: the arguments in order, then one out-parameter for each result
in order. A private function does not get an out-parameter for a result that was computed in place in
an argument; a public one gets it, filled by a copy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.approximate import approximate_math
from harl_mlir.codegen.bf16_lengths import holds_bf16_vectors, pad_bf16_vectors
from harl_mlir.codegen.bf16_moves import move_as_bits
from harl_mlir.codegen.buffers import copies_to_loops, part_equal_results
from harl_mlir.codegen.dot_products import dot_products
from harl_mlir.codegen.first_places import first_places
from harl_mlir.codegen.in_place import compute_in_place
from harl_mlir.codegen.inner_loops import inner_loops_alone
from harl_mlir.codegen.lanes import vectorise_lanes
from harl_mlir.codegen.marked_vectors import vectorise_marked
from harl_mlir.codegen.mask_bytes import move_masks_as_bytes, move_single_masks_as_bytes
from harl_mlir.codegen.narrowing import narrow_in_steps, narrowings
from harl_mlir.codegen.online_sums import online_sums
from harl_mlir.codegen.part_writes import keep_part_writes
from harl_mlir.codegen.single_transfers import load_single_numbers
from harl_mlir.codegen.streaming import stream
from harl_mlir.codegen.taking_parts import take_parts
from harl_mlir.codegen.transposed_tiles import transpose_tiles
from harl_mlir.codegen.vector_math import exact_near_zero, vector_math
from harl_mlir.codegen.wide_buffers import widen_buffers
from harl_mlir.frontend.program import all_ops
from harl_mlir.mlir import PassManager, func, ir, memref
from harl_mlir.processor import BF16_DOTS

_PASSES = "lowering.txt"
_BUFFERS = ("to fewer tensors", "to buffers")
_OUT_PARAMETERS = ("to out-parameters", "to loops", "to hoisted buffers")
_REASSOCIATE: Mapping[Accuracy, str] = {"reassociate": "true", "strict": "false", "approximate": "true"}


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
    """The whole lowering, to one thread, as one pass pipeline for `mlir-opt --pass-pipeline=`."""
    return _text(*_BUFFERS, *_OUT_PARAMETERS, "to owned buffers", "to llvm", accuracy=accuracy)


def bufferize_text() -> str:
    """The first stage as a pass pipeline: tensors to buffers and out-parameters."""
    return _text(*_BUFFERS, *_OUT_PARAMETERS)


def to_llvm_text(accuracy: Accuracy = DEFAULT_ACCURACY, threads: int = 1) -> str:
    """The second stage as a pass pipeline: buffers to the LLVM dialect."""
    return _text(*_owned(threads), *_last(threads), accuracy=accuracy, threads=threads)


def _out_parameters(threads: int) -> tuple[str, ...]:
    return _OUT_PARAMETERS if threads == 1 else ("to out-parameters", "to hoisted buffers")


def _owned(threads: int) -> tuple[str, ...]:
    return ("to owned buffers",) if threads == 1 else ("to owned buffers on threads",)


def _last(threads: int) -> tuple[str, ...]:
    return ("to llvm",) if threads == 1 else ("to llvm", "openmp to llvm")


def bufferize(module: ir.Module, kernel: str, threads: int = 1) -> tuple[ResultPlace, ...]:
    """Run the first stage on a module and say where each result of function `kernel` is left.

    Parallel loops become loops run one by one, unless there are several `threads`.

    The function is private while the stage runs, so results computed in place in an argument cost no
    copy, and public after it. Raises ir.MLIRError or ValueError where a pass fails.
    """
    function = find_function(module, kernel)
    arguments = len(function.arguments)
    function.attributes["sym_visibility"] = ir.StringAttr.get("private")
    _to_buffers(module)
    part_equal_results(find_function(module, kernel))
    held = _arguments_returned(find_function(module, kernel))
    if threads > 1:
        inner_loops_alone(module)
    PassManager.parse(_text(*_out_parameters(threads))).run(module.operation)
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


def _to_buffers(module: ir.Module) -> None:
    fewer, buffers = _BUFFERS
    vectorise_marked(module)
    first_places(module)
    compute_in_place(module)
    online_sums(module)
    PassManager.parse(_text(fewer)).run(module.operation)
    keep_part_writes(module)
    PassManager.parse(_text(buffers)).run(module.operation)


def bufferize_public(module: ir.Module, threads: int = 1) -> None:
    """Run the first stage on a module whose public functions keep all their results.

    Every result of a public function that is a tensor or memref gets an out-parameter. Raises
    ir.MLIRError or ValueError where a pass fails.
    """
    _to_buffers(module)
    for op in module.body.operations:
        if isinstance(op.opview, func.FuncOp) and len(op.opview.body.blocks) == 1:
            part_equal_results(op.opview)
    if threads > 1:
        inner_loops_alone(module)
    PassManager.parse(_text(*_out_parameters(threads))).run(module.operation)


def to_llvm(
    module: ir.Module,
    accuracy: Accuracy = DEFAULT_ACCURACY,
    threads: int = 1,
    *,
    features: Collection[str] = (),
    vectors: str | None = None,
) -> None:
    """Run the second stage on a module; with several `threads` it then calls an OpenMP runtime.

    `features` are the processor's, which may have dot products or AVX-512; `vectors` is the instruction set
    for which the system's vector math library is called (`vector_library.level_of`), or None.

    Raises ir.MLIRError or ValueError where a pass fails.
    """
    widen_buffers(module)
    copies_to_loops(module)
    vectorise_lanes(module)
    if accuracy == "approximate":
        approximate_math(module, features)
    if vectors is not None and accuracy != "strict":
        vector_math(module, vectors)
    exact_near_zero(module)
    _run_unverified(module, _text(*_owned(threads), threads=threads))
    take_parts(module)
    move_masks_as_bytes(module)
    transpose_tiles(module)
    stream(module)
    dot_products(module, features, reassociate=accuracy != "strict")
    narrow_f64(module)
    if BF16_DOTS not in features:
        expand_bf16(module)
    load_single_numbers(module)
    in_bf16 = holds_bf16_vectors(module)
    _run_unverified(module, _text(*_last(threads), accuracy=accuracy))
    move_single_masks_as_bytes(module)
    if in_bf16:
        pad_bf16_vectors(module)
        move_as_bits(module)
    module.operation.verify()


def narrow_f64(module: ir.Module) -> None:
    """Round f64 to f16 and bf16 in two steps; where none is rounded so, nothing is changed."""
    if narrowings(module):
        _run_unverified(module, _text("to narrow f64"))
        narrow_in_steps(module)


def expand_bf16(module: ir.Module) -> None:
    """Compute in f32 what is computed in bf16, and round by integer operations; else nothing is changed.

    LLVM would call functions of its compiler's runtime library where the processor has no instruction.
    """
    computed = (
        op.name.startswith(("arith.", "math."))
        and str(getattr(result.type, "element_type", result.type)) == "bf16"
        for op in all_ops(module.operation)
        for result in op.results
    )
    if any(computed):
        _run_unverified(module, _text("to bits of bf16"))


def _run_unverified(module: ir.Module, pipeline: str) -> None:
    passes = PassManager.parse(pipeline)
    # Verified once, at the end: verifying after each of two dozen passes takes as long as they do.
    passes.enable_verifier(False)
    passes.run(module.operation)


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


def _text(*stages: str, accuracy: Accuracy = DEFAULT_ACCURACY, threads: int = 1) -> str:
    passes = [name for stage in stages for name in _stages()[stage]]
    text = ",".join(passes).replace("$reassociate", _REASSOCIATE[accuracy])
    text = text.replace("$threads", str(threads))
    return f"builtin.module({text})"


@cache
def _stages() -> Mapping[str, tuple[str, ...]]:
    """The passes of each stage, by its heading."""
    stages: dict[str, tuple[str, ...]] = {}
    heading = ""
    for line in Path(__file__).with_name(_PASSES).read_text().splitlines():
        if line.startswith("["):
            heading = line.strip("[]")
            stages[heading] = ()
        elif line and not line.startswith("#"):
            stages[heading] = (*stages[heading], line)
    return stages
