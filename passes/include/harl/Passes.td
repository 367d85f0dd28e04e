//===- Passes.td - The passes of harl_mlir ------------------*- tablegen -*-===//
//
// `mlir-tblgen -gen-pass-doc` makes the reference documentation of the passes
// from this file; the build puts it into `passes/Passes.md`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_PASSES_TD
#define HARL_PASSES_TD

include "mlir/Pass/PassBase.td"

def NormalizePass : Pass<"harl-normalize", "::mlir::func::FuncOp"> {
  let summary = "Bring a function into the spelling that schedules are for";
  let description = [{
    Row operations (softmax, normalisations, arg-max) as torch-mlir writes them
    lose their dead results, dimensions of size one and small powers, and
    elementwise ops on rows become part of what takes them. `tensor.pad` by a
    constant that no linalg op reads, `tensor.concat`, and what is inserted, or
    returned as a slice, of the function's arguments become `linalg.fill` and
    `linalg.copy`. A transpose that contractions alone take becomes part of
    their indexing maps. Each linalg op gets a fill of its own, as schedules
    take the fills of their ops into their loops. No result changes by it, but that without `strict` the place
    of the greatest of a row with NaNs is that of its first NaN or infinity.

    The passes that look for workloads do so by themselves. This one is for
    `transform-interpreter`, whose matchers see a program as it is spelled:

    ```
    builtin.module(func.func(harl-normalize), transform-preload-library{
      transform-library-paths=schedules.mlir}, transform-interpreter)
    ```

    In `harl-mlir opt`, which has this pass too, convolutions of images with
    zeros inserted are rewritten as well.
  }];
  let options = [
    Option<"strict", "strict", "bool", /*default=*/"false",
           "As schedules made under strict accuracy want it">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

def AnnotateWorkloadsPass : Pass<"harl-annotate-workloads", "::mlir::ModuleOp"> {
  let summary = "Put the workload key on every tunable linalg op";
  let description = [{
    A workload is what is tuned as a whole: an op with a reduction, the fill of
    its init and the elementwise ops that follow it, or a chain of elementwise
    ops. Its key, 16 hex digits, is equal for equal workloads, however their ops
    are spelled; databases and schedule libraries use it.

    The root of each workload (its last op) gets `harl.workload = "KEY"`.
    Attributes left by an earlier run are replaced.

    Tunable are linalg ops on tensors of static shapes with one result, whose
    bodies hold ops of `arith` and `math` on floats and integers. Others are
    left as they are; `--remarks-filter-missed=harl.*` says why of each, and
    `--remarks-filter-passed=harl.*` tells of the tunable ones. Ops on memrefs and
    of dynamic shapes are taken as they stand, which `harl-mlir` would raise to
    tensors or give sizes to first.

    ```mlir
    %0 = linalg.fill ins(%zero : f32) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
    %1 = linalg.matmul {harl.workload = "9f119db20e4237b9"}
        ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%0 : tensor<8x8xf32>) -> tensor<8x8xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"
  ];
}

def ExtractTasksPass : Pass<"harl-extract-tasks", "::mlir::ModuleOp"> {
  let summary = "Write each distinct workload to a kernel file of its own";
  let description = [{
    Every workload (see `harl-annotate-workloads`) becomes a module with one
    public function `@kernel`, tensors in and out, in the file `KEY.mlir` of the
    directory, which `harl-mlir tune` takes. Equal workloads are written once.
    The directory is made where it is missing; a file of the same key is
    replaced, as a whole or not at all. The module is left as it is.

    Of ops that are not tunable `--remarks-filter-missed=harl.*` says why.
  }];
  let options = [
    Option<"outputDir", "output-dir", "std::string", /*default=*/"",
           "The directory that the kernels are written to">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def ApplySchedulesPass : Pass<"harl-apply-schedules", "::mlir::ModuleOp"> {
  let summary = "Apply a schedule library to the linalg ops it has schedules for";
  let description = [{
    For each workload of each function its key is looked up in the library, and
    the schedule `@schedule_KEY` is applied to its root. What has no key in the
    library is tried with the library's matchers (`@match_KEY_N`), tasks of more
    ops first, which also find ops inside loops.

    A schedule found by key is applied to a copy of its task, which then takes
    the task's place. One that fails there is tried in the function itself, for
    the case that it wants to see neighbours; it may erase or replace them, as
    ops are marked and found again by the mark. A schedule that fails leaves its
    function as it would be without it.

    Remarks say what became of the ops: `matched by @schedule_KEY (LABEL)`;
    `restored: @schedule_KEY (LABEL) failed in this function: REASON` at the
    function; `gone: ...` at an op that another schedule took or replaced;
    `left as it was: no schedule of this library was applied to it`.

    A transform module that is not a library of harl_mlir is run as it is, from
    its `@__transform_main` on the module, as `transform-interpreter` does it;
    its failure is the pass's. Remarks say which linalg ops it changed.

    Unlike `harl-mlir apply`, the pass does not rewrite convolutions of images
    with zeros inserted before it applies a library: the tasks of such
    convolutions are left as they were.

    The context must know the dialects and interfaces that schedules use:
    `harl::registerHarlDialects`.
  }];
  let options = [
    Option<"library", "library", "std::string", /*default=*/"",
           "File with the schedule library">,
    Option<"failIfNone", "fail-if-none", "bool", /*default=*/"false",
           "Fail if no schedule of the library was applied">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
    "::mlir::transform::TransformDialect"
  ];
}

def WideBuffersPass : Pass<"harl-wide-buffers", "::mlir::func::FuncOp"> {
  let summary = "Copies of f16 and bf16 that are read to be widened hold f32";
  let description = [{
    A step of `harl-lower-to-llvm`. A buffer of f16 or bf16 that is copied to,
    and read for nothing but `arith.extf` to f32, becomes one of f32: numbers
    are widened once, when they are copied, and not for every tile that reads
    them.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def CopiesToLoopsPass : Pass<"harl-copies-to-loops", "::mlir::func::FuncOp"> {
  let summary = "Copies between buffers in pieces that are each a memcpy";
  let description = [{
    A step of `harl-lower-to-llvm`. `memref.copy` and `linalg.copy` between
    buffers become loops around copies of what lies in one piece in both: for
    others LLVM would be given a call of `memrefCopy`, which takes descriptors
    apart element by element and is in none of the libraries a kernel is linked
    with. Where pieces are of a few bytes only they become `linalg.copy`.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def FirstPlacesPass : Pass<"harl-first-places", "::mlir::func::FuncOp"> {
  let summary = "Find the places of rows' greatest elements with the elements";
  let description = [{
    A step of `harl-lower-to-llvm`, on tensors. Of the two loops over vectors
    that find a row's greatest elements and their first places, the first keeps
    the places too; the second is left for vectors that hold a NaN.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ComputeInPlacePass
    : Pass<"harl-compute-in-place", "::mlir::func::FuncOp"> {
  let summary = "Compute a tensor in the place of the one it is made of";
  let description = [{
    A step of `harl-lower-to-llvm`, on tensors. A loop over vectors that reads a
    tensor where it writes another, of which nothing was known before, carries
    the first one if nothing else reads it later: no second buffer is needed.
  }];
}

def KeepPartWritesPass
    : Pass<"harl-keep-part-writes", "::mlir::func::FuncOp"> {
  let summary = "Vectors at the beginning of tensors, as parts of them";
  let description = [{
    A step of `harl-lower-to-llvm`. MLIR's bufferization compares the sizes of a
    vector with the first ones of a tensor, and takes some writes for such that
    leave nothing of what was there. A sum of zeros in the place of an index
    that is known to be zero keeps it from that; the next canonicalization
    takes it away.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def OnlineSumsPass : Pass<"harl-online-sums", "::mlir::func::FuncOp"> {
  let summary = "Sum rows' exponentials where their greatest elements are found";
  let description = [{
    A step of `harl-lower-to-llvm`, on tensors. In an `scf.forall` over rows
    with the attribute `harl.online`, a number, the loops over vectors that find
    a row's greatest elements, exponentials relative to them, and the sums of
    these become one, over so many elements at a time. What exponentials are
    divided by the sums is then multiplied by what they have to be relative to.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect",
    "::mlir::ub::UBDialect", "::mlir::vector::VectorDialect"
  ];
}

def PartEqualResultsPass
    : Pass<"harl-part-equal-results", "::mlir::func::FuncOp"> {
  let summary = "Return a copy where a function returns a buffer again";
  let description = [{
    A step of `harl-lower-to-llvm`. `buffer-results-to-out-params` crashes on a
    buffer that is returned twice. An argument may be: it is no result of its
    own.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def InnerLoopsAlonePass
    : Pass<"harl-inner-loops-alone", "::mlir::func::FuncOp"> {
  let summary = "scf.forall to scf.for, but for those that threads share";
  let description = [{
    A step of `harl-lower-to-llvm{threads=N}`, on buffers. Threads share a loop
    that is in no other loop and is not marked `harl.alone`; of all others one
    thread runs the iterations one after the other.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect"];
}

def TakePartsPass : Pass<"harl-take-parts", "::mlir::func::FuncOp"> {
  let summary = "Threads take iterations that others have not begun";
  let description = [{
    A step of `harl-lower-to-llvm{threads=N}`, on loops of OpenMP. Each thread
    begins with iterations of its own and then takes those of a thread that
    woke late or has longer ones: `schedule(nonmonotonic: dynamic)`. The loop
    waits for nobody, since the parallel region that it ends does.
  }];
  let dependentDialects = ["::mlir::omp::OpenMPDialect"];
}

def ApproximateMathPass
    : Pass<"harl-approximate-math", "::mlir::ModuleOp"> {
  let summary = "Polynomials in the place of exp, log, tanh and erf";
  let description = [{
    A step of `harl-lower-to-llvm{accuracy=approximate}`. `math.exp`, `log`,
    `tanh` and `erf` of f32, and through that of f16 and bf16, become arithmetic
    that is within 2.5 units in the last place, and x (1 + erf(x / sqrt(2))) / 2,
    GELU, as a whole; other types and functions are left to the math library.
    With AVX-512 all but `log` and `erf` are polynomials of fewer terms, whose
    coefficients are looked up in registers, and so is the GELU that is written
    with `tanh`.
  }];
  let options = [Option<"avx512", "avx512", "bool", /*default=*/"false",
                        "Use vpermps and vscalefps of registers, which AVX-512 has">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"
  ];
}

def DotProductsPass : Pass<"harl-dot-products", "::mlir::func::FuncOp"> {
  let summary = "Contractions of groups by the processor's dot products";
  let description = [{
    A step of `harl-lower-to-llvm{bf16-dots i8-dots}`, after buffers are
    deallocated. A `vector.contract` of two bf16 of each column into f32
    becomes `vdpbf16ps`, one of four i8 into i32, not all unsigned, `vpdpbusd`.
    The copies that bring the numbers of a group together become shuffles.
    Schedules leave both so; processors without the instructions get the code
    of any other contraction.
  }];
  let options = [
    Option<"bf16", "bf16", "bool", /*default=*/"false",
           "Use vdpbf16ps, which AVX512-BF16 has">,
    Option<"i8", "i8", "bool", /*default=*/"false",
           "Use vpdpbusd, which AVX512-VNNI has">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect", "::mlir::ub::UBDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def VectorMathPass : Pass<"harl-vector-math", "::mlir::ModuleOp"> {
  let summary = "Calls of glibc's vector math library";
  let description = [{
    A step of `harl-lower-to-llvm{vector-math=...}`. Functions of vectors of
    f32, f64 and, through f32, of f16 and bf16 become calls of libmvec for the
    instruction set named, in pieces of its width: `math.exp`, `exp2`, `expm1`,
    `log`, `log2`, `log10`, `log1p`, `powf`, `cbrt`, `erf`, `erfc` and the
    trigonometric and hyperbolic ones. They are off by at most 4 units in the
    last place. Link what comes of it with `-lmvec` (glibc 2.35 or later).

    `math.log1p` and `expm1` that are left become calls of libm, one an
    element: MLIR's conversion would make log(1 + x) and exp(x) - 1 of them.
  }];
  let options = [Option<"isa", "isa", "::harl::VectorMath",
                        "::harl::VectorMath::none",
                        "The instruction set, or none for no such calls",
                        "::harl::vectorMathValues()">];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def VectorizeLanesPass : Pass<"harl-vectorize-lanes", "::mlir::func::FuncOp"> {
  let summary = "Steps of marked loops as lanes of vectors";
  let description = [{
    A step of `harl-lower-to-llvm`. An `scf.for` that a schedule gave the
    attribute `harl.lanes`, a number, does so many of its steps at once. What
    it reads may lie up to four elements apart, which MLIR does not vectorize:
    whole registers are read as they lie, and shuffled. A loop that holds
    anything else than arithmetic, reads and writes of elements is left as it
    is.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def ExpandBF16Pass : Pass<"harl-expand-bf16", "::mlir::ModuleOp"> {
  let summary = "Arithmetic on bf16 in f32, and rounding to bf16 in integers";
  let description = [{
    A step of `harl-lower-to-llvm` where the processor is not known to have
    AVX512-BF16. LLVM would be given calls of its compiler's runtime library,
    which kernels are not linked with. Where no bf16 is computed, nothing is
    changed.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"
  ];
}

def SingleTransfersPass
    : Pass<"harl-single-transfers", "::mlir::func::FuncOp"> {
  let summary = "Loads and stores for transfers of single numbers";
  let description = [{
    A step of `harl-lower-to-llvm`, on buffers. MLIR does not lower
    `vector.transfer_read` and `vector.transfer_write` of vectors of no
    dimensions where numbers of the buffer do not lie side by side.
  }];
  let dependentDialects = [
    "::mlir::memref::MemRefDialect", "::mlir::vector::VectorDialect"
  ];
}

def VectorizeMarkedPass
    : Pass<"harl-vectorize-marked", "::mlir::func::FuncOp"> {
  let summary = "Vectors for linalg ops that a schedule marks";
  let description = [{
    A step of `harl-lower-to-llvm`, on tensors. A schedule gives the attribute
    `harl.vector` to ops that read or write tensors of i1, which it cannot
    vectorise itself: lowerings of vectors that are MLIR's alone take them for
    packed bits.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect", "::mlir::ub::UBDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def MoveMasksAsBytesPass
    : Pass<"harl-move-masks-as-bytes", "::mlir::func::FuncOp"> {
  let summary = "i8 for vectors of i1 in memory";
  let description = [{
    A step of `harl-lower-to-llvm`, on buffers. An element of a buffer of i1
    takes a byte, but LLVM loads and stores vectors of i1 as packed bits. Vector
    ops read and write such buffers as buffers of i8.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"
  ];
}

def MoveSingleMasksAsBytesPass
    : Pass<"harl-move-single-masks-as-bytes", "::mlir::ModuleOp"> {
  let summary = "i8 for single numbers of i1 in memory";
  let description = [{
    A step of `harl-lower-to-llvm`, in the LLVM dialect: LLVM vectorises no
    loop that loads or stores i1.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def NarrowF64Pass : Pass<"harl-narrow-f64", "::mlir::ModuleOp"> {
  let summary = "Rounding of f64 to f16 and bf16 by way of f32";
  let description = [{
    A step of `harl-lower-to-llvm`. LLVM would be given calls of its compiler's
    runtime library. The f32 between is rounded to odd, so that the result is
    that of one rounding. Where there is no such op, nothing is changed; else
    linalg ops become loops.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"
  ];
}

def MoveBF16AsBitsPass : Pass<"harl-move-bf16-as-bits", "::mlir::ModuleOp"> {
  let summary = "i16 for numbers of bf16 that are only moved";
  let description = [{
    The last step of `harl-lower-to-llvm`. LLVM cannot compile all stores of numbers
    of bf16 that were in vectors for processors with AVX512-BF16. In functions
    of the LLVM dialect where numbers go into vectors or out of them one by
    one, loads, stores, shuffles and branches are of i16; what computes them
    takes and makes bf16 as before.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def PadBF16VectorsPass : Pass<"harl-pad-bf16-vectors", "::mlir::ModuleOp"> {
  let summary = "Seven lanes more for vectors of 9, 17, 25, ... bf16";
  let description = [{
    A step of `harl-lower-to-llvm`. LLVM cannot compile vectors of
    those lengths for processors with AVX512-BF16. They are read and written
    in two parts; no result changes.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def StreamStoresPass : Pass<"harl-stream-stores", "::mlir::func::FuncOp"> {
  let summary = "Stores past the caches in loops that a schedule marks";
  let description = [{
    A step of `harl-lower-to-llvm`. An `scf.for` that a schedule gave the
    attribute `harl.streamed` writes a result too large for any cache. Its
    stores of whole lines become nontemporal, in a copy of the loop that runs
    where the buffers begin with a line, and what is read at the same places, or
    on several rows that a loop goes along, is prefetched. Vectors of a loop that
    reads a buffer at several places are taken apart into lines. On x86 only;
    others lose the attribute. In a loop with the attribute `harl.fetched` what
    is read, but not written at the same place, is prefetched.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
    "::mlir::LLVM::LLVMDialect"
  ];
}

def TransposeTilesPass : Pass<"harl-transpose-tiles", "::mlir::func::FuncOp"> {
  let summary = "Tiles transposed by shuffles in loops that a schedule marks";
  let description = [{
    A step of `harl-lower-to-llvm`. In an `scf.for` that a schedule gave the
    attribute `harl.transposed`, a `vector.transpose` of two dimensions that are
    powers of two becomes shuffles of its rows, as many to each row of the
    result as the logarithm of their number.
  }];
  let dependentDialects = [
    "::mlir::ub::UBDialect", "::mlir::vector::VectorDialect"
  ];
}

#endif // HARL_PASSES_TD
