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

    ```mlir
    %0 = linalg.fill ins(%zero : f32) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
    %1 = linalg.matmul {harl.workload = "9f119db20e4237b9"}
        ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%0 : tensor<8x8xf32>) -> tensor<8x8xf32>
    ```
  }];
}

#endif // HARL_PASSES_TD
