// A schedule that somebody wrote by hand, with knobs, is applied as mlir-opt applies it, and what it leaves is lowered.
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %harl-opt %t.mlir --harl-apply-schedules='library=%S/Inputs/hand_schedule.mlir fail-if-none=true' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %mlir-opt %t.mlir --transform-preload-library=transform-library-paths=%S/Inputs/hand_schedule.mlir --transform-interpreter -o %t.same.mlir
// RUN: diff %t.same.mlir %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-apply-schedules{library=%S/Inputs/hand_schedule.mlir fail-if-none})' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-default{library=%S/Inputs/hand_schedule.mlir})' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// One that changes nothing is as good as none.
// RUN: not %harl-opt %S/Inputs/small.mlir --harl-apply-schedules='library=%S/Inputs/idle_script.mlir fail-if-none=true' 2>&1 | %FileCheck %s --check-prefix=NONE

// REMARK: mlir:[[#@LINE+17]]:8: remark: not changed by the script
// REMARK: mlir:[[#@LINE+17]]:8: remark: changed by the script
// REMARK-NOT: remark:

// NONE-COUNT-2: remark: not changed by the script
// NONE: error: no schedule of {{.*}}idle_script.mlir was applied to this module

// CHECK-LABEL: func.func @product
// CHECK-NOT: harl.
// CHECK: linalg.fill
// CHECK: scf.for
// CHECK: vector.contract {{.*}} : vector<4x4xf32>, vector<4x16xf32> into vector<4x16xf32>
// CHECK-NOT: linalg.
// CHECK: return
func.func @product(%a: tensor<24x40xf32>, %b: tensor<40x32xf32>) -> tensor<24x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<24x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<24x32xf32>) -> tensor<24x32xf32>
  %m = linalg.matmul ins(%a, %b : tensor<24x40xf32>, tensor<40x32xf32>) outs(%f : tensor<24x32xf32>) -> tensor<24x32xf32>
  return %m : tensor<24x32xf32>
}

// NUMBERS: {{^}}-8484525553869528478{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %a = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<24x40xf32>
  %b = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<40x32xf32>
  %m = func.call @product(%a, %b) : (tensor<24x40xf32>, tensor<40x32xf32>) -> tensor<24x32xf32>
  %r = tensor.cast %m : tensor<24x32xf32> to tensor<?x?xf32>
  %h = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %h : i64
}
