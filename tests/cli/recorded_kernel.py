"""A kernel with a function for every sketch that records are made of, masks and odd tasks included."""

from __future__ import annotations

KERNEL = """
func.func @product(%a: tensor<24x40xf32>, %b: tensor<40x64xf32>, %c: tensor<64xf32>) -> tensor<24x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<24x64xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<24x64xf32>) -> tensor<24x64xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<24x40xf32>, tensor<40x64xf32>)
                     outs(%f : tensor<24x64xf32>) -> tensor<24x64xf32>
  %1 = linalg.broadcast ins(%c : tensor<64xf32>) outs(%e : tensor<24x64xf32>) dimensions = [0]
  %2 = linalg.add ins(%0, %1 : tensor<24x64xf32>, tensor<24x64xf32>)
                  outs(%e : tensor<24x64xf32>) -> tensor<24x64xf32>
  return %2 : tensor<24x64xf32>
}
func.func @whole(%a: tensor<24x40xi32>, %b: tensor<40x64xi32>, %c: tensor<24x64xi32>) -> tensor<24x64xi32> {
  %0 = linalg.matmul ins(%a, %b : tensor<24x40xi32>, tensor<40x64xi32>)
                     outs(%c : tensor<24x64xi32>) -> tensor<24x64xi32>
  return %0 : tensor<24x64xi32>
}
func.func @logarithms(%a: tensor<300xf32>, %s: f32) -> tensor<300xf32> {
  %e = tensor.empty() : tensor<300xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%a, %s : tensor<300xf32>, f32) outs(%e : tensor<300xf32>) {
  ^bb0(%x: f32, %y: f32, %old: f32):
    %1 = math.log %x : f32
    %2 = arith.addf %1, %y : f32
    linalg.yield %2 : f32
  } -> tensor<300xf32>
  return %0 : tensor<300xf32>
}
func.func @sum(%a: tensor<300xf64>, %c: tensor<f64>) -> tensor<f64> {
  %0 = linalg.reduce ins(%a : tensor<300xf64>) outs(%c : tensor<f64>) dimensions = [0] (%x: f64, %old: f64) {
    %1 = arith.addf %x, %old : f64
    linalg.yield %1 : f64
  }
  return %0 : tensor<f64>
}
func.func @pool(%a: tensor<1x10x10x32xf32>, %w: tensor<3x3xf32>, %c: tensor<1x8x8x32xf32>)
    -> tensor<1x8x8x32xf32> {
  %0 = linalg.pooling_nhwc_max ins(%a, %w : tensor<1x10x10x32xf32>, tensor<3x3xf32>)
                               outs(%c : tensor<1x8x8x32xf32>) -> tensor<1x8x8x32xf32>
  return %0 : tensor<1x8x8x32xf32>
}
func.func @selected(%a: tensor<300xf32>, %m: tensor<300xi1>) -> tensor<300xi1> {
  %e = tensor.empty() : tensor<300xi1>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]}
      ins(%a, %m : tensor<300xf32>, tensor<300xi1>) outs(%e : tensor<300xi1>) {
  ^bb0(%x: f32, %y: i1, %old: i1):
    %zero = arith.constant 0.0 : f32
    %1 = arith.cmpf ogt, %x, %zero : f32
    %2 = arith.xori %1, %y : i1
    linalg.yield %2 : i1
  } -> tensor<300xi1>
  return %0 : tensor<300xi1>
}
"""
