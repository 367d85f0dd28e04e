// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='func.func(linalg-generalize-named-ops),harl-annotate-workloads' | %FileCheck %s --check-prefix=GENERIC
// RUN: %harl-mlir-opt %s --pass-pipeline=harl-annotate-workloads | %harl-mlir-opt - --pass-pipeline=harl-annotate-workloads | %FileCheck %s

// A fused group has its key on its last op, and a key says nothing of how ops are spelled.

// CHECK-LABEL: @dense
// CHECK: linalg.matmul
// CHECK-NOT: harl.workload
// CHECK: linalg.generic
// CHECK-SAME: harl.workload = "[[DENSE:[0-9a-f]{16}]]"
// GENERIC-LABEL: @dense
// GENERIC-COUNT-1: harl.workload
func.func @dense(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>) -> tensor<8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  %p = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>) outs(%f : tensor<8x32xf32>) -> tensor<8x32xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%p : tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) {
    ^bb0(%x: f32, %o: f32):
      %m = arith.maximumf %x, %zero : f32
      linalg.yield %m : f32
  } -> tensor<8x32xf32>
  return %r : tensor<8x32xf32>
}

// An old key goes.
// CHECK-LABEL: @old
// CHECK: linalg.matmul {harl.workload = "[[MATMUL:[0-9a-f]{16}]]"}
// GENERIC-LABEL: @old
// GENERIC: linalg.generic
// GENERIC-SAME: harl.workload = "[[MATMUL:[0-9a-f]{16}]]"
func.func @old(%a: tensor<8x8xf32>, %c: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %r = linalg.matmul {harl.workload = "0000000000000000"} ins(%a, %a : tensor<8x8xf32>, tensor<8x8xf32>)
      outs(%c : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// CHECK-LABEL: @dynamic
// CHECK: linalg.matmul ins
func.func @dynamic(%a: tensor<?x8xf32>, %b: tensor<8x8xf32>, %c: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = linalg.matmul ins(%a, %b : tensor<?x8xf32>, tensor<8x8xf32>) outs(%c : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
