
// Appended to the tests that run their kernels: small whole numbers by position, and a hash of a result,
// h = 31 h + element in order, wrapping at 64 bits. NumPy has computed the hashes that the tests expect.

func.func @number(%i: index, %j: index) -> f32 {
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %c11 = arith.constant 11 : index
  %p = arith.muli %i, %c3 : index
  %q = arith.muli %j, %c5 : index
  %s = arith.addi %p, %q : index
  %r = arith.remui %s, %c11 : index
  %n = arith.index_cast %r : index to i64
  %five = arith.constant 5 : i64
  %d = arith.subi %n, %five : i64
  %x = arith.sitofp %d : i64 to f32
  return %x : f32
}

func.func @hash(%t: tensor<?x?xf32>, %start: i64) -> i64 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %t, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %t, %c1 : tensor<?x?xf32>
  %c31 = arith.constant 31 : i64
  %hash = scf.for %i = %c0 to %rows step %c1 iter_args(%outer = %start) -> (i64) {
    %inner = scf.for %j = %c0 to %columns step %c1 iter_args(%h = %outer) -> (i64) {
      %x = tensor.extract %t[%i, %j] : tensor<?x?xf32>
      %n = arith.fptosi %x : f32 to i64
      %m = arith.muli %h, %c31 : i64
      %s = arith.addi %m, %n : i64
      scf.yield %s : i64
    }
    scf.yield %inner : i64
  }
  return %hash : i64
}
