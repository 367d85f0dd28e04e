// f64 is rounded to f16 and bf16 by way of f32 that is rounded to odd; a module without it stays as it is.
// REQUIRES: passes

// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-narrow-f64)' --split-input-file | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-narrow-f64)' --split-input-file | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm --split-input-file | %FileCheck %s --check-prefix=LOWERED

// CHECK-LABEL: func.func @rounded(
// CHECK-SAME: %[[X:.*]]: vector<5xf64>
// CHECK: %[[NEAR:.*]] = arith.truncf %[[X]] : vector<5xf64> to vector<5xf32>
// CHECK: %[[BACK:.*]] = arith.extf %[[NEAR]] : vector<5xf32> to vector<5xf64>
// CHECK: %[[BITS:.*]] = arith.bitcast %[[NEAR]] : vector<5xf32> to vector<5xi32>
// CHECK: arith.cmpf one, %[[BACK]], %[[X]] : vector<5xf64>
// CHECK: arith.cmpf ogt
// CHECK: arith.select
// CHECK: arith.select
// CHECK: %[[ODD:.*]] = arith.bitcast {{.*}} : vector<5xi32> to vector<5xf32>
// CHECK: arith.truncf %[[ODD]] : vector<5xf32> to vector<5xf16>
// LOWERED-LABEL: llvm.func @rounded
// LOWERED-NOT: llvm.fptrunc {{.*}}f64> to vector<5xf16>
func.func @rounded(%x: vector<5xf64>) -> vector<5xf16> {
  %0 = arith.truncf %x : vector<5xf64> to vector<5xf16>
  return %0 : vector<5xf16>
}

// -----

// CHECK-LABEL: func.func @multiply_add(
// CHECK-COUNT-3: arith.extf {{.*}} : bf16 to f64
// CHECK: math.fma {{.*}} : f64
// CHECK: arith.truncf {{.*}} : f64 to f32
// CHECK: arith.truncf {{.*}} : f32 to bf16
func.func @multiply_add(%x: bf16) -> bf16 {
  %0 = math.fma %x, %x, %x : bf16
  return %0 : bf16
}

// -----

// The body of a named op stays what it is: such ops become loops.
// CHECK-LABEL: func.func @named(
// CHECK-NOT: linalg.
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @named(%x: memref<4x5xf64>, %y: memref<5x6xf64>, %z: memref<4x6xbf16>) {
  linalg.matmul ins(%x, %y : memref<4x5xf64>, memref<5x6xf64>) outs(%z : memref<4x6xbf16>)
  return
}

// -----

// CHECK-LABEL: func.func @others(
// CHECK: arith.truncf {{.*}} : f64 to f32
// CHECK: linalg.exp
// CHECK-NEXT: return
func.func @others(%x: f64, %y: memref<4xf32>) -> f32 {
  %0 = arith.truncf %x : f64 to f32
  linalg.exp ins(%y : memref<4xf32>) outs(%y : memref<4xf32>)
  return %0 : f32
}
