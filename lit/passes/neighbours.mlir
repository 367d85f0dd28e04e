// Schedules that replace or take the ops beside their own, or leave invalid IR: what is applied after them is applied to
// ops that are there.
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %harl-opt %t.mlir --harl-apply-schedules=library=%S/Inputs/neighbours.lib.mlir -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-opt %t.tuned.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir > %t.tuned.hash
// RUN: %harl-opt %t.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir > %t.hash
// RUN: diff %t.hash %t.tuned.hash

// REMARK: mlir:[[#@LINE+19]]:8: remark: matched by @schedule_7bc61777318d7e93 (the product)
// REMARK: mlir:[[#@LINE+19]]:8: remark: gone: another schedule took or replaced it before @schedule_6726cd55f65292ad (the transpose) was applied
// REMARK: mlir:[[#@LINE+18]]:8: remark: matched by @schedule_6726cd55f65292ad (the transpose)

// CHECK-LABEL: func.func @replaced
// CHECK: scf.for {{.*}} to %c8{{.*}} step %c4
// CHECK: linalg.matmul {{.*}} -> tensor<4x16xf32>
// CHECK: scf.for {{.*}} to %c32{{.*}} step %c2
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x8xf32>)
// CHECK: linalg.yield
// CHECK-NOT: linalg.
// CHECK-NOT: harl.
// CHECK: return
func.func @replaced(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>) -> tensor<32x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %et = tensor.empty() : tensor<32x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>

  %m = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>) outs(%f : tensor<8x32xf32>) -> tensor<8x32xf32>
  %t = linalg.transpose ins(%m : tensor<8x32xf32>) outs(%et : tensor<32x8xf32>) permutation = [1, 0]
  return %t : tensor<32x8xf32>
}

// REMARK: mlir:[[#@LINE+16]]:8: remark: matched by @schedule_174a3a62dc662107 (the product of integers)
// REMARK: mlir:[[#@LINE+16]]:8: remark: gone: another schedule took or replaced it before @schedule_699fe98e5056961e (the transpose of integers) was applied
// REMARK-NOT: remark: matched

// CHECK-LABEL: func.func @taken
// CHECK: scf.forall {{.*}} in (4)
// CHECK: linalg.matmul {{.*}} -> tensor<8x8xi32>
// CHECK: linalg.transpose {{.*}} outs(%{{.*}} : tensor<8x8xi32>)
// CHECK-NOT: linalg.
// CHECK-NOT: harl.
// CHECK: return
func.func @taken(%a: tensor<8x16xi32>, %b: tensor<16x32xi32>) -> tensor<32x8xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<8x32xi32>
  %et = tensor.empty() : tensor<32x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<8x32xi32>) -> tensor<8x32xi32>
  %m = linalg.matmul ins(%a, %b : tensor<8x16xi32>, tensor<16x32xi32>) outs(%f : tensor<8x32xi32>) -> tensor<8x32xi32>
  %t = linalg.transpose ins(%m : tensor<8x32xi32>) outs(%et : tensor<32x8xi32>) permutation = [1, 0]
  return %t : tensor<32x8xi32>
}

// REMARK: mlir:[[#@LINE+12]]:8: remark: matched by @schedule_38b07f80f876a3dd (the product that is spoilt)
// REMARK: mlir:[[#@LINE+7]]:1: remark: restored: @schedule_38b07f80f876a3dd (the product that is spoilt) failed in this function: {{.+}}

// CHECK-LABEL: func.func @spoilt
// CHECK-NOT: harl.
// CHECK: linalg.fill
// CHECK: linalg.matmul ins({{.*}}tensor<64x64xf32>, tensor<64x64xf32>)
// CHECK: return
func.func @spoilt(%a: tensor<64x64xf32>, %b: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<64x64xf32>) -> tensor<64x64xf32>
  %m = linalg.matmul ins(%a, %b : tensor<64x64xf32>, tensor<64x64xf32>) outs(%f : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %m : tensor<64x64xf32>
}

func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %n = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<64x64xf32>
  %a = tensor.extract_slice %n[0, 0] [8, 16] [1, 1] : tensor<64x64xf32> to tensor<8x16xf32>
  %b = tensor.extract_slice %n[3, 5] [16, 32] [1, 1] : tensor<64x64xf32> to tensor<16x32xf32>
  %ai = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    %y = arith.fptosi %x : f32 to i32
    tensor.yield %y : i32
  } : tensor<8x16xi32>
  %bi = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%j, %i) : (index, index) -> f32
    %y = arith.fptosi %x : f32 to i32
    tensor.yield %y : i32
  } : tensor<16x32xi32>
  %r = func.call @replaced(%a, %b) : (tensor<8x16xf32>, tensor<16x32xf32>) -> tensor<32x8xf32>
  %ti = func.call @taken(%ai, %bi) : (tensor<8x16xi32>, tensor<16x32xi32>) -> tensor<32x8xi32>
  %t = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = tensor.extract %ti[%i, %j] : tensor<32x8xi32>
    %y = arith.sitofp %x : i32 to f32
    tensor.yield %y : f32
  } : tensor<32x8xf32>
  %s = func.call @spoilt(%n, %n) : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %r0 = tensor.cast %r : tensor<32x8xf32> to tensor<?x?xf32>
  %t0 = tensor.cast %t : tensor<32x8xf32> to tensor<?x?xf32>
  %s0 = tensor.cast %s : tensor<64x64xf32> to tensor<?x?xf32>
  %h1 = func.call @hash(%r0, %start) : (tensor<?x?xf32>, i64) -> i64
  %h2 = func.call @hash(%t0, %h1) : (tensor<?x?xf32>, i64) -> i64
  %h3 = func.call @hash(%s0, %h2) : (tensor<?x?xf32>, i64) -> i64
  return %h3 : i64
}
