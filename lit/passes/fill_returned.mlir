// A fill that the function returns is a workload of its own and a member of the product's: the product comes first.
// REQUIRES: passes
// RUN: %write-library %s > %t.lib.mlir
// RUN: %harl-opt %s --harl-apply-schedules=library=%t.lib.mlir -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir

// REMARK-NOT: restored
// REMARK: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 8x32x16 f32)
// REMARK-NOT: {{restored|left}}
// REMARK: remark: matched by @schedule_{{[0-9a-f]+}} (fill 8x32 f32)
// REMARK-NOT: {{restored|left}}

// CHECK-LABEL: func.func @both
// CHECK-NOT: linalg.matmul
// CHECK: return
func.func @both(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>) -> (tensor<8x32xf32>, tensor<8x32xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  %m = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>) outs(%f : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %f, %m : tensor<8x32xf32>, tensor<8x32xf32>
}
