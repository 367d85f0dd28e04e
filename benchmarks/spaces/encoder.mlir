// The matmuls of an encoder layer on one sequence of 80 tokens: four projections of one shape, the scores and
// their product with the values of 6 heads, and the two layers behind.
func.func @encoder(%x: tensor<80x288xf32>, %wq: tensor<288x288xf32>, %wk: tensor<288x288xf32>,
                   %wv: tensor<288x288xf32>, %wo: tensor<288x288xf32>,
                   %q: tensor<6x80x48xf32>, %k: tensor<6x48x80xf32>, %s: tensor<6x80x80xf32>,
                   %v: tensor<6x80x48xf32>, %up: tensor<288x1152xf32>, %down: tensor<1152x288xf32>,
                   %h: tensor<80x1152xf32>)
    -> (tensor<80x288xf32>, tensor<80x288xf32>, tensor<80x288xf32>, tensor<80x288xf32>,
        tensor<6x80x80xf32>, tensor<6x80x48xf32>, tensor<80x1152xf32>, tensor<80x288xf32>) {
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<80x288xf32>
  %z0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<80x288xf32>) -> tensor<80x288xf32>
  %r0 = linalg.matmul ins(%x, %wq : tensor<80x288xf32>, tensor<288x288xf32>) outs(%z0 : tensor<80x288xf32>) -> tensor<80x288xf32>
  %r1 = linalg.matmul ins(%x, %wk : tensor<80x288xf32>, tensor<288x288xf32>) outs(%z0 : tensor<80x288xf32>) -> tensor<80x288xf32>
  %r2 = linalg.matmul ins(%x, %wv : tensor<80x288xf32>, tensor<288x288xf32>) outs(%z0 : tensor<80x288xf32>) -> tensor<80x288xf32>
  %r3 = linalg.matmul ins(%x, %wo : tensor<80x288xf32>, tensor<288x288xf32>) outs(%z0 : tensor<80x288xf32>) -> tensor<80x288xf32>
  %e1 = tensor.empty() : tensor<6x80x80xf32>
  %z1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<6x80x80xf32>) -> tensor<6x80x80xf32>
  %r4 = linalg.batch_matmul ins(%q, %k : tensor<6x80x48xf32>, tensor<6x48x80xf32>) outs(%z1 : tensor<6x80x80xf32>) -> tensor<6x80x80xf32>
  %e2 = tensor.empty() : tensor<6x80x48xf32>
  %z2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<6x80x48xf32>) -> tensor<6x80x48xf32>
  %r5 = linalg.batch_matmul ins(%s, %v : tensor<6x80x80xf32>, tensor<6x80x48xf32>) outs(%z2 : tensor<6x80x48xf32>) -> tensor<6x80x48xf32>
  %e3 = tensor.empty() : tensor<80x1152xf32>
  %z3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<80x1152xf32>) -> tensor<80x1152xf32>
  %r6 = linalg.matmul ins(%x, %up : tensor<80x288xf32>, tensor<288x1152xf32>) outs(%z3 : tensor<80x1152xf32>) -> tensor<80x1152xf32>
  %r7 = linalg.matmul ins(%h, %down : tensor<80x1152xf32>, tensor<1152x288xf32>) outs(%z0 : tensor<80x288xf32>) -> tensor<80x288xf32>
  return %r0, %r1, %r2, %r3, %r4, %r5, %r6, %r7 : tensor<80x288xf32>, tensor<80x288xf32>, tensor<80x288xf32>, tensor<80x288xf32>, tensor<6x80x80xf32>, tensor<6x80x48xf32>, tensor<80x1152xf32>, tensor<80x288xf32>
}
