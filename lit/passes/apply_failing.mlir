// A schedule that fails leaves its function as it was, says why, and does not keep other schedules from being applied.
// REQUIRES: passes
// RUN: %write-library %s --fail "matmul 64x64x64 f32" > %t.lib.mlir
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir fail-if-none})' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir fail-if-none})' -o %t.other.mlir 2> %t.remarks
// RUN: diff %t.tuned.mlir %t.other.mlir
//
// Nothing matches: no error, unless it is asked for; then nothing is written.
// RUN: %write-library %S/Inputs/small.mlir > %t.small.mlir
// RUN: %harl-opt %s -o %t.same.mlir
// RUN: %harl-opt %s --harl-apply-schedules=library=%t.small.mlir -o %t.left.mlir 2> %t.left.remarks
// RUN: diff %t.same.mlir %t.left.mlir
// RUN: %FileCheck %s --check-prefix=LEFT < %t.left.remarks
// RUN: not %harl-opt %s --harl-apply-schedules='library=%t.small.mlir fail-if-none=true' -o %t.none.mlir 2>&1 | %FileCheck %s --check-prefix=NONE
// RUN: not ls %t.none.mlir
// RUN: %harl-mlir-opt %s --library %t.lib.mlir -o %t.tuned.mlir
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %s --library %t.small.mlir 2>&1 > %t.same.mlir | %FileCheck %s --check-prefix=LEFT
// RUN: not %harl-mlir-opt %s --pass-pipeline='harl-apply-schedules{library=%t.small.mlir fail-if-none}' 2>&1 | %FileCheck %s --check-prefix=NONE

// REMARK-DAG: mlir:[[#@LINE+22]]:8: remark: matched by @schedule_[[KEY:[0-9a-f]+]] (matmul 64x64x64 f32)
// REMARK-DAG: mlir:[[#@LINE+16]]:1: remark: restored: @schedule_[[KEY]] (matmul 64x64x64 f32) failed in this function: {{.*}}lib.mlir:{{.+}}
// REMARK-DAG: mlir:[[#@LINE+18]]:8: remark: left as it was: no schedule of this library was applied to it
// REMARK-DAG: mlir:[[#@LINE+22]]:8: remark: matched by @schedule_{{[0-9a-f]+}} (generic 64x64 f32)

// LEFT-COUNT-3: remark: left as it was: no schedule of this library was applied to it
// LEFT-NOT: remark:
// NONE: error: {{.*}}no schedule of {{.*}}small.mlir was applied to this module

#swap = affine_map<(i, j) -> (j, i)>
#id = affine_map<(i, j) -> (i, j)>
// CHECK-LABEL: func.func @both
// CHECK-NOT: harl.
// CHECK: linalg.fill
// CHECK: linalg.matmul
// CHECK-NOT: linalg.
// CHECK: return
func.func @both(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>

  %m = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) -> tensor<64x64xf32>

  // Not the matmul's epilogue, as it takes its result transposed.
  %s = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m : tensor<64x64xf32>) outs(%e : tensor<64x64xf32>) {
  ^bb0(%x: f32, %o: f32):
    %z = arith.addf %x, %x : f32
    linalg.yield %z : f32
  } -> tensor<64x64xf32>
  return %s : tensor<64x64xf32>
}
