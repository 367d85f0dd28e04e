// Contractions of groups become the processor's dot products, and the copies that make groups become shuffles; with
// neither option they are lowered as any other. The same by the driver and by Python's passes.

// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-dot-products{bf16 i8}))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(func.func(harl-dot-products{bf16 i8}))' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm='bf16-dots i8-dots' | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm{bf16-dots i8-dots})' | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-opt %s --harl-lower-to-llvm='bf16-dots i8-dots accuracy=strict' | %FileCheck %s --check-prefix=STRICT
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=NONE
// NONE-NOT: call_intrinsic "llvm.x86
// STRICT-NOT: dpbf16ps

#group = affine_map<(n, k) -> (k)>
#groups = affine_map<(n, k) -> (n, k)>
#sums = affine_map<(n, k) -> (n)>

// Twenty columns are two registers of sums, read with a mask; sums go through the loop in both.
// CHECK-LABEL: func.func @loop_of_bf16
// CHECK: %[[FOR:.*]] = scf.for {{.*}} -> (vector<32xf32>)
// CHECK: vector.maskedload {{.*}} into vector<64xbf16>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK-NOT: vector.contract
// CHECK: scf.yield %{{.*}} : vector<32xf32>
// CHECK: vector.shuffle %[[FOR]], %[[FOR]]
// LOWERED-LABEL: llvm.func @loop_of_bf16
// LOWERED-COUNT-2: dpbf16ps.512
func.func @loop_of_bf16(%a: memref<7x2xbf16>, %b: memref<7x20x2xbf16>, %c: vector<20xf32>) -> vector<20xf32> {
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %i7 = arith.constant 7 : index
  %p = arith.constant 0.0 : bf16
  %r = scf.for %i = %i0 to %i7 step %i1 iter_args(%s = %c) -> (vector<20xf32>) {
    %x = vector.transfer_read %a[%i, %i0], %p {in_bounds = [true]} : memref<7x2xbf16>, vector<2xbf16>
    %y = vector.transfer_read %b[%i, %i0, %i0], %p {in_bounds = [true, true]} : memref<7x20x2xbf16>, vector<20x2xbf16>
    %t = vector.contract {indexing_maps = [#group, #groups, #sums], iterator_types = ["parallel", "reduction"],
      kind = #vector.kind<add>} %x, %y, %s : vector<2xbf16>, vector<20x2xbf16> into vector<20xf32>
    scf.yield %t : vector<20xf32>
  }
  return %r : vector<20xf32>
}

// Of signed numbers 128 too much is multiplied, which both contractions take away before they start.
// CHECK-LABEL: func.func @signed(
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: arith.subi
// CHECK-NOT: arith.subi
// CHECK: arith.xori
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: arith.xori
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: {{arith.subi|call_intrinsic}}
// CHECK: return
// STRICT: vpdpbusd.512
func.func @signed(%x: vector<4xi8>, %y: vector<16x4xi8>, %z: vector<16x4xi8>, %c: vector<16xi32>) -> vector<16xi32> {
  %r = vector.contract {indexing_maps = [#group, #groups, #sums], iterator_types = ["parallel", "reduction"],
    kind = #vector.kind<add>} %x, %y, %c : vector<4xi8>, vector<16x4xi8> into vector<16xi32>
  %s = vector.contract {indexing_maps = [#groups, #group, #sums], iterator_types = ["parallel", "reduction"],
    kind = #vector.kind<add>} %z, %x, %r : vector<16x4xi8>, vector<4xi8> into vector<16xi32>
  return %s : vector<16xi32>
}

// It is the same for all rows that are multiplied with a panel: it is summed up once, when that is written.
// CHECK-LABEL: func.func @signed_rows(
// CHECK: vector.transfer_write
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %{{.*}} to %[[STEPS:.*]] step {{.*}} -> (vector<16xi32>)
// CHECK: vector.load
// CHECK: vpdpbusd
// CHECK: scf.for %[[ROW:.*]] =
// CHECK: %[[FIRST:.*]] = arith.subi %{{.*}}, %[[SUM]]
// CHECK: scf.for {{.*}} to %[[STEPS]] step {{.*}} iter_args(%{{.*}} = %[[FIRST]])
// CHECK-COUNT-1: vpdpbusd
// CHECK-NOT: vpdpbusd
// CHECK: return
func.func @signed_rows(%a: memref<8x24x4xi8>, %w: vector<24x16x4xi8>, %c: memref<8x16xi32>) {
  %i0 = arith.constant 0 : index
  %i1 = arith.constant 1 : index
  %i8 = arith.constant 8 : index
  %i24 = arith.constant 24 : index
  %p = arith.constant 0 : i8
  %z = arith.constant dense<0> : vector<16xi32>
  %panel = memref.alloc() : memref<24x16x4xi8>
  vector.transfer_write %w, %panel[%i0, %i0, %i0] {in_bounds = [true, true, true]} : vector<24x16x4xi8>, memref<24x16x4xi8>
  scf.for %r = %i0 to %i8 step %i1 {
    %v = scf.for %k = %i0 to %i24 step %i1 iter_args(%s = %z) -> (vector<16xi32>) {
      %x = vector.transfer_read %a[%r, %k, %i0], %p {in_bounds = [true]} : memref<8x24x4xi8>, vector<4xi8>
      %y = vector.transfer_read %panel[%k, %i0, %i0], %p {in_bounds = [true, true]} : memref<24x16x4xi8>, vector<16x4xi8>
      %t = vector.contract {indexing_maps = [#group, #groups, #sums], iterator_types = ["parallel", "reduction"],
        kind = #vector.kind<add>} %x, %y, %s : vector<4xi8>, vector<16x4xi8> into vector<16xi32>
      scf.yield %t : vector<16xi32>
    }
    vector.transfer_write %v, %c[%r, %i0] {in_bounds = [true]} : vector<16xi32>, memref<8x16xi32>
  }
  return
}

// Rows that lie apart are interleaved and stored as one.
// CHECK-LABEL: func.func @unsigned(
// CHECK-COUNT-3: vector.interleave
// CHECK: vector.store %{{.*}} : memref<64xi8>, vector<64xi8>
// CHECK-COUNT-1: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: call_intrinsic
// CHECK: return
func.func @unsigned(%x: vector<4xi8>, %w: vector<4x16xi8>, %m: memref<16x4xi8>, %c: vector<16xi32>) -> vector<16xi32> {
  %i0 = arith.constant 0 : index
  %p = arith.constant 0 : i8
  %t = vector.transpose %w, [1, 0] : vector<4x16xi8> to vector<16x4xi8>
  vector.transfer_write %t, %m[%i0, %i0] {in_bounds = [true, true]} : vector<16x4xi8>, memref<16x4xi8>
  %y = vector.transfer_read %m[%i0, %i0], %p {in_bounds = [true, true]} : memref<16x4xi8>, vector<16x4xi8>
  %u = arith.extui %x : vector<4xi8> to vector<4xi32>
  %v = arith.extsi %y : vector<16x4xi8> to vector<16x4xi32>
  %r = vector.contract {indexing_maps = [#group, #groups, #sums], iterator_types = ["parallel", "reduction"],
    kind = #vector.kind<add>} %u, %v, %c : vector<4xi32>, vector<16x4xi32> into vector<16xi32>
  return %r : vector<16xi32>
}
