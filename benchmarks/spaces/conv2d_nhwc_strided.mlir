func.func @kernel(%arg0: tensor<1x57x81x24xf32>, %arg1: tensor<3x3x24x96xf32>) -> tensor<1x28x40x96xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x28x40x96xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x28x40x96xf32>) -> tensor<1x28x40x96xf32>
  %result = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>} ins(%arg0, %arg1 : tensor<1x57x81x24xf32>, tensor<3x3x24x96xf32>) outs(%init : tensor<1x28x40x96xf32>) -> tensor<1x28x40x96xf32>
  return %result : tensor<1x28x40x96xf32>
}
