// In a loop that a schedule marks, stores of whole lines go past the caches where the buffer begins with a line.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-stream-stores))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-stream-stores)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED: llvm.store {{.*}} {alignment = 64 : i64, nontemporal} : vector<32xf32>
// LOWERED: llvm.x86.sse.sfence

// CHECK-NOT: harl.streamed

// CHECK-LABEL: func.func @rows
// CHECK: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %arg1
// CHECK: %[[REST:.*]] = arith.andi %[[ADDRESS]]
// CHECK: %[[LINES:.*]] = arith.cmpi eq, %[[REST]]
// CHECK: scf.if %[[LINES]]
// CHECK: scf.for
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK: %[[BEFORE:.*]] = arith.constant 768
// CHECK: %[[AHEAD:.*]] = arith.addi %[[J]], %[[BEFORE]]
// CHECK: memref.prefetch %arg0[{{.*}}, %[[AHEAD]]], read, locality<3>, data
// CHECK: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK: vector.store {{.*}} {alignment = 64 : i64, nontemporal = true} : memref<8x64xf32>, vector<32xf32>
// CHECK: "llvm.x86.sse.sfence"
// CHECK: else
// CHECK: scf.for
// CHECK: vector.transfer_write
func.func @rows(%a: memref<8x64xf32>, %b: memref<8x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    scf.for %j = %c0 to %c64 step %c32 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<8x64xf32>, vector<32xf32>
      vector.transfer_write %v, %b[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<8x64xf32>
    } {harl.streamed}
  } {harl.streamed}
  return
}

// Both rows of a tile, through a view of the buffer.
// CHECK-LABEL: func.func @tiles
// CHECK-COUNT-2: vector.store {{.*}} {alignment = 64 : i64, nontemporal = true}
// CHECK: vector.transfer_write
func.func @tiles(%b: memref<64x64xf32>, %v: vector<2x16xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c64 step %c2 {
    scf.for %j = %c0 to %c64 step %c16 {
      %at = affine.apply affine_map<()[s0] -> (s0 * 3 + 32)>()[%j]
      %s = memref.subview %b[%i, %j] [2, 16] [1, 1] : memref<64x64xf32> to memref<2x16xf32, strided<[64, 1], offset: ?>>
      vector.transfer_write %v, %s[%c0, %c0] {in_bounds = [true, true]}
          : vector<2x16xf32>, memref<2x16xf32, strided<[64, 1], offset: ?>>
    }
  } {harl.streamed}
  return
}

// Rows of 40 bytes, parts of lines, indices of which nothing is known, and loops without the mark.
// CHECK-LABEL: func.func @left
// CHECK-NOT: vector.store
func.func @left(%b: memref<64x10xf32>, %l: memref<64x64xf32>, %v: vector<16xf32>, %w: vector<8xf32>, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c64 step %c1 {
    vector.transfer_write %w, %b[%i, %c0] {in_bounds = [true]} : vector<8xf32>, memref<64x10xf32>
    vector.transfer_write %v, %l[%i, %c8] {in_bounds = [true]} : vector<16xf32>, memref<64x64xf32>
    vector.transfer_write %v, %l[%i, %k] {in_bounds = [true]} : vector<16xf32>, memref<64x64xf32>
    vector.transfer_write %v, %l[%i, %c0] : vector<16xf32>, memref<64x64xf32>
  } {harl.streamed}
  scf.for %i = %c0 to %c64 step %c16 {
    vector.transfer_write %v, %l[%c0, %i] {in_bounds = [true]} : vector<16xf32>, memref<64x64xf32>
  }
  return
}

