// Convolutions and pooling: strides and dilations show as coefficients of the maps.
func.func @conv1d(%x: tensor<1x20x4xf32>, %w: tensor<3x4x8xf32>, %y: tensor<1x9x8xf32>) -> tensor<1x9x8xf32> {
  %r = linalg.conv_1d_nwc_wcf {strides = dense<2> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
       ins(%x, %w : tensor<1x20x4xf32>, tensor<3x4x8xf32>) outs(%y : tensor<1x9x8xf32>) -> tensor<1x9x8xf32>
  return %r : tensor<1x9x8xf32>
}

func.func @conv2d_nhwc(%x: tensor<1x11x11x4xf32>, %w: tensor<3x3x4x8xf32>) -> tensor<1x7x7x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x7x7x8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<1x7x7x8xf32>) -> tensor<1x7x7x8xf32>
  %r = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : tensor<2xi64>, dilations = dense<2> : tensor<2xi64>}
       ins(%x, %w : tensor<1x11x11x4xf32>, tensor<3x3x4x8xf32>)
       outs(%f : tensor<1x7x7x8xf32>) -> tensor<1x7x7x8xf32>
  return %r : tensor<1x7x7x8xf32>
}

func.func @conv2d_nchw(%x: tensor<1x4x9x9xf32>, %w: tensor<8x4x3x3xf32>, %y: tensor<1x8x7x7xf32>)
    -> tensor<1x8x7x7xf32> {
  %r = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
       ins(%x, %w : tensor<1x4x9x9xf32>, tensor<8x4x3x3xf32>)
       outs(%y : tensor<1x8x7x7xf32>) -> tensor<1x8x7x7xf32>
  return %r : tensor<1x8x7x7xf32>
}

func.func @depthwise(%x: tensor<1x9x9x4xf32>, %w: tensor<3x3x4xf32>, %y: tensor<1x4x4x4xf32>)
    -> tensor<1x4x4x4xf32> {
  %r = linalg.depthwise_conv_2d_nhwc_hwc {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
       ins(%x, %w : tensor<1x9x9x4xf32>, tensor<3x3x4xf32>) outs(%y : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %r : tensor<1x4x4x4xf32>
}

func.func @max_pool(%x: tensor<1x8x8x4xf32>) -> tensor<1x4x4x4xf32> {
  %least = arith.constant 0xFF800000 : f32
  %window = tensor.empty() : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x4x4x4xf32>
  %f = linalg.fill ins(%least : f32) outs(%e : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %r = linalg.pooling_nhwc_max {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
       ins(%x, %window : tensor<1x8x8x4xf32>, tensor<2x2xf32>) outs(%f : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %r : tensor<1x4x4x4xf32>
}
