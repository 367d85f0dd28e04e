// RUN: rm -rf %t.kernels
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-extract-tasks{output-dir=%t.kernels})' -o %t.same.mlir
// RUN: cat %t.kernels/*.mlir | %FileCheck %s --check-prefix=KERNEL
// RUN: %FileCheck %s < %t.same.mlir
// RUN: echo 'func.func @none() { return }' | %harl-mlir-opt - --pass-pipeline='harl-extract-tasks{output-dir=%t.none}' 2>&1 | %FileCheck %s --check-prefix=NONE

// Equal workloads are written once, and the module is as it was.
// KERNEL: // matmul 8x8x8 f32, workload [[KEY:[0-9a-f]{16}]]
// KERNEL: func.func @kernel(%arg0: tensor<8x8xf32>, %arg1: tensor<8x8xf32>, %arg2: tensor<8x8xf32>) -> tensor<8x8xf32>
// KERNEL: linalg.matmul
// KERNEL-NOT: workload
// CHECK-COUNT-2: linalg.matmul
// NONE: <stdin>: warning: no linalg op here is tunable, so no kernel was written
func.func @chain(%a: tensor<8x8xf32>, %b: tensor<8x8xf32>, %c: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = linalg.matmul ins(%0, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}
