func.func @kernel(%arg0: tensor<6x72x80xf32>, %arg1: tensor<6x112x80xf32>) -> tensor<6x72x112xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<6x72x112xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<6x72x112xf32>) -> tensor<6x72x112xf32>
  %result = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>] ins(%arg0, %arg1 : tensor<6x72x80xf32>, tensor<6x112x80xf32>) outs(%init : tensor<6x72x112xf32>) -> tensor<6x72x112xf32>
  return %result : tensor<6x72x112xf32>
}
