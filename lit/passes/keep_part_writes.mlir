// A vector at the beginning of a tensor is no longer seen to be there, so that bufferization keeps the rest.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-keep-part-writes))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-keep-part-writes)' | %FileCheck %s
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-keep-part-writes), one-shot-bufferize{bufferize-function-boundaries=true})' | %FileCheck %s --check-prefix=BUFFERS

// CHECK-LABEL: func.func @row(
// CHECK: %[[SUM:.*]] = arith.addi %{{.*}}, %{{.*}} : index
// CHECK: vector.transfer_read %{{.*}}[%[[SUM]], %{{.*}}]
// CHECK: vector.transfer_write %{{.*}}, %{{.*}}[%[[SUM]], %{{.*}}]
// BUFFERS-LABEL: func.func @row(
// BUFFERS: memref.copy
func.func @row(%a: tensor<4x17xf32> {bufferization.writable = false}) -> tensor<4x17xf32> {
  %c0 = arith.constant 0 : index
  %p = arith.constant 0.0 : f32
  %v = vector.transfer_read %a[%c0, %c0], %p {in_bounds = [true]} : tensor<4x17xf32>, vector<16xf32>
  %w = arith.addf %v, %v : vector<16xf32>
  %r = vector.transfer_write %w, %a[%c0, %c0] {in_bounds = [true]} : vector<16xf32>, tensor<4x17xf32>
  return %r : tensor<4x17xf32>
}

// What lies as the tensor does is compared rightly, and what begins elsewhere is known to be a part.
// CHECK-LABEL: func.func @left(
// CHECK-NOT: arith.addi
func.func @left(%a: tensor<4x16xf32>, %v: vector<4x16xf32>, %w: vector<16xf32>) -> tensor<4x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = vector.transfer_write %v, %a[%c0, %c0] {in_bounds = [true, true]} : vector<4x16xf32>, tensor<4x16xf32>
  %s = vector.transfer_write %w, %r[%c1, %c0] {in_bounds = [true]} : vector<16xf32>, tensor<4x16xf32>
  return %s : tensor<4x16xf32>
}
