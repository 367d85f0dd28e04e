// In a loop that a schedule marks, tiles of powers of two are transposed by shuffles of their rows.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-transpose-tiles))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-transpose-tiles)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED-LABEL: llvm.func @tall
// LOWERED: llvm.shufflevector {{.*}} [0, 2, 4, 6, 8, 10, 12, 14] : vector<8xf32>
// LOWERED-LABEL: llvm.func @wide

// CHECK-NOT: harl.transposed

// Two rows in a register, then even and odd lanes of neighbours, and of those two steps apart.
// CHECK-LABEL: func.func @tall
// CHECK: scf.for
// CHECK-COUNT-8: vector.extract {{.*}} : vector<4xf32> from vector<8x4xf32>
// CHECK-COUNT-4: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7] : vector<4xf32>, vector<4xf32>
// CHECK: vector.shuffle %[[A:.*]], %[[B:.*]] [0, 2, 4, 6, 8, 10, 12, 14] : vector<8xf32>
// CHECK: vector.shuffle %[[A]], %[[B]] [1, 3, 5, 7, 9, 11, 13, 15] : vector<8xf32>
// CHECK-COUNT-6: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK-NOT: vector.transpose
// CHECK: vector.transfer_write
func.func @tall(%a: memref<64x64xf32>, %b: memref<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %j = %c0 to %c64 step %c4 {
    %v = vector.transfer_read %a[%c0, %j], %z {in_bounds = [true, true]} : memref<64x64xf32>, vector<8x4xf32>
    %t = vector.transpose %v, [1, 0] : vector<8x4xf32> to vector<4x8xf32>
    vector.transfer_write %t, %b[%j, %c0] {in_bounds = [true, true]} : vector<4x8xf32>, memref<64x64xf32>
  } {harl.transposed}
  return
}

// Two tiles side by side.
// CHECK-LABEL: func.func @wide
// CHECK: vector.extract_strided_slice {{.*}} {offsets = [0], sizes = [2], strides = [1]}
// CHECK-COUNT-2: vector.shuffle
// CHECK: vector.extract_strided_slice {{.*}} {offsets = [2], sizes = [2], strides = [1]}
// CHECK-COUNT-2: vector.shuffle
// CHECK-NOT: vector.transpose
func.func @wide(%a: memref<64x64xi8>, %b: memref<64x64xi8>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0 : i8
  scf.for %j = %c0 to %c64 step %c4 {
    %v = vector.transfer_read %a[%c0, %j], %z {in_bounds = [true, true]} : memref<64x64xi8>, vector<2x4xi8>
    %t = vector.transpose %v, [1, 0] : vector<2x4xi8> to vector<4x2xi8>
    vector.transfer_write %t, %b[%j, %c0] {in_bounds = [true, true]} : vector<4x2xi8>, memref<64x64xi8>
  } {harl.transposed}
  return
}

// Loops without the mark, and what is no power of two.
// CHECK-LABEL: func.func @left
// CHECK-COUNT-2: vector.transpose
func.func @left(%v: vector<8x4xf32>, %w: vector<6x4xf32>, %b: memref<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  scf.for %j = %c0 to %c64 step %c8 {
    %t = vector.transpose %v, [1, 0] : vector<8x4xf32> to vector<4x8xf32>
    vector.transfer_write %t, %b[%j, %c0] {in_bounds = [true, true]} : vector<4x8xf32>, memref<64x64xf32>
  }
  scf.for %j = %c0 to %c64 step %c8 {
    %t = vector.transpose %w, [1, 0] : vector<6x4xf32> to vector<4x6xf32>
    vector.transfer_write %t, %b[%j, %c0] {in_bounds = [true, true]} : vector<4x6xf32>, memref<64x64xf32>
  } {harl.transposed}
  return
}