// Each of the rows that the loop goes along is asked for ten lines before, though it lies elsewhere in the result.
// CHECK-LABEL: func.func @transposed
// CHECK: scf.for %[[I:[a-z0-9]+]] =
// CHECK: scf.for %[[J:[a-z0-9]+]] =
// CHECK: %[[TEN:.*]] = arith.constant 160
// CHECK: %[[AHEAD:.*]] = arith.addi %[[J]], %[[TEN]]
// CHECK: memref.prefetch %arg0[%{{.*}}, %[[I]], %{{.*}}, %[[AHEAD]]], read, locality<2>, data
// CHECK: %[[ROW:.*]] = arith.addi %[[I]], %c1
// CHECK: memref.prefetch %arg0[%{{.*}}, %[[ROW]], %{{.*}}, %{{.*}}], read, locality<2>, data
// CHECK-COUNT-14: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK-COUNT-8: vector.store {{.*}} {alignment = 64 : i64, nontemporal = true} : memref<2x8x64x32xf32>, vector<16xf32>
// CHECK: "llvm.x86.sse.sfence"
// CHECK: else
func.func @transposed(%a: memref<2x32x8x64xf32>, %b: memref<2x8x64x32xf32>) {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c32 step %c16 {
    scf.for %j = %c0 to %c64 step %c8 {
      %v = vector.transfer_read %a[%c0, %i, %c0, %j], %z
          {in_bounds = [true, true], permutation_map = affine_map<(d0, d1, d2, d3) -> (d1, d3)>}
          : memref<2x32x8x64xf32>, vector<16x8xf32>
      %t = vector.transpose %v, [1, 0] : vector<16x8xf32> to vector<8x16xf32>
      vector.transfer_write %t, %b[%c0, %c0, %j, %i] {in_bounds = [true, true]}
          : vector<8x16xf32>, memref<2x8x64x32xf32>
    } {harl.streamed}
  } {harl.streamed}
  return
}

// So it is of a strip: the loop over its two vectors goes along none.
// CHECK-LABEL: func.func @strip
// CHECK-COUNT-16: memref.prefetch
// CHECK-NOT: memref.prefetch
// CHECK-COUNT-16: vector.store {{.*}} {alignment = 64 : i64, nontemporal = true}
// CHECK: else
func.func @strip(%a: memref<64x128xf32>, %b: memref<128x64xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %z = arith.constant 0.0 : f32
  scf.for %s = %c0 to %c64 step %c32 {
    scf.for %j = %c0 to %c128 step %c16 {
      scf.for %k = %c0 to %c32 step %c16 {
        %i = affine.apply affine_map<(d0, d1) -> (d0 + d1)>(%s, %k)
        %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true, true]} : memref<64x128xf32>, vector<16x16xf32>
        %t = vector.transpose %v, [1, 0] : vector<16x16xf32> to vector<16x16xf32>
        vector.transfer_write %t, %b[%j, %i] {in_bounds = [true, true]} : vector<16x16xf32>, memref<128x64xf32>
      }
    }
  } {harl.streamed}
  return
}

// Rows of one step do not go on along the loop.
// CHECK-LABEL: func.func @across
// CHECK-NOT: memref.prefetch
// CHECK: vector.store {{.*}} nontemporal
func.func @across(%a: memref<64x64xf32>, %b: memref<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c16 {
    %v = vector.transfer_read %a[%i, %c0], %z {in_bounds = [true, true]} : memref<64x64xf32>, vector<16x16xf32>
    %t = vector.transpose %v, [1, 0] : vector<16x16xf32> to vector<16x16xf32>
    vector.transfer_write %t, %b[%c0, %i] {in_bounds = [true, true]} : vector<16x16xf32>, memref<64x64xf32>
  } {harl.streamed}
  return
}

