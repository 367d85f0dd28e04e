// A convolution and the padding of its image are one workload; the padding stays what it is where it is done as a
// whole.
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir --function padded > %t.lib.mlir
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

// REMARK: remark: matched by {{.*}} (conv_2d_nhwc_hwcf 1x6x8x16x3x3x16 f32)
// REMARK-NOT: remark:

// CHECK-LABEL: func.func @padded
// CHECK: tensor.pad
// CHECK-NOT: linalg.
// CHECK: return
func.func @padded(%x: tensor<1x6x8x16xf32>, %f: tensor<3x3x16x16xf32>) -> tensor<1x6x8x16xf32> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant 2.0 : f32
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%n: index, %h: index, %w: index, %c: index):
    tensor.yield %two : f32
  } : tensor<1x6x8x16xf32> to tensor<1x8x10x16xf32>
  %e = tensor.empty() : tensor<1x6x8x16xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x8x16xf32>) -> tensor<1x6x8x16xf32>
  %r = linalg.conv_2d_nhwc_hwcf ins(%p, %f : tensor<1x8x10x16xf32>, tensor<3x3x16x16xf32>)
    outs(%i : tensor<1x6x8x16xf32>) -> tensor<1x6x8x16xf32>
  return %r : tensor<1x6x8x16xf32>
}

// NUMBERS: {{^}}-8654600413160558910{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %n = tensor.generate {
  ^bb0(%i: index, %j: index):
    %v = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %v : f32
  } : tensor<64x64xf32>
  %a = tensor.extract_slice %n[0, 0] [48, 16] [1, 1] : tensor<64x64xf32> to tensor<48x16xf32>
  %b = tensor.extract_slice %n[0, 0] [36, 64] [1, 1] : tensor<64x64xf32> to tensor<36x64xf32>
  %x = tensor.expand_shape %a [[0, 1, 2], [3]] output_shape [1, 6, 8, 16]
    : tensor<48x16xf32> into tensor<1x6x8x16xf32>
  %g = tensor.collapse_shape %b [[0, 1]] : tensor<36x64xf32> into tensor<2304xf32>
  %f = tensor.expand_shape %g [[0, 1, 2, 3]] output_shape [3, 3, 16, 16]
    : tensor<2304xf32> into tensor<3x3x16x16xf32>
  %y = func.call @padded(%x, %f) : (tensor<1x6x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<1x6x8x16xf32>
  %m = tensor.collapse_shape %y [[0, 1, 2], [3]] : tensor<1x6x8x16xf32> into tensor<48x16xf32>
  %r = tensor.cast %m : tensor<48x16xf32> to tensor<?x?xf32>
  %h = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %h : i64
}
