//===- Passes.td - The passes of harl_mlir ------------------*- tablegen -*-===//
//
// `mlir-tblgen -gen-pass-doc` makes the reference documentation of the passes
// from this file; the build puts it into `passes/Passes.md`.
//
//===----------------------------------------------------------------------===//

#ifndef HARL_PASSES_TD
#define HARL_PASSES_TD

include "mlir/Pass/PassBase.td"

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
  let dependentDialects = ["::mlir::func::FuncDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif // HARL_PASSES_TD
