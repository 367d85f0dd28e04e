// Fusion groups: epilogues, a shared fill, chains without an anchor, values with several uses.
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
#column = affine_map<(i, j) -> (i)>

func.func @dense(%A: tensor<32x64xf32>, %B: tensor<64x16xf32>, %bias: tensor<16xf32>) -> tensor<32x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x16xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<32x16xf32>) -> tensor<32x16xf32>
  %r = linalg.matmul ins(%A, %B : tensor<32x64xf32>, tensor<64x16xf32>)
                     outs(%f : tensor<32x16xf32>) -> tensor<32x16xf32>
  %b = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
       ins(%r, %bias : tensor<32x16xf32>, tensor<16xf32>) outs(%e : tensor<32x16xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  } -> tensor<32x16xf32>
  %relu = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
          ins(%b : tensor<32x16xf32>) outs(%e : tensor<32x16xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.maximumf %x, %z : f32
    linalg.yield %s : f32
  } -> tensor<32x16xf32>
  return %relu : tensor<32x16xf32>
}

func.func @shared_fill(%A: tensor<8x8xf32>, %B: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  %r = linalg.matmul ins(%A, %B : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %s = linalg.matmul ins(%B, %A : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  %t = linalg.add ins(%r, %s : tensor<8x8xf32>, tensor<8x8xf32>) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %t : tensor<8x8xf32>
}

func.func @softmax(%x: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %least = arith.constant 0xFF800000 : f32
  %z = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<8xf32>
  %e = tensor.empty() : tensor<8x32xf32>
  %f = linalg.fill ins(%least : f32) outs(%e1 : tensor<8xf32>) -> tensor<8xf32>
  %m = linalg.reduce { arith.maximumf } ins(%x : tensor<8x32xf32>) outs(%f : tensor<8xf32>) dimensions = [1]
  %ex = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
        ins(%x, %m : tensor<8x32xf32>, tensor<8xf32>) outs(%e : tensor<8x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    %s = math.exp %d : f32
    linalg.yield %s : f32
  } -> tensor<8x32xf32>
  %f0 = linalg.fill ins(%z : f32) outs(%e1 : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.reduce { arith.addf } ins(%ex : tensor<8x32xf32>) outs(%f0 : tensor<8xf32>) dimensions = [1]
  %bs = linalg.broadcast ins(%sum : tensor<8xf32>) outs(%e : tensor<8x32xf32>) dimensions = [1]
  %q = linalg.div ins(%ex, %bs : tensor<8x32xf32>, tensor<8x32xf32>) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %q : tensor<8x32xf32>
}

func.func @maps(%x: tensor<4x8xf32>, %y: tensor<8x4xf32>, %i: tensor<4xi64>) -> (tensor<8x4xf32>, tensor<4xi64>) {
  %t = linalg.transpose ins(%x : tensor<4x8xf32>) outs(%y : tensor<8x4xf32>) permutation = [1, 0]
  %m = linalg.map { math.absf } ins(%t : tensor<8x4xf32>) outs(%y : tensor<8x4xf32>)
  %big = arith.constant 9223372036854775807 : i64
  %j = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (3 - i)>, affine_map<(i) -> (i)>],
                       iterator_types = ["parallel"]}
       ins(%i, %i : tensor<4xi64>, tensor<4xi64>) outs(%i : tensor<4xi64>) {
  ^bb0(%a: i64, %b: i64, %o: i64):
    %n = linalg.index 0 : index
    %k = arith.index_cast %n : index to i64
    %s = arith.addi %a, %k overflow<nsw> : i64
    %u = arith.muli %b, %big : i64
    %v = arith.addi %u, %s : i64
    %c = arith.cmpi slt, %v, %a : i64
    %w = arith.select %c, %v, %a : i64
    linalg.yield %w : i64
  } -> tensor<4xi64>
  return %m, %j : tensor<8x4xf32>, tensor<4xi64>
}
