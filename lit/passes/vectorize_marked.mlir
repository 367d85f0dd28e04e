// Linalg ops that a schedule marks become vectors; others, and those that cannot, stay as they are.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-vectorize-marked))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-vectorize-marked)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-lower-to-llvm)' | %FileCheck %s --check-prefix=LOWERED

#id = affine_map<(i) -> (i)>

// LOWERED-NOT: unrealized_conversion_cast
// LOWERED-LABEL: llvm.func @compared
// LOWERED: %[[BITS:.*]] = llvm.fcmp "ogt" %{{.*}}, %{{.*}} : vector<32xf32>
// LOWERED: %[[BYTES:.*]] = llvm.zext %[[BITS]] : vector<32xi1> to vector<32xi8>
// LOWERED: llvm.store %[[BYTES]], %{{.*}} {alignment = 1 : i64} : vector<32xi8>, !llvm.ptr

// CHECK-LABEL: func.func @compared(
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args(%[[R:.*]] = %{{.*}}) -> (tensor<256xi1>)
// CHECK: %[[X:.*]] = vector.transfer_read %arg0[%[[I]]], %{{.*}} {in_bounds = [true]} : tensor<256xf32>, vector<32xf32>
// CHECK: %[[Y:.*]] = arith.cmpf ogt, %[[X]], %{{.*}} : vector<32xf32>
// CHECK: vector.transfer_write %[[Y]], %[[R]][%[[I]]] {in_bounds = [true]} : vector<32xi1>, tensor<256xi1>
func.func @compared(%a: tensor<256xf32>, %e: tensor<256xi1>) -> tensor<256xi1> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %z = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %c256 step %c32 iter_args(%o = %e) -> (tensor<256xi1>) {
    %x = tensor.extract_slice %a[%i] [32] [1] : tensor<256xf32> to tensor<32xf32>
    %t = tensor.extract_slice %o[%i] [32] [1] : tensor<256xi1> to tensor<32xi1>
    %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%x : tensor<32xf32>) outs(%t : tensor<32xi1>) attrs = {harl.vector} {
    ^bb0(%in: f32, %out: i1):
      %y = arith.cmpf ogt, %in, %z : f32
      linalg.yield %y : i1
    } -> tensor<32xi1>
    %p = tensor.insert_slice %m into %o[%i] [32] [1] : tensor<32xi1> into tensor<256xi1>
    scf.yield %p : tensor<256xi1>
  }
  return %r : tensor<256xi1>
}

// CHECK-LABEL: func.func @left(
// CHECK: linalg.generic
// CHECK-NOT: vector.
// CHECK: linalg.generic
func.func @left(%a: tensor<32xf32>, %b: tensor<?xi1>) -> (tensor<32xf32>, tensor<?xi1>) {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%a : tensor<32xf32>) {
  ^bb0(%in: f32):
    %y = arith.addf %in, %in : f32
    linalg.yield %y : f32
  } -> tensor<32xf32>
  %s = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]}
      outs(%b : tensor<?xi1>) attrs = {harl.vector} {
  ^bb0(%in: i1):
    %t = arith.constant true
    %y = arith.xori %in, %t : i1
    linalg.yield %y : i1
  } -> tensor<?xi1>
  return %r, %s : tensor<32xf32>, tensor<?xi1>
}
