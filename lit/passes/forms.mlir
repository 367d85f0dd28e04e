// Every form of schedule that is emitted, applied by harl-apply-schedules; the numbers are those of the untuned functions.
// REQUIRES: passes
// RUN: cat %s %S/../library/Inputs/numbers.mlir > %t.mlir
// RUN: %write-library %t.mlir --sketch "matmul 48x64x24 f32=contraction_panels" --sketch "matmul 48x64x32 f32=contraction_blocks" \
// RUN:   --sketch "matmul 48x64x56 f32=contraction_across" --sketch "matmul 48x64x72 f32=contraction_across_panels" \
// RUN:   --sketch "matmul 48x64x88 f32=contraction_across_blocks" --sketch "matmul 48x64x16 f32=loop_nest" > %t.lib.mlir
// RUN: %FileCheck %s --check-prefix=LIBRARY < %t.lib.mlir
// RUN: %harl-opt %t.mlir --pass-pipeline='builtin.module(harl-apply-schedules{library=%t.lib.mlir})' -o %t.tuned.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.tuned.mlir
// RUN: %harl-mlir-opt %t.mlir --library %t.lib.mlir -o %t.opt.mlir 2> %t.remarks
// RUN: %FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: %FileCheck %s < %t.opt.mlir
// RUN: %harl-opt %t.tuned.mlir --harl-lower-to-llvm -o %t.llvm.mlir
// RUN: %run %t.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-mlir-opt %t.mlir --pass-pipeline='builtin.module(harl-default{library=%t.lib.mlir})' -o %t.opt.mlir
// RUN: %run %t.opt.mlir | %FileCheck %s --check-prefix=NUMBERS
// RUN: %harl-opt %t.mlir --harl-lower-to-llvm -o %t.untuned.llvm.mlir
// RUN: %run %t.untuned.llvm.mlir | %FileCheck %s --check-prefix=NUMBERS

// LIBRARY-DAG: harl.sketch = "contraction {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "contraction_panels {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "contraction_blocks {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "contraction_across {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "contraction_across_panels {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "contraction_across_blocks {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "loop_nest {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "window {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "reduction {{[0-9]+}}"
// LIBRARY-DAG: harl.sketch = "elementwise {{[0-9]+}}"

