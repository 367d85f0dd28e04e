func.func @kernel(%arg0: tensor<120x192xf32>, %arg1: tensor<400x192xf32>, %arg2: tensor<400xf32>) -> tensor<120x400xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<120x400xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<120x400xf32>) -> tensor<120x400xf32>
  %result = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%arg0, %arg1 : tensor<120x192xf32>, tensor<400x192xf32>) outs(%init : tensor<120x400xf32>) -> tensor<120x400xf32>
  %fused = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%result, %arg2 : tensor<120x400xf32>, tensor<400xf32>) outs(%empty : tensor<120x400xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %sum = arith.addf %x, %y : f32
    %positive = arith.maximumf %sum, %zero : f32
    linalg.yield %positive : f32
  } -> tensor<120x400xf32>
  return %fused : tensor<120x400xf32>
}