// Rows of 300 elements begin anywhere in a line: what is in front of its first whole line, and behind the last step,
// is stored under masks.
// CHECK-LABEL: func.func @shifted
// CHECK-NOT: scf.if
// CHECK: memref.extract_strided_metadata %arg2
// CHECK: %[[BEFORE:.*]] = arith.andi
// CHECK: %[[BEHIND:.*]] = arith.remui
// CHECK: %[[BEGIN:.*]] = arith.addi %{{.*}}, %[[BEFORE]]
// CHECK: %[[FRONT:.*]] = vector.create_mask %[[BEFORE]] : vector<32xi1>
// CHECK: scf.for
// CHECK: vector.maskedstore %arg2[{{.*}}], %[[FRONT]], %{{.*}}
// CHECK: scf.for
// CHECK: vector.maskedstore %arg2
// CHECK: scf.for %[[J:[a-z0-9]+]] = %[[BEGIN]]
// CHECK-COUNT-2: memref.prefetch %arg0
// CHECK-NOT: memref.prefetch
// CHECK: vector.store %{{.*}}, %arg2[%{{.*}}, %[[J]]] {alignment = 64 : i64, nontemporal = true}
// CHECK: "llvm.x86.sse.sfence"
func.func @shifted(%a: memref<24x300xf32>, %b: memref<300xf32>, %c: memref<24x300xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c32 = arith.constant 32 : index
  %c288 = arith.constant 288 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c24 step %c1 {
    scf.for %j = %c0 to %c288 step %c32 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<24x300xf32>, vector<32xf32>
      %w = vector.transfer_read %b[%j], %z {in_bounds = [true]} : memref<300xf32>, vector<32xf32>
      %s = arith.addf %v, %w : vector<32xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<24x300xf32>
    }
  } {harl.streamed}
  return
}

// Not where lanes differ whatever the place, the counter is computed with, or the result is read.
// CHECK-LABEL: func.func @not_shifted
// CHECK-NOT: vector.maskedstore
// CHECK-NOT: nontemporal
func.func @not_shifted(%a: memref<24x300xf32>, %c: memref<24x300xf32>, %w: vector<32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %c32 = arith.constant 32 : index
  %c288 = arith.constant 288 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c24 step %c1 {
    scf.for %j = %c0 to %c288 step %c32 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<24x300xf32>, vector<32xf32>
      %s = arith.addf %v, %w : vector<32xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<24x300xf32>
    }
    scf.for %j = %c0 to %c288 step %c32 {
      %n = arith.index_cast %j : index to i32
      %f = arith.sitofp %n : i32 to f32
      %s = vector.broadcast %f : f32 to vector<32xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<24x300xf32>
    }
    scf.for %j = %c0 to %c288 step %c32 {
      %v = vector.transfer_read %c[%i, %j], %z {in_bounds = [true]} : memref<24x300xf32>, vector<32xf32>
      %s = arith.addf %v, %v : vector<32xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<24x300xf32>
    }
  } {harl.streamed}
  return
}

// The rows of a window are read line after line, each from its beginning, and written so.
// CHECK-LABEL: func.func @window
// CHECK: %[[FOUR:.*]] = vector.broadcast %{{.*}} : f32 to vector<16xf32>
// CHECK: %[[A0:.*]] = vector.transfer_read %arg0[%[[I:[a-z0-9]+]], %[[J:[a-z0-9]+]]], {{.*}} vector<16xf32>
// CHECK: %[[NEXT:.*]] = arith.addi %[[J]], %{{.*}}
// CHECK: %[[A1:.*]] = vector.transfer_read %arg0[%[[I]], %[[NEXT]]], {{.*}} vector<16xf32>
// CHECK: %[[B0:.*]] = vector.transfer_read %arg0[%[[I]], %[[K:[a-z0-9]+]]], {{.*}} vector<16xf32>
// CHECK: %[[MORE:.*]] = arith.addi %[[K]], %{{.*}}
// CHECK: %[[B1:.*]] = vector.transfer_read %arg0[%[[I]], %[[MORE]]], {{.*}} vector<16xf32>
// CHECK: %[[S0:.*]] = arith.addf %[[A0]], %[[B0]]
// CHECK: %[[S1:.*]] = arith.addf %[[A1]], %[[B1]]
// CHECK: %[[Q0:.*]] = arith.divf %[[S0]], %[[FOUR]]
// CHECK: %[[Q1:.*]] = arith.divf %[[S1]], %[[FOUR]]
// CHECK: vector.store %[[Q0]], %arg1[%[[I]], %[[J]]] {{.*}}nontemporal
// CHECK: vector.store %[[Q1]], %arg1[%[[I]], %{{.*}}] {{.*}}nontemporal
func.func @window(%a: memref<8x128xf32>, %b: memref<8x64xf32>, %n: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  %four = vector.broadcast %n : f32 to vector<32xf32>
  scf.for %i = %c0 to %c8 step %c1 {
    scf.for %j = %c0 to %c64 step %c32 {
      %k = arith.addi %j, %c64 : index
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<8x128xf32>, vector<32xf32>
      %w = vector.transfer_read %a[%i, %k], %z {in_bounds = [true]} : memref<8x128xf32>, vector<32xf32>
      %s = arith.addf %v, %w : vector<32xf32>
      %q = arith.divf %s, %four : vector<32xf32>
      vector.transfer_write %q, %b[%i, %j] {in_bounds = [true]} : vector<32xf32>, memref<8x64xf32>
    }
  } {harl.streamed}
  return
}