// REMARK-COUNT-12: remark: matched by
// REMARK-NOT: remark:

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// CHECK-NOT: linalg.
// CHECK-NOT: harl.
func.func @plain(%a: tensor<48x40xf32>, %b: tensor<40x64xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul ins(%a, %b : tensor<48x40xf32>, tensor<40x64xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @panels(%a: tensor<48x24xf32>, %b: tensor<24x64xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul ins(%a, %b : tensor<48x24xf32>, tensor<24x64xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @blocks(%a: tensor<48x32xf32>, %b: tensor<32x64xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul ins(%a, %b : tensor<48x32xf32>, tensor<32x64xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @across(%a: tensor<48x56xf32>, %b: tensor<64x56xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%a, %b : tensor<48x56xf32>, tensor<64x56xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @across_panels(%a: tensor<48x72xf32>, %b: tensor<64x72xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%a, %b : tensor<48x72xf32>, tensor<64x72xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @across_blocks(%a: tensor<48x88xf32>, %b: tensor<64x88xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%a, %b : tensor<48x88xf32>, tensor<64x88xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @nest(%a: tensor<48x16xf32>, %b: tensor<16x64xf32>) -> tensor<48x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  %y = linalg.matmul ins(%a, %b : tensor<48x16xf32>, tensor<16x64xf32>) outs(%f : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @depthwise(%x: tensor<1x10x10x32xf32>, %w: tensor<3x3x32xf32>) -> tensor<1x8x8x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x8x8x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x10x10x32xf32>, tensor<3x3x32xf32>) outs(%f : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
  return %y : tensor<1x8x8x32xf32>
}
func.func @pool(%x: tensor<1x10x10x32xf32>) -> tensor<1x8x8x32xf32> {
  %low = arith.constant -100.0 : f32
  %e = tensor.empty() : tensor<1x8x8x32xf32>
  %w = tensor.empty() : tensor<3x3xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
  %y = linalg.pooling_nhwc_max {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x10x10x32xf32>, tensor<3x3xf32>) outs(%f : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
  return %y : tensor<1x8x8x32xf32>
}
func.func @rows(%x: tensor<48x64xf32>) -> tensor<48xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<48xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<48xf32>) -> tensor<48xf32>
  %y = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<48x64xf32>) outs(%f : tensor<48xf32>) {
  ^bb0(%p: f32, %o: f32):
    %r = arith.addf %p, %o : f32
    linalg.yield %r : f32
  } -> tensor<48xf32>
  return %y : tensor<48xf32>
}
func.func @each(%x: tensor<48x64xf32>, %z: tensor<48x64xf32>) -> tensor<48x64xf32> {
  %e = tensor.empty() : tensor<48x64xf32>
  %y = linalg.add ins(%x, %z : tensor<48x64xf32>, tensor<48x64xf32>) outs(%e : tensor<48x64xf32>) -> tensor<48x64xf32>
  return %y : tensor<48x64xf32>
}
func.func @turned(%x: tensor<48x64xf32>) -> tensor<64x48xf32> {
  %e = tensor.empty() : tensor<64x48xf32>
  %y = linalg.transpose ins(%x : tensor<48x64xf32>) outs(%e : tensor<64x48xf32>) permutation = [1, 0]
  return %y : tensor<64x48xf32>
}

// NUMBERS: {{^}}1090045459052978535{{$}}
func.func @main() -> i64 {
  %h0 = arith.constant 0 : i64
  %n = tensor.generate {
  ^bb0(%i: index, %j: index):
    %x = func.call @number(%i, %j) : (index, index) -> f32
    tensor.yield %x : f32
  } : tensor<100x100xf32>
  %a_plain = tensor.extract_slice %n[7, 1] [48, 40] [1, 1] : tensor<100x100xf32> to tensor<48x40xf32>
  %b_plain = tensor.extract_slice %n[7, 1] [40, 64] [1, 1] : tensor<100x100xf32> to tensor<40x64xf32>
  %y_plain = func.call @plain(%a_plain, %b_plain) : (tensor<48x40xf32>, tensor<40x64xf32>) -> tensor<48x64xf32>
  %c_y_plain = tensor.cast %y_plain : tensor<48x64xf32> to tensor<?x?xf32>
  %h1 = func.call @hash(%c_y_plain, %h0) : (tensor<?x?xf32>, i64) -> i64
  %a_panels = tensor.extract_slice %n[8, 1] [48, 24] [1, 1] : tensor<100x100xf32> to tensor<48x24xf32>
  %b_panels = tensor.extract_slice %n[8, 1] [24, 64] [1, 1] : tensor<100x100xf32> to tensor<24x64xf32>
  %y_panels = func.call @panels(%a_panels, %b_panels) : (tensor<48x24xf32>, tensor<24x64xf32>) -> tensor<48x64xf32>
  %c_y_panels = tensor.cast %y_panels : tensor<48x64xf32> to tensor<?x?xf32>
  %h2 = func.call @hash(%c_y_panels, %h1) : (tensor<?x?xf32>, i64) -> i64
  %a_blocks = tensor.extract_slice %n[8, 1] [48, 32] [1, 1] : tensor<100x100xf32> to tensor<48x32xf32>
  %b_blocks = tensor.extract_slice %n[8, 1] [32, 64] [1, 1] : tensor<100x100xf32> to tensor<32x64xf32>
  %y_blocks = func.call @blocks(%a_blocks, %b_blocks) : (tensor<48x32xf32>, tensor<32x64xf32>) -> tensor<48x64xf32>
  %c_y_blocks = tensor.cast %y_blocks : tensor<48x64xf32> to tensor<?x?xf32>
  %h3 = func.call @hash(%c_y_blocks, %h2) : (tensor<?x?xf32>, i64) -> i64
  %a_across = tensor.extract_slice %n[8, 1] [48, 56] [1, 1] : tensor<100x100xf32> to tensor<48x56xf32>
  %b_across = tensor.extract_slice %n[8, 1] [64, 56] [1, 1] : tensor<100x100xf32> to tensor<64x56xf32>
  %y_across = func.call @across(%a_across, %b_across) : (tensor<48x56xf32>, tensor<64x56xf32>) -> tensor<48x64xf32>
  %c_y_across = tensor.cast %y_across : tensor<48x64xf32> to tensor<?x?xf32>
  %h4 = func.call @hash(%c_y_across, %h3) : (tensor<?x?xf32>, i64) -> i64
  %a_across_panels = tensor.extract_slice %n[15, 1] [48, 72] [1, 1] : tensor<100x100xf32> to tensor<48x72xf32>
  %b_across_panels = tensor.extract_slice %n[15, 1] [64, 72] [1, 1] : tensor<100x100xf32> to tensor<64x72xf32>
  %y_across_panels = func.call @across_panels(%a_across_panels, %b_across_panels) : (tensor<48x72xf32>, tensor<64x72xf32>) -> tensor<48x64xf32>
  %c_y_across_panels = tensor.cast %y_across_panels : tensor<48x64xf32> to tensor<?x?xf32>
  %h5 = func.call @hash(%c_y_across_panels, %h4) : (tensor<?x?xf32>, i64) -> i64
  %a_across_blocks = tensor.extract_slice %n[15, 1] [48, 88] [1, 1] : tensor<100x100xf32> to tensor<48x88xf32>
  %b_across_blocks = tensor.extract_slice %n[15, 1] [64, 88] [1, 1] : tensor<100x100xf32> to tensor<64x88xf32>
  %y_across_blocks = func.call @across_blocks(%a_across_blocks, %b_across_blocks) : (tensor<48x88xf32>, tensor<64x88xf32>) -> tensor<48x64xf32>
  %c_y_across_blocks = tensor.cast %y_across_blocks : tensor<48x64xf32> to tensor<?x?xf32>
  %h6 = func.call @hash(%c_y_across_blocks, %h5) : (tensor<?x?xf32>, i64) -> i64
  %a_nest = tensor.extract_slice %n[6, 1] [48, 16] [1, 1] : tensor<100x100xf32> to tensor<48x16xf32>
  %b_nest = tensor.extract_slice %n[6, 1] [16, 64] [1, 1] : tensor<100x100xf32> to tensor<16x64xf32>
  %y_nest = func.call @nest(%a_nest, %b_nest) : (tensor<48x16xf32>, tensor<16x64xf32>) -> tensor<48x64xf32>
  %c_y_nest = tensor.cast %y_nest : tensor<48x64xf32> to tensor<?x?xf32>
  %h7 = func.call @hash(%c_y_nest, %h6) : (tensor<?x?xf32>, i64) -> i64
  %image0 = tensor.extract_slice %n[0, 0] [100, 32] [1, 1] : tensor<100x100xf32> to tensor<100x32xf32>
  %image = tensor.expand_shape %image0 [[0, 1, 2], [3]] output_shape [1, 10, 10, 32] : tensor<100x32xf32> into tensor<1x10x10x32xf32>
  %filter0 = tensor.extract_slice %n[3, 3] [9, 32] [1, 1] : tensor<100x100xf32> to tensor<9x32xf32>
  %filter = tensor.expand_shape %filter0 [[0, 1], [2]] output_shape [3, 3, 32] : tensor<9x32xf32> into tensor<3x3x32xf32>
  %d = func.call @depthwise(%image, %filter) : (tensor<1x10x10x32xf32>, tensor<3x3x32xf32>) -> tensor<1x8x8x32xf32>
  %y_d = tensor.collapse_shape %d [[0, 1, 2], [3]] : tensor<1x8x8x32xf32> into tensor<64x32xf32>
  %c_y_d = tensor.cast %y_d : tensor<64x32xf32> to tensor<?x?xf32>
  %h8 = func.call @hash(%c_y_d, %h7) : (tensor<?x?xf32>, i64) -> i64
  %p = func.call @pool(%image) : (tensor<1x10x10x32xf32>) -> tensor<1x8x8x32xf32>
  %y_p = tensor.collapse_shape %p [[0, 1, 2], [3]] : tensor<1x8x8x32xf32> into tensor<64x32xf32>
  %c_y_p = tensor.cast %y_p : tensor<64x32xf32> to tensor<?x?xf32>
  %h9 = func.call @hash(%c_y_p, %h8) : (tensor<?x?xf32>, i64) -> i64
  %x = tensor.extract_slice %n[1, 1] [48, 64] [1, 1] : tensor<100x100xf32> to tensor<48x64xf32>
  %r = func.call @rows(%x) : (tensor<48x64xf32>) -> tensor<48xf32>
  %y_r = tensor.expand_shape %r [[0, 1]] output_shape [48, 1] : tensor<48xf32> into tensor<48x1xf32>
  %c_y_r = tensor.cast %y_r : tensor<48x1xf32> to tensor<?x?xf32>
  %h10 = func.call @hash(%c_y_r, %h9) : (tensor<?x?xf32>, i64) -> i64
  %y_e = func.call @each(%x, %y_plain) : (tensor<48x64xf32>, tensor<48x64xf32>) -> tensor<48x64xf32>
  %c_y_e = tensor.cast %y_e : tensor<48x64xf32> to tensor<?x?xf32>
  %h11 = func.call @hash(%c_y_e, %h10) : (tensor<?x?xf32>, i64) -> i64
  %y_t = func.call @turned(%x) : (tensor<48x64xf32>) -> tensor<64x48xf32>
  %c_y_t = tensor.cast %y_t : tensor<64x48xf32> to tensor<?x?xf32>
  %h12 = func.call @hash(%c_y_t, %h11) : (tensor<?x?xf32>, i64) -> i64
  return %h12 : i64
}
