// A schedule that fails when all its work is done: its function is as it was, a remark says so, the others are tuned.
//
// RUN: %write-library %s --fail "matmul 64x64x64 f32" > %t.lib.mlir
// RUN: %mlir-opt %s --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %s --library %t.lib.mlir | %FileCheck %s

// CHECK-LABEL: func.func @works
// CHECK-NOT: linalg.
// CHECK: vector.contract
// CHECK: return
func.func @works(%a: tensor<32x64xf32>, %b: tensor<64x64xf32>, %c: tensor<32x64xf32>) -> tensor<32x64xf32> {
  // REMARK: mlir:[[@LINE+1]]:8: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 32x64x64 f32)
  %m = linalg.matmul ins(%a, %b : tensor<32x64xf32>, tensor<64x64xf32>) outs(%c : tensor<32x64xf32>) -> tensor<32x64xf32>
  return %m : tensor<32x64xf32>
}

// Both matmuls of @fails have the schedule that fails; the third has one that does not.
// CHECK-LABEL: func.func @fails(%arg0: tensor<64x64xf32>, %arg1: tensor<64x64xf32>, %arg2: tensor<32x64xf32>)
// CHECK-NEXT: [[ONE:%.+]] = linalg.matmul ins(%arg0, %arg1 :{{.*}} outs(%arg0 :
// CHECK-NEXT: [[TWO:%.+]] = linalg.matmul ins([[ONE]], %arg1 :{{.*}} outs(%arg1 :
// CHECK-NOT: linalg.
// CHECK: vector.contract
// CHECK: return
// REMARK: mlir:[[@LINE+7]]:12: remark: matched by @schedule_{{[0-9a-f]+}} (matmul 32x64x64 f32)
// REMARK: mlir:[[@LINE+3]]:10: remark: matched by @schedule_[[KEY:[0-9a-f]+]] (matmul 64x64x64 f32)
// REMARK: mlir:[[@LINE+1]]:1: remark: restored: @schedule_[[KEY]] (matmul 64x64x64 f32) failed in this function
func.func @fails(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>, %c: tensor<32x64xf32>) -> (tensor<64x64xf32>, tensor<32x64xf32>) {
  %one = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%a : tensor<64x64xf32>) -> tensor<64x64xf32>
  // REMARK: mlir:[[@LINE+1]]:10: remark: left as it was
  %two = linalg.matmul ins(%one, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%b : tensor<64x64xf32>) -> tensor<64x64xf32>
  %three = linalg.matmul ins(%c, %two : tensor<32x64xf32>, tensor<64x64xf32>) outs(%c : tensor<32x64xf32>) -> tensor<32x64xf32>
  return %two, %three : tensor<64x64xf32>, tensor<32x64xf32>
}