// One that is also reduced stays whole, and all others with it.
// CHECK-LABEL: func.func @reduced
// CHECK: vector.reduction <add>, %{{.*}} : vector<32xf32> into f32
// CHECK: vector.store {{.*}} vector<32xf32>
func.func @reduced(%a: memref<8x128xf32>, %b: memref<8x64xf32>, %c: memref<8x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c8 step %c1 {
    %v = vector.transfer_read %a[%i, %c0], %z {in_bounds = [true]} : memref<8x128xf32>, vector<32xf32>
    %w = vector.transfer_read %a[%i, %c32], %z {in_bounds = [true]} : memref<8x128xf32>, vector<32xf32>
    %s = arith.addf %v, %w : vector<32xf32>
    %r = vector.reduction <add>, %s : vector<32xf32> into f32
    memref.store %r, %c[%i, %i] : memref<8x64xf32>
    vector.transfer_write %s, %b[%i, %c0] {in_bounds = [true]} : vector<32xf32>, memref<8x64xf32>
  } {harl.streamed}
  return
}

// What is read together with another buffer, with many steps of computing, by rows, or beside more than two
// pages, comes into the second cache, and a kilobyte before.
// CHECK-LABEL: func.func @two
// CHECK: arith.constant 256
// CHECK: memref.prefetch %arg0{{.*}} locality<2>
// CHECK: memref.prefetch %arg1{{.*}} locality<2>
// CHECK-NOT: locality<3>
func.func @two(%a: memref<64x64xf32>, %b: memref<64x64xf32>, %c: memref<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    scf.for %j = %c0 to %c64 step %c16 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<64x64xf32>, vector<16xf32>
      %w = vector.transfer_read %b[%i, %j], %z {in_bounds = [true]} : memref<64x64xf32>, vector<16xf32>
      %s = arith.addf %v, %w : vector<16xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<16xf32>, memref<64x64xf32>
    }
  } {harl.streamed}
  return
}

// CHECK-LABEL: func.func @computed
// CHECK: memref.prefetch %arg0{{.*}} locality<2>
// CHECK-NOT: locality<3>
func.func @computed(%a: memref<64x64xf32>, %c: memref<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    scf.for %j = %c0 to %c64 step %c16 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<64x64xf32>, vector<16xf32>
      %s0 = arith.addf %v, %v : vector<16xf32>
      %s1 = arith.mulf %s0, %v : vector<16xf32>
      %s2 = arith.addf %s1, %v : vector<16xf32>
      %s3 = arith.mulf %s2, %v : vector<16xf32>
      %s4 = arith.addf %s3, %v : vector<16xf32>
      %s5 = arith.mulf %s4, %v : vector<16xf32>
      %s6 = arith.addf %s5, %v : vector<16xf32>
      %s7 = arith.mulf %s6, %v : vector<16xf32>
      %s8 = arith.addf %s7, %v : vector<16xf32>
      vector.transfer_write %s8, %c[%i, %j] {in_bounds = [true]} : vector<16xf32>, memref<64x64xf32>
    }
  } {harl.streamed}
  return
}

// CHECK-LABEL: func.func @several
// CHECK-COUNT-2: memref.prefetch %arg0{{.*}} locality<2>
// CHECK-NOT: locality<3>
func.func @several(%a: memref<64x64xf32>, %c: memref<64x64xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c2 {
    scf.for %j = %c0 to %c64 step %c16 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true, true]} : memref<64x64xf32>, vector<2x16xf32>
      vector.transfer_write %v, %c[%i, %j] {in_bounds = [true, true]} : vector<2x16xf32>, memref<64x64xf32>
    }
  } {harl.streamed}
  return
}

