// max(A * B + bias, 0): the matmul, its fill and its epilogue are one task.
//
//   harl-mlir tune examples/matmul_bias_relu.mlir

#row = affine_map<(i, j) -> (j)>
#all = affine_map<(i, j) -> (i, j)>

func.func @dense(%x: tensor<256x512xf32>, %weights: tensor<512x384xf32>, %bias: tensor<384xf32>)
    -> tensor<256x384xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<256x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<256x384xf32>) -> tensor<256x384xf32>
  %product = linalg.matmul ins(%x, %weights : tensor<256x512xf32>, tensor<512x384xf32>)
                           outs(%init : tensor<256x384xf32>) -> tensor<256x384xf32>
  %result = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%product, %bias : tensor<256x384xf32>, tensor<384xf32>) outs(%empty : tensor<256x384xf32>) {
  ^bb0(%p: f32, %b: f32, %old: f32):
    %sum = arith.addf %p, %b : f32
    %positive = arith.maximumf %sum, %zero : f32
    linalg.yield %positive : f32
  } -> tensor<256x384xf32>
  return %result : tensor<256x384xf32>
}
