func.func @kernel(%arg0: tensor<240x280xf32>, %arg1: tensor<280x336xf32>) -> tensor<240x336xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<240x336xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<240x336xf32>) -> tensor<240x336xf32>
  %result = linalg.matmul ins(%arg0, %arg1 : tensor<240x280xf32>, tensor<280x336xf32>) outs(%init : tensor<240x336xf32>) -> tensor<240x336xf32>
  return %result : tensor<240x336xf32>
}
