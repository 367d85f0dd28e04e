// A copy of f16 or bf16 that is read for nothing but to be widened holds f32. The same by the driver and by Python's
// passes.
// REQUIRES: passes

// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-wide-buffers))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(func.func(harl-wide-buffers))' | %FileCheck %s

// Rows are copied as vectors, and written as they were; the widening of what is read is gone.
// CHECK-LABEL: func.func @rows(
// CHECK: %[[PANEL:.*]] = memref.alloc() : memref<8x32xf32>
// CHECK: %[[VIEW:.*]] = memref.subview %[[PANEL]]{{.*}} to memref<1x32xf32, strided<[32, 1], offset: ?>>
// CHECK: %[[GIVEN:.*]] = vector.transfer_read {{.*}} vector<32xf16>
// CHECK: %[[WIDE:.*]] = arith.extf %[[GIVEN]] : vector<32xf16> to vector<32xf32>
// CHECK: vector.transfer_write %[[WIDE]], %[[VIEW]]
// CHECK: arith.extf {{.*}} : vector<32xf16> to vector<32xf32>
// CHECK: vector.transfer_write
// CHECK-NOT: arith.extf %{{.*}} : vector
// CHECK: vector.transfer_read %[[PANEL]]{{.*}} vector<f32>
// CHECK: vector.transfer_read %[[PANEL]]{{.*}} vector<32xf32>
// CHECK: arith.mulf
// CHECK: memref.dealloc %[[PANEL]]
func.func @rows(%b: memref<8x32xf16>, %v: vector<32xf16>) -> vector<32xf32> {
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %i7 = arith.constant 7 : index
  %p = arith.constant 0.0 : f16
  %panel = memref.alloc() : memref<8x32xf16>
  scf.for %i = %i0 to %i7 step %i1 {
    %s = memref.subview %b[%i, 0] [1, 32] [1, 1] : memref<8x32xf16> to memref<1x32xf16, strided<[32, 1], offset: ?>>
    %t = memref.subview %panel[%i, 0] [1, 32] [1, 1] : memref<8x32xf16> to memref<1x32xf16, strided<[32, 1], offset: ?>>
    memref.copy %s, %t : memref<1x32xf16, strided<[32, 1], offset: ?>> to memref<1x32xf16, strided<[32, 1], offset: ?>>
  }
  vector.transfer_write %v, %panel[%i7, %i0] {in_bounds = [true]} : vector<32xf16>, memref<8x32xf16>
  %x = vector.transfer_read %panel[%i1, %i0], %p : memref<8x32xf16>, vector<f16>
  %xs = vector.broadcast %x : vector<f16> to vector<32xf16>
  %xw = arith.extf %xs : vector<32xf16> to vector<32xf32>
  %y = vector.transfer_read %panel[%i7, %i0], %p {in_bounds = [true]} : memref<8x32xf16>, vector<32xf16>
  %yw = arith.extf %y : vector<32xf16> to vector<32xf32>
  %r = arith.mulf %xw, %yw : vector<32xf32>
  memref.dealloc %panel : memref<8x32xf16>
  return %r : vector<32xf32>
}

// Other copies are loops.
// CHECK-LABEL: func.func @box(
// CHECK: memref.alloc() : memref<8x32xf32>
// CHECK: linalg.generic
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: memref.load {{.*}} : memref<8x32xf32>
// CHECK-NOT: arith.extf
// CHECK: return
func.func @box(%b: memref<8x32xbf16>) -> f32 {
  %i0 = arith.constant 0 : index
  %panel = memref.alloc() : memref<8x32xbf16>
  memref.copy %b, %panel : memref<8x32xbf16> to memref<8x32xbf16>
  %x = memref.load %panel[%i0, %i0] : memref<8x32xbf16>
  %r = arith.extf %x : bf16 to f32
  return %r : f32
}

// Numbers that are used as they are stay so, and so do those of other types.
// CHECK-LABEL: func.func @narrow(
// CHECK: memref.alloc() : memref<32xf16>
// CHECK: memref.alloc() : memref<32xf16>
// CHECK: memref.alloc() : memref<32xf32>
func.func @narrow(%a: memref<32xf16>, %c: memref<32xf32>, %out: memref<32xf16>) -> (f16, f32, f64, f64) {
  %i0 = arith.constant 0 : index
  %kept = memref.alloc() : memref<32xf16>
  memref.copy %a, %kept : memref<32xf16> to memref<32xf16>
  %x = memref.load %kept[%i0] : memref<32xf16>
  %xw = arith.extf %x : f16 to f32
  memref.copy %kept, %out : memref<32xf16> to memref<32xf16>
  %double = memref.alloc() : memref<32xf16>
  memref.copy %a, %double : memref<32xf16> to memref<32xf16>
  %y = memref.load %double[%i0] : memref<32xf16>
  %yw = arith.extf %y : f16 to f64
  %single = memref.alloc() : memref<32xf32>
  memref.copy %c, %single : memref<32xf32> to memref<32xf32>
  %z = memref.load %single[%i0] : memref<32xf32>
  %zw = arith.extf %z : f32 to f64
  return %x, %xw, %yw, %zw : f16, f32, f64, f64
}

// A number of its own and rows of unknown length are copied in loops.
// CHECK-LABEL: func.func @no_rows(
// CHECK: memref.alloc() : memref<f32>
// CHECK: linalg.generic
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: linalg.generic
// CHECK-NOT: memref.copy
func.func @no_rows(%a: memref<f16>, %b: memref<?xf16>, %n: index) -> (f32, f32) {
  %i0 = arith.constant 0 : index
  %one = memref.alloc() : memref<f16>
  memref.copy %a, %one : memref<f16> to memref<f16>
  %x = memref.load %one[] : memref<f16>
  %xw = arith.extf %x : f16 to f32
  %row = memref.alloc(%n) : memref<?xf16>
  memref.copy %b, %row : memref<?xf16> to memref<?xf16>
  %y = memref.load %row[%i0] : memref<?xf16>
  %yw = arith.extf %y : f16 to f32
  return %xw, %yw : f32, f32
}
