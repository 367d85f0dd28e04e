// A tensor that is read for the last time is carried by the loop that writes its successor: no buffer for it.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-compute-in-place))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-compute-in-place)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED-LABEL: llvm.func @rows
// LOWERED-NOT: llvm.call @malloc
// LOWERED: llvm.func @read_later

// CHECK-LABEL: func.func @rows
// CHECK: scf.forall
// CHECK: %[[FIRST:.*]] = scf.for
// CHECK: scf.for {{.*}} iter_args(%[[ROW:.*]] = %[[FIRST]])
// CHECK: vector.transfer_read %[[ROW]][
// CHECK: vector.transfer_write {{.*}}, %[[ROW]][
func.func @rows(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x64xf32>
  %r = scf.forall (%i) in (8) shared_outs(%s = %e) -> (tensor<8x64xf32>) {
    %t = tensor.empty() : tensor<1x64xf32>
    %a = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %t) -> (tensor<1x64xf32>) {
      %v = vector.transfer_read %x[%i, %k], %z {in_bounds = [true, true]} : tensor<8x64xf32>, vector<1x32xf32>
      %d = arith.addf %v, %v : vector<1x32xf32>
      %w = vector.transfer_write %d, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x64xf32>
      scf.yield %w : tensor<1x64xf32>
    }
    %p = tensor.extract_slice %s[%i, 0] [1, 64] [1, 1] : tensor<8x64xf32> to tensor<1x64xf32>
    %b = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %p) -> (tensor<1x64xf32>) {
      %v = vector.transfer_read %a[%c0, %k], %z {in_bounds = [true, true]} : tensor<1x64xf32>, vector<1x32xf32>
      %d = arith.mulf %v, %v : vector<1x32xf32>
      %w = vector.transfer_write %d, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x64xf32>
      scf.yield %w : tensor<1x64xf32>
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %b into %s[%i, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<8x64xf32>
    }
  } {harl.alone}
  return %r : tensor<8x64xf32>
}

// So in the rows of a part, which are parts of what the loop around makes.
// CHECK-LABEL: func.func @rows_of_parts
// CHECK: scf.forall
// CHECK: scf.forall
// CHECK: %[[FIRST:.*]] = scf.for
// CHECK: scf.for {{.*}} iter_args(%[[ROW:.*]] = %[[FIRST]])
// CHECK: vector.transfer_read %[[ROW]][
// CHECK: vector.transfer_write {{.*}}, %[[ROW]][
func.func @rows_of_parts(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x64xf32>
  %r = scf.forall (%i) = (0) to (8) step (4) shared_outs(%s = %e) -> (tensor<8x64xf32>) {
    %q = tensor.extract_slice %s[%i, 0] [4, 64] [1, 1] : tensor<8x64xf32> to tensor<4x64xf32>
    %y = tensor.extract_slice %x[%i, 0] [4, 64] [1, 1] : tensor<8x64xf32> to tensor<4x64xf32>
    %n = scf.forall (%j) in (4) shared_outs(%u = %q) -> (tensor<4x64xf32>) {
      %t = tensor.empty() : tensor<1x64xf32>
      %a = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %t) -> (tensor<1x64xf32>) {
        %v = vector.transfer_read %y[%j, %k], %z {in_bounds = [true, true]} : tensor<4x64xf32>, vector<1x32xf32>
        %w = vector.transfer_write %v, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x64xf32>
        scf.yield %w : tensor<1x64xf32>
      }
      %p = tensor.extract_slice %u[%j, 0] [1, 64] [1, 1] : tensor<4x64xf32> to tensor<1x64xf32>
      %b = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %p) -> (tensor<1x64xf32>) {
        %v = vector.transfer_read %a[%c0, %k], %z {in_bounds = [true, true]} : tensor<1x64xf32>, vector<1x32xf32>
        %d = arith.mulf %v, %v : vector<1x32xf32>
        %w = vector.transfer_write %d, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x64xf32>
        scf.yield %w : tensor<1x64xf32>
      }
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %b into %u[%j, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<4x64xf32>
      }
    } {harl.alone}
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %n into %s[%i, 0] [4, 64] [1, 1] : tensor<4x64xf32> into tensor<8x64xf32>
    }
  }
  return %r : tensor<8x64xf32>
}

// What is read later stays as it is.
// CHECK-LABEL: func.func @read_later
// CHECK: %[[FIRST:.*]] = scf.for
// CHECK: scf.for
// CHECK: vector.transfer_read %[[FIRST]][
func.func @read_later(%x: tensor<64xf32>) -> (tensor<64xf32>, tensor<64xf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<64xf32>
  %a = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %e) -> (tensor<64xf32>) {
    %v = vector.transfer_read %x[%k], %z {in_bounds = [true]} : tensor<64xf32>, vector<32xf32>
    %w = vector.transfer_write %v, %o[%k] {in_bounds = [true]} : vector<32xf32>, tensor<64xf32>
    scf.yield %w : tensor<64xf32>
  }
  %b = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %e) -> (tensor<64xf32>) {
    %v = vector.transfer_read %a[%k], %z {in_bounds = [true]} : tensor<64xf32>, vector<32xf32>
    %d = arith.mulf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%k] {in_bounds = [true]} : vector<32xf32>, tensor<64xf32>
    scf.yield %w : tensor<64xf32>
  }
  return %a, %b : tensor<64xf32>, tensor<64xf32>
}

// And so does what is read of a part of another tensor, which is larger.
// CHECK-LABEL: func.func @read_of_a_part
// CHECK: tensor.empty() : tensor<128xf32>
// CHECK: tensor.empty() : tensor<64xf32>
// CHECK: %[[PART:.*]] = tensor.extract_slice
// CHECK: scf.for
// CHECK: vector.transfer_read %[[PART]][
func.func @read_of_a_part(%x: tensor<128xf32>) -> tensor<64xf32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<128xf32>
  %f = tensor.empty() : tensor<64xf32>
  %a = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %e) -> (tensor<128xf32>) {
    %v = vector.transfer_read %x[%k], %z {in_bounds = [true]} : tensor<128xf32>, vector<32xf32>
    %w = vector.transfer_write %v, %o[%k] {in_bounds = [true]} : vector<32xf32>, tensor<128xf32>
    scf.yield %w : tensor<128xf32>
  }
  %p = tensor.extract_slice %a[32] [64] [1] : tensor<128xf32> to tensor<64xf32>
  %b = scf.for %k = %c0 to %c64 step %c32 iter_args(%o = %f) -> (tensor<64xf32>) {
    %v = vector.transfer_read %p[%k], %z {in_bounds = [true]} : tensor<64xf32>, vector<32xf32>
    %d = arith.mulf %v, %v : vector<32xf32>
    %w = vector.transfer_write %d, %o[%k] {in_bounds = [true]} : vector<32xf32>, tensor<64xf32>
    scf.yield %w : tensor<64xf32>
  }
  return %b : tensor<64xf32>
}