// Beside two pages at most: into the first cache.
// CHECK-LABEL: func.func @small_beside
// CHECK: memref.prefetch %arg0{{.*}} locality<3>
// CHECK-NOT: memref.prefetch
// CHECK-LABEL: func.func @large_beside
// CHECK: memref.prefetch %arg0{{.*}} locality<2>
// CHECK-NOT: locality<3>
func.func @small_beside(%a: memref<64x2048xf32>, %b: memref<2048xf32>, %c: memref<64x2048xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    scf.for %j = %c0 to %c2048 step %c16 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<64x2048xf32>, vector<16xf32>
      %w = vector.transfer_read %b[%j], %z {in_bounds = [true]} : memref<2048xf32>, vector<16xf32>
      %s = arith.addf %v, %w : vector<16xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<16xf32>, memref<64x2048xf32>
    }
  } {harl.streamed}
  return
}

func.func @large_beside(%a: memref<64x4096xf32>, %b: memref<4096xf32>, %c: memref<64x4096xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %c4096 = arith.constant 4096 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c64 step %c1 {
    scf.for %j = %c0 to %c4096 step %c16 {
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<64x4096xf32>, vector<16xf32>
      %w = vector.transfer_read %b[%j], %z {in_bounds = [true]} : memref<4096xf32>, vector<16xf32>
      %s = arith.addf %v, %w : vector<16xf32>
      vector.transfer_write %s, %c[%i, %j] {in_bounds = [true]} : vector<16xf32>, memref<64x4096xf32>
    }
  } {harl.streamed}
  return
}

// Rows that are added up side by side are asked for ahead; the sums are not, nor is what is the same for a vector.
// CHECK-LABEL: func.func @fetched
// CHECK-NOT: memref.prefetch
// CHECK: vector.transfer_read %arg1[%[[J:[a-z0-9]+]]]
// CHECK: %[[AHEAD:.*]] = arith.addi %[[J]], %{{.*}}
// CHECK: memref.prefetch %arg0[%[[I:[a-z0-9]+]], %[[AHEAD]]], read, locality<2>, data
// CHECK: vector.transfer_read %arg0[%[[I]], %[[J]]]
// CHECK: memref.prefetch %arg0[%[[NEXT:[a-z0-9]+]], %{{.*}}], read, locality<2>, data
// CHECK: vector.transfer_read %arg0[%[[NEXT]], %[[J]]]
// CHECK-NOT: memref.prefetch
// CHECK: vector.transfer_write %{{.*}}, %arg1[%[[J]]]
// CHECK-NOT: harl.fetched
func.func @fetched(%a: memref<8x2048xf32>, %b: memref<2048xf32>, %m: memref<8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c2048 = arith.constant 2048 : index
  %z = arith.constant 0.0 : f32
  scf.for %i = %c0 to %c8 step %c2 {
    scf.for %j = %c0 to %c2048 step %c16 {
      %o = vector.transfer_read %b[%j], %z {in_bounds = [true]} : memref<2048xf32>, vector<16xf32>
      %v = vector.transfer_read %a[%i, %j], %z {in_bounds = [true]} : memref<8x2048xf32>, vector<16xf32>
      %s = arith.addf %v, %o : vector<16xf32>
      %k = arith.addi %i, %c1 : index
      %w = vector.transfer_read %a[%k, %j], %z {in_bounds = [true]} : memref<8x2048xf32>, vector<16xf32>
      %d = vector.transfer_read %m[%k], %z {in_bounds = [true], permutation_map = affine_map<(d0) -> (0)>}
          : memref<8xf32>, vector<16xf32>
      %u = arith.mulf %w, %d : vector<16xf32>
      %t = arith.addf %u, %s : vector<16xf32>
      vector.transfer_write %t, %b[%j] {in_bounds = [true]} : vector<16xf32>, memref<2048xf32>
    } {harl.fetched}
  }
  return
}
