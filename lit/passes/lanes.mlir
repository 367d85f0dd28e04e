// Steps of a marked loop become lanes of vectors; what they read may lie apart in memory.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-vectorize-lanes))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-vectorize-lanes)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED: llvm.shufflevector {{.*}} [0, 2, 4, 6, 8, 10, 12, 14]

// CHECK-NOT: harl.lanes

// Two of three reads share their registers; the last steps are done with some of those before.
// CHECK-LABEL: func.func @pooled
// CHECK: scf.for
// CHECK-DAG: %[[A:.*]] = vector.load %arg0[{{.*}}] : memref<46xf32>, vector<8xf32>
// CHECK-DAG: %[[B:.*]] = vector.load %arg0[{{.*}}] : memref<46xf32>, vector<8xf32>
// CHECK: vector.shuffle %[[A]], %[[B]] [0, 2, 4, 6, 8, 10, 12, 14] : vector<8xf32>, vector<8xf32>
// CHECK: vector.shuffle %[[A]], %[[B]] [1, 3, 5, 7, 9, 11, 13, 15] : vector<8xf32>, vector<8xf32>
// CHECK: arith.maximumf {{.*}} : vector<8xf32>
// CHECK: vector.shuffle {{.*}} [0, 2, 4, 6, 9, 11, 13, 15] : vector<8xf32>, vector<8xf32>
// CHECK: arith.maximumf {{.*}} : vector<8xf32>
// CHECK: vector.store {{.*}} : memref<22xf32>, vector<8xf32>
// CHECK: }
// CHECK: arith.constant 14 : index
// CHECK: vector.store {{.*}} : memref<22xf32>, vector<8xf32>
// CHECK-NOT: scf.for
func.func @pooled(%x: memref<46xf32>, %y: memref<22xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c22 = arith.constant 22 : index
  scf.for %i = %c0 to %c22 step %c1 {
    %i0 = affine.apply affine_map<(d) -> (d * 2)>(%i)
    %i1 = affine.apply affine_map<(d) -> (d * 2 + 1)>(%i)
    %i2 = affine.apply affine_map<(d) -> (d * 2 + 2)>(%i)
    %a = memref.load %x[%i0] : memref<46xf32>
    %b = memref.load %x[%i1] : memref<46xf32>
    %ab = arith.maximumf %a, %b : f32
    %c = memref.load %x[%i2] : memref<46xf32>
    %abc = arith.maximumf %ab, %c : f32
    memref.store %abc, %y[%i] : memref<22xf32>
  } {harl.lanes = 8 : i64}
  return
}

// What is updated may not be done twice: six lanes are left.
// CHECK-LABEL: func.func @updated
// CHECK: vector.load %arg1[{{.*}}] : memref<22xf32>, vector<16xf32>
// CHECK: vector.load %arg1[{{.*}}] : memref<22xf32>, vector<6xf32>
// CHECK: vector.store {{.*}} : memref<22xf32>, vector<6xf32>
func.func @updated(%x: memref<66xf32>, %y: memref<22xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c22 = arith.constant 22 : index
  scf.for %i = %c0 to %c22 step %c1 {
    %at = arith.muli %i, %c3 : index
    %a = memref.load %x[%at] : memref<66xf32>
    %b = memref.load %y[%i] : memref<22xf32>
    %s = arith.addf %a, %b : f32
    memref.store %s, %y[%i] : memref<22xf32>
  } {harl.lanes = 16 : i64}
  return
}

// A step that reads what another one writes stays one by one, and so does one that nothing here knows.
// CHECK-LABEL: func.func @left
// CHECK-NOT: vector.
// CHECK: return
func.func @left(%x: memref<24xf32>, %y: memref<24xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c22 = arith.constant 22 : index
  scf.for %i = %c0 to %c22 step %c1 {
    %next = arith.addi %i, %c1 : index
    %a = memref.load %y[%i] : memref<24xf32>
    memref.store %a, %y[%next] : memref<24xf32>
  } {harl.lanes = 16 : i64}
  scf.for %i = %c0 to %c22 step %c1 {
    %a = memref.load %x[%i] : memref<24xf32>
    %p = arith.index_cast %i : index to i32
    %q = arith.sitofp %p : i32 to f32
    %s = arith.addf %a, %q : f32
    memref.store %s, %y[%i] : memref<24xf32>
  } {harl.lanes = 16 : i64}
  return
}
