// Vectors of i1 are read from buffers and written to them as bytes; LLVM would take them for packed bits.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-move-masks-as-bytes))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-move-masks-as-bytes)' | %FileCheck %s

// CHECK-LABEL: func.func @transfers(
// CHECK: %[[FALSE:.*]] = arith.constant false
// CHECK: %[[M:.*]] = builtin.unrealized_conversion_cast %arg0 : memref<4x24xi1, strided<[24, 1], offset: ?>> to memref<4x24xi8, strided<[24, 1], offset: ?>>
// CHECK: %[[P:.*]] = arith.extui %[[FALSE]] : i1 to i8
// CHECK: %[[READ:.*]] = vector.transfer_read %[[M]][%arg2, %arg2], %[[P]] {in_bounds = [true]} : memref<4x24xi8, strided<[24, 1], offset: ?>>, vector<16xi8>
// CHECK: %[[BITS:.*]] = arith.cmpi ne, %[[READ]], %{{.*}} : vector<16xi8>
// CHECK: %[[NOT:.*]] = arith.xori %[[BITS]], %{{.*}} : vector<16xi1>
// CHECK: %[[K:.*]] = builtin.unrealized_conversion_cast %arg1 : memref<24xi1> to memref<24xi8>
// CHECK: %[[BYTES:.*]] = arith.extui %[[NOT]] : vector<16xi1> to vector<16xi8>
// CHECK: vector.transfer_write %[[BYTES]], %[[K]][%arg2] {in_bounds = [true]} : vector<16xi8>, memref<24xi8>
func.func @transfers(%m: memref<4x24xi1, strided<[24, 1], offset: ?>>, %k: memref<24xi1>, %i: index) {
  %f = arith.constant false
  %t = arith.constant dense<true> : vector<16xi1>
  %v = vector.transfer_read %m[%i, %i], %f {in_bounds = [true]} : memref<4x24xi1, strided<[24, 1], offset: ?>>, vector<16xi1>
  %w = arith.xori %v, %t : vector<16xi1>
  vector.transfer_write %w, %k[%i] {in_bounds = [true]} : vector<16xi1>, memref<24xi1>
  return
}

// The mask of an op that has one stays bits.
// CHECK-LABEL: func.func @masked(
// CHECK: %[[MASK:.*]] = vector.create_mask
// CHECK: vector.transfer_read %{{.*}}[%arg1], %{{.*}}, %[[MASK]] : memref<24xi8>, vector<16xi8>
// CHECK: vector.transfer_write %{{.*}}, %{{.*}}[%arg1], %[[MASK]] : vector<16xi8>, memref<24xi8>
// CHECK: %[[NONE:.*]] = arith.extui %{{.*}} : vector<16xi1> to vector<16xi8>
// CHECK: vector.maskedload %{{.*}}[%arg1], %[[MASK]], %[[NONE]] : memref<24xi8>, vector<16xi1>, vector<16xi8> into vector<16xi8>
// CHECK: vector.maskedstore %{{.*}}[%arg1], %[[MASK]], %{{.*}} : memref<24xi8>, vector<16xi1>, vector<16xi8>
func.func @masked(%k: memref<24xi1>, %i: index, %n: index, %f: i1) {
  %p = vector.create_mask %n : vector<16xi1>
  %q = vector.mask %p { vector.transfer_read %k[%i], %f : memref<24xi1>, vector<16xi1> } : vector<16xi1> -> vector<16xi1>
  vector.mask %p { vector.transfer_write %q, %k[%i] : vector<16xi1>, memref<24xi1> } : vector<16xi1>
  %u = vector.maskedload %k[%i], %p, %q : memref<24xi1>, vector<16xi1>, vector<16xi1> into vector<16xi1>
  vector.maskedstore %k[%i], %p, %u : memref<24xi1>, vector<16xi1>, vector<16xi1>
  return
}

// CHECK-LABEL: func.func @loads(
// CHECK: vector.load %{{.*}}[%arg1] : memref<24xi8>, vector<16xi8>
// CHECK: vector.store %{{.*}}, %{{.*}}[%arg1] : memref<24xi8>, vector<16xi8>
// Vectors that are elements of a buffer are what that says.
// CHECK: memref.store %{{.*}}, %arg2[%arg1] : memref<4xvector<16xi1>>
func.func @loads(%k: memref<24xi1>, %i: index, %b: memref<4xvector<16xi1>>) {
  %v = vector.load %k[%i] : memref<24xi1>, vector<16xi1>
  vector.store %v, %k[%i] : memref<24xi1>, vector<16xi1>
  memref.store %v, %b[%i] : memref<4xvector<16xi1>>
  return
}
