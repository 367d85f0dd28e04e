func.func @kernel(%arg0: tensor<1x32x18x30xf32>, %arg1: tensor<56x32x3x3xf32>) -> tensor<1x56x16x28xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x56x16x28xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x56x16x28xf32>) -> tensor<1x56x16x28xf32>
  %result = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%arg0, %arg1 : tensor<1x32x18x30xf32>, tensor<56x32x3x3xf32>) outs(%init : tensor<1x56x16x28xf32>) -> tensor<1x56x16x28xf32>
  return %result : tensor<1x56x16x28xf32>
}
