func.func @kernel(%arg0: tensor<6x640xf32>, %arg1: tensor<640x900xf32>) -> tensor<6x900xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<6x900xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<6x900xf32>) -> tensor<6x900xf32>
  %result = linalg.matmul ins(%arg0, %arg1 : tensor<6x640xf32>, tensor<640x900xf32>) outs(%init : tensor<6x900xf32>) -> tensor<6x900xf32>
  return %result : tensor<6x900xf32>
}
