// A function of ten ops in a chain: products, maps, a reduction, a broadcast and a transposition, which is part
// of the product that takes it.
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir --function chain > %t.lib.mlir
// RUN: %harl-opt %t.mlir --harl-apply-schedules='library=%t.lib.mlir fail-if-none=true' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir fail-if-none})' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-opt %t.tuned.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' -o %t.opt.mlir
// RUN: %run %t.opt.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %mlir-opt %t.mlir --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// REMARK: remark: matched by {{.*}} (matmul 32x48x32 f32 +5)
// REMARK: remark: matched by {{.*}} (generic 48x48x32 f32 +1)
// REMARK-NOT: remark:

// CHECK-LABEL: func.func @chain
// CHECK-NOT: linalg.{{matmul|reduce|broadcast|transpose}}
// CHECK: return
func.func @chain(%a: tensor<32x32xf32>, %b: tensor<32x48xf32>) -> tensor<48x48xf32> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %least = arith.constant -100000.0 : f32
  %e = tensor.empty() : tensor<32x48xf32>
  %er = tensor.empty() : tensor<32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x48xf32>) -> tensor<32x48xf32>
  %1 = linalg.matmul ins(%a, %b : tensor<32x32xf32>, tensor<32x48xf32>) outs(%f : tensor<32x48xf32>) -> tensor<32x48xf32>
  %2 = linalg.add ins(%1, %b : tensor<32x48xf32>, tensor<32x48xf32>) outs(%e : tensor<32x48xf32>) -> tensor<32x48xf32>
  %3 = linalg.abs ins(%2 : tensor<32x48xf32>) outs(%e : tensor<32x48xf32>) -> tensor<32x48xf32>
  %4 = linalg.sub ins(%3, %b : tensor<32x48xf32>, tensor<32x48xf32>) outs(%e : tensor<32x48xf32>) -> tensor<32x48xf32>
  %fr = linalg.fill ins(%least : f32) outs(%er : tensor<32xf32>) -> tensor<32xf32>
  %5 = linalg.reduce { arith.maximumf } ins(%4 : tensor<32x48xf32>) outs(%fr : tensor<32xf32>) dimensions = [1]
  %6 = linalg.broadcast ins(%5 : tensor<32xf32>) outs(%e : tensor<32x48xf32>) dimensions = [1]
  %7 = linalg.sub ins(%6, %4 : tensor<32x48xf32>, tensor<32x48xf32>) outs(%e : tensor<32x48xf32>) -> tensor<32x48xf32>
  %et = tensor.empty() : tensor<48x32xf32>
  %8 = linalg.transpose ins(%7 : tensor<32x48xf32>) outs(%et : tensor<48x32xf32>) permutation = [1, 0]
  %es = tensor.empty() : tensor<48x48xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%es : tensor<48x48xf32>) -> tensor<48x48xf32>
  %9 = linalg.matmul ins(%8, %b : tensor<48x32xf32>, tensor<32x48xf32>) outs(%fs : tensor<48x48xf32>) -> tensor<48x48xf32>
  %10 = linalg.negf ins(%9 : tensor<48x48xf32>) outs(%es : tensor<48x48xf32>) -> tensor<48x48xf32>
  return %10 : tensor<48x48xf32>
}

// NUMBERS: {{^}}6664663372609367907{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %n = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %v : f32
  } : tensor<64x64xf32>
  %a = tensor.extract_slice %n[0, 0] [32, 32] [1, 1] : tensor<64x64xf32> to tensor<32x32xf32>
  %b = tensor.extract_slice %n[5, 2] [32, 48] [1, 1] : tensor<64x64xf32> to tensor<32x48xf32>
  %y = func.call @chain(%a, %b) : (tensor<32x32xf32>, tensor<32x48xf32>) -> tensor<48x48xf32>
  %r = tensor.cast %y : tensor<48x48xf32> to tensor<?x?xf32>
  %h = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %h : i64
}
