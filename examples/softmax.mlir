// Softmax of each row, spelled as two reductions and elementwise ops between them: the row's maximum is
// subtracted before the exponential, so that no exponential overflows.
//
//   harl-mlir tune examples/softmax.mlir

#row = affine_map<(i, j) -> (i)>
#all = affine_map<(i, j) -> (i, j)>

func.func @softmax(%x: tensor<256x128xf32>) -> tensor<256x128xf32> {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %rows = tensor.empty() : tensor<256xf32>
  %matrix = tensor.empty() : tensor<256x128xf32>
  %no_max = linalg.fill ins(%lowest : f32) outs(%rows : tensor<256xf32>) -> tensor<256xf32>
  %max = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<256x128xf32>) outs(%no_max : tensor<256xf32>) {
  ^bb0(%value: f32, %so_far: f32):
    %larger = arith.maximumf %value, %so_far : f32
    linalg.yield %larger : f32
  } -> tensor<256xf32>
  %exp = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<256x128xf32>, tensor<256xf32>) outs(%matrix : tensor<256x128xf32>) {
  ^bb0(%value: f32, %row_max: f32, %old: f32):
    %shifted = arith.subf %value, %row_max : f32
    %power = math.exp %shifted : f32
    linalg.yield %power : f32
  } -> tensor<256x128xf32>
  %no_sum = linalg.fill ins(%zero : f32) outs(%rows : tensor<256xf32>) -> tensor<256xf32>
  %sum = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<256x128xf32>) outs(%no_sum : tensor<256xf32>) {
  ^bb0(%value: f32, %so_far: f32):
    %total = arith.addf %value, %so_far : f32
    linalg.yield %total : f32
  } -> tensor<256xf32>
  %result = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<256x128xf32>, tensor<256xf32>) outs(%matrix : tensor<256x128xf32>) {
  ^bb0(%value: f32, %row_sum: f32, %old: f32):
    %share = arith.divf %value, %row_sum : f32
    linalg.yield %share : f32
  } -> tensor<256x128xf32>
  return %result : tensor<256x128xf32>
}
