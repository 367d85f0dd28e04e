// Three functions: two hold the same matmul, which is tuned once and counted twice; the third works in
// place on memrefs.
//
//   harl-mlir tune examples/several_functions.mlir
//   harl-mlir tune examples/several_functions.mlir --function scale

func.func @project(%x: tensor<128x256xf32>, %w: tensor<256x128xf32>) -> tensor<128x128xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<128x128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<128x128xf32>) -> tensor<128x128xf32>
  %y = linalg.matmul ins(%x, %w : tensor<128x256xf32>, tensor<256x128xf32>)
                     outs(%init : tensor<128x128xf32>) -> tensor<128x128xf32>
  return %y : tensor<128x128xf32>
}

func.func @project_again(%x: tensor<128x256xf32>, %w: tensor<256x128xf32>) -> tensor<128x128xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<128x128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<128x128xf32>) -> tensor<128x128xf32>
  %y = linalg.matmul ins(%x, %w : tensor<128x256xf32>, tensor<256x128xf32>)
                     outs(%init : tensor<128x128xf32>) -> tensor<128x128xf32>
  return %y : tensor<128x128xf32>
}

func.func @scale(%x: memref<512x128xf32>, %factors: memref<128xf32>, %y: memref<512x128xf32>) {
  linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x, %factors : memref<512x128xf32>, memref<128xf32>) outs(%y : memref<512x128xf32>) {
  ^bb0(%value: f32, %factor: f32, %old: f32):
    %scaled = arith.mulf %value, %factor : f32
    linalg.yield %scaled : f32
  }
  return
}
