// One product in many spellings: the first four functions hold the same task.
#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

func.func @named(%A: tensor<17x33xf32>, %B: tensor<33x40xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
  %r = linalg.matmul ins(%A, %B : tensor<17x33xf32>, tensor<33x40xf32>)
                     outs(%C : tensor<17x40xf32>) -> tensor<17x40xf32>
  return %r : tensor<17x40xf32>
}

func.func @generic(%A: tensor<17x33xf32>, %B: tensor<33x40xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
  %r = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = ["parallel", "parallel", "reduction"]}
       ins(%A, %B : tensor<17x33xf32>, tensor<33x40xf32>) outs(%C : tensor<17x40xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %unused = arith.addf %a, %b : f32
    %p = arith.mulf %b, %a : f32
    %s = arith.addf %p, %c : f32
    linalg.yield %s : f32
  } -> tensor<17x40xf32>
  return %r : tensor<17x40xf32>
}

func.func @contract(%A: tensor<17x33xf32>, %B: tensor<33x40xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
  %r = linalg.contract indexing_maps = [#mk, #kn, #mn]
       ins(%A, %B : tensor<17x33xf32>, tensor<33x40xf32>) outs(%C : tensor<17x40xf32>) -> tensor<17x40xf32>
  return %r : tensor<17x40xf32>
}

func.func @buffers(%A: memref<17x33xf32>, %B: memref<33x40xf32>, %C: memref<17x40xf32>) {
  linalg.matmul ins(%A, %B : memref<17x33xf32>, memref<33x40xf32>) outs(%C : memref<17x40xf32>)
  return
}

func.func @transposed(%A: tensor<17x33xf32>, %B: tensor<40x33xf32>, %C: tensor<17x40xf32>) -> tensor<17x40xf32> {
  %r = linalg.matmul indexing_maps = [#mk, #nk, #mn]
       ins(%A, %B : tensor<17x33xf32>, tensor<40x33xf32>) outs(%C : tensor<17x40xf32>) -> tensor<17x40xf32>
  return %r : tensor<17x40xf32>
}

func.func @batch(%A: tensor<2x8x16xf64>, %B: tensor<2x16x4xf64>) -> tensor<2x8x4xf64> {
  %z = arith.constant 0.0 : f64
  %e = tensor.empty() : tensor<2x8x4xf64>
  %f = linalg.fill ins(%z : f64) outs(%e : tensor<2x8x4xf64>) -> tensor<2x8x4xf64>
  %r = linalg.batch_matmul ins(%A, %B : tensor<2x8x16xf64>, tensor<2x16x4xf64>)
                           outs(%f : tensor<2x8x4xf64>) -> tensor<2x8x4xf64>
  return %r : tensor<2x8x4xf64>
}

func.func @vectors(%A: tensor<8x16xf32>, %x: tensor<16xf32>, %y: tensor<8xf32>, %d: tensor<f32>)
    -> (tensor<8xf32>, tensor<f32>) {
  %r = linalg.matvec ins(%A, %x : tensor<8x16xf32>, tensor<16xf32>) outs(%y : tensor<8xf32>) -> tensor<8xf32>
  %s = linalg.dot ins(%x, %x : tensor<16xf32>, tensor<16xf32>) outs(%d : tensor<f32>) -> tensor<f32>
  return %r, %s : tensor<8xf32>, tensor<f32>
}

func.func @integers(%A: tensor<4x8xi8>, %B: tensor<8x4xi8>, %C: tensor<4x4xi32>) -> tensor<4x4xi32> {
  %a = arith.constant 3 : i32
  %b = arith.constant -7 : i32
  %r = linalg.quantized_matmul ins(%A, %B, %a, %b : tensor<4x8xi8>, tensor<8x4xi8>, i32, i32)
                               outs(%C : tensor<4x4xi32>) -> tensor<4x4xi32>
  return %r : tensor<4x4xi32>
}

func.func @six_loops(%A: tensor<2x3x4x5xf32>, %B: tensor<4x5x6x7xf32>, %C: tensor<2x3x6x7xf32>)
    -> tensor<2x3x6x7xf32> {
  %r = linalg.contract indexing_maps = [affine_map<(a, b, c, d, e, f) -> (a, b, e, f)>,
                                        affine_map<(a, b, c, d, e, f) -> (e, f, c, d)>,
                                        affine_map<(a, b, c, d, e, f) -> (a, b, c, d)>]
       ins(%A, %B : tensor<2x3x4x5xf32>, tensor<4x5x6x7xf32>)
       outs(%C : tensor<2x3x6x7xf32>) -> tensor<2x3x6x7xf32>
  return %r : tensor<2x3x6x7xf32>
}
