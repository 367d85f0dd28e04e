// Single numbers of buffers that are strided in the last dimension are loaded and stored; the rest is left.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-single-transfers))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-single-transfers)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED-NOT: unrealized_conversion_cast

// CHECK-LABEL: func.func @strided(
// CHECK: %[[N:.*]] = memref.load %{{.*}}[%{{.*}}, %{{.*}}] : memref<3x4xf32, strided<[8, 2]>>
// CHECK: %[[V:.*]] = vector.broadcast %[[N]] : f32 to vector<f32>
// CHECK: %[[M:.*]] = vector.extract %{{.*}}[] : f32 from vector<f32>
// CHECK: memref.store %[[M]], %{{.*}}[%{{.*}}, %{{.*}}] : memref<3x4xf32, strided<[8, 2]>>
func.func @strided(%m: memref<3x8xf32>, %i: index) {
  %p = arith.constant 0.0 : f32
  %s = memref.subview %m[0, 0] [3, 4] [1, 2] : memref<3x8xf32> to memref<3x4xf32, strided<[8, 2]>>
  %v = vector.transfer_read %s[%i, %i], %p : memref<3x4xf32, strided<[8, 2]>>, vector<f32>
  %w = arith.addf %v, %v : vector<f32>
  vector.transfer_write %w, %s[%i, %i] : vector<f32>, memref<3x4xf32, strided<[8, 2]>>
  return
}

// CHECK-LABEL: func.func @contiguous(
// CHECK: vector.transfer_read
// CHECK: vector.transfer_read
func.func @contiguous(%m: memref<3x8xf32>, %n: memref<f32>, %i: index) -> (vector<f32>, vector<f32>) {
  %p = arith.constant 0.0 : f32
  %v = vector.transfer_read %m[%i, %i], %p : memref<3x8xf32>, vector<f32>
  %w = vector.transfer_read %n[], %p : memref<f32>, vector<f32>
  return %v, %w : vector<f32>, vector<f32>
}
