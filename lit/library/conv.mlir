// A strided convolution with explicit default dilations.
//
// RUN: cat %s %S/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir > %t.lib.mlir
// RUN: %mlir-opt %t.mlir --transform-preload-library=transform-library-paths=%t.lib.mlir --transform-interpreter \
// RUN:   > %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --library %t.lib.mlir | %FileCheck %s
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='harl-default{library=%t.lib.mlir}' -o %t.default.mlir
// RUN: %run %t.default.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %lower %t.tuned.mlir > %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// REMARK: remark: matched by @schedule_{{[0-9a-f]+}} (conv_2d_nhwc_hwcf 1x5x6x32x3x3x4 f32)
// REMARK-NOT: remark:

// CHECK-LABEL: func.func @conv
// CHECK-NOT: linalg.
// CHECK: return

func.func @conv(%x: tensor<1x11x13x4xf32>, %w: tensor<3x3x4x32xf32>) -> tensor<1x5x6x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x5x6x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x5x6x32xf32>) -> tensor<1x5x6x32xf32>
  %y = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x11x13x4xf32>, tensor<3x3x4x32xf32>) outs(%f : tensor<1x5x6x32xf32>) -> tensor<1x5x6x32xf32>
  return %y : tensor<1x5x6x32xf32>
}

// NUMBERS: {{^}}359082094956197312{{$}}
func.func @main() -> i64 {
  %start = arith.constant 0 : i64
  %x1 = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<143x4xf32>
  %w1 = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<36x32xf32>
  %x = tensor.expand_shape %x1 [[0, 1, 2], [3]] output_shape [1, 11, 13, 4] : tensor<143x4xf32> into tensor<1x11x13x4xf32>
  %w = tensor.expand_shape %w1 [[0, 1, 2], [3]] output_shape [3, 3, 4, 32] : tensor<36x32xf32> into tensor<3x3x4x32xf32>
  %y = func.call @conv(%x, %w) : (tensor<1x11x13x4xf32>, tensor<3x3x4x32xf32>) -> tensor<1x5x6x32xf32>
  %y1 = tensor.collapse_shape %y [[0, 1, 2], [3]] : tensor<1x5x6x32xf32> into tensor<30x32xf32>
  %r = tensor.cast %y1 : tensor<30x32xf32> to tensor<?x?xf32>
  %hash = func.call @hash(%r, %start) : (tensor<?x?xf32>, i64) -> i64
  return %hash : i64
}
