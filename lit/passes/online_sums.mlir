// Of marked rows, greatest elements and sums of exponentials are found in one go, a chunk at a time.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-online-sums))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-online-sums)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED-NOT: vector.multi_reduction

// CHECK-LABEL: func.func @softmax
// CHECK-DAG: %[[CHUNK:.*]] = arith.constant 128 : index
// CHECK-DAG: %[[VECTOR:.*]] = arith.constant 32 : index
// CHECK: %[[ALL:.*]]:4 = scf.for %[[FIRST:.*]] = {{.*}} step %[[CHUNK]] iter_args(%[[BEFORE:.*]] = %{{.*}}, %[[SUM:.*]] = %{{.*}}, %[[ROW:.*]] = %{{.*}}, %[[BASES:.*]] = %{{.*}})
// CHECK: arith.minsi
// CHECK: %[[NOW:.*]] = scf.for {{.*}} step %[[VECTOR]] iter_args({{.*}} = %[[BEFORE]])
// CHECK: arith.maximumf
// CHECK: arith.cmpf oeq, %[[NOW]]
// CHECK: %[[BASE:.*]] = arith.select {{.*}}, %[[NOW]]
// CHECK: arith.subf %[[BEFORE]], %[[BASE]]
// CHECK: math.exp
// CHECK: arith.mulf %[[SUM]]
// CHECK: scf.for {{.*}} step %[[VECTOR]] iter_args({{.*}}, {{.*}} = %[[ROW]])
// CHECK: arith.subf {{.*}}, %[[BASE]]
// CHECK: math.exp
// CHECK: arith.addf
// CHECK: vector.transfer_write
// CHECK: vector.transfer_write %[[NOW]], %[[BASES]]
// CHECK: vector.multi_reduction <maximumf>, %[[ALL]]#0
// CHECK: arith.subf %[[ALL]]#0
// CHECK: arith.mulf %[[ALL]]#1
// CHECK: vector.multi_reduction <add>
// CHECK: scf.for {{.*}} step %[[CHUNK]] iter_args({{.*}} = %[[ALL]]#2)
// CHECK: vector.transfer_read %[[ALL]]#3
// CHECK: math.exp
// CHECK: %[[FACTOR:.*]] = arith.divf
// CHECK: scf.for {{.*}} step %[[VECTOR]]
// CHECK: arith.mulf {{.*}}, %[[FACTOR]]
// CHECK-NOT: harl.online
func.func @softmax(%x: tensor<2x320xf32>) -> tensor<2x320xf32> {
  %e = tensor.empty() : tensor<2x320xf32>
  %r = scf.forall (%i) in (2) shared_outs(%s = %e) -> (tensor<2x320xf32>) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c320 = arith.constant 320 : index
    %p = ub.poison : f32
    %least = arith.constant dense<0xFF800000> : vector<1xf32>
    %leasts = arith.constant dense<0xFF800000> : vector<1x32xf32>
    %zero = arith.constant dense<0.0> : vector<1xf32>
    %zeros = arith.constant dense<0.0> : vector<1x32xf32>
    %m = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %leasts) -> (vector<1x32xf32>) {
      %v = vector.transfer_read %x[%i, %k], %p {in_bounds = [true, true]} : tensor<2x320xf32>, vector<1x32xf32>
      %g = arith.maximumf %v, %o : vector<1x32xf32>
      scf.yield %g : vector<1x32xf32>
    }
    %most = vector.multi_reduction <maximumf>, %m, %least [1] : vector<1x32xf32> to vector<1xf32>
    %own = tensor.extract_slice %s[%i, 0] [1, 320] [1, 1] : tensor<2x320xf32> to tensor<1x320xf32>
    %w = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %own) -> (tensor<1x320xf32>) {
      %v = vector.transfer_read %x[%i, %k], %p {in_bounds = [true, true]} : tensor<2x320xf32>, vector<1x32xf32>
      %b = vector.broadcast %most : vector<1xf32> to vector<1x32xf32>
      %d = arith.subf %v, %b : vector<1x32xf32>
      %f = math.exp %d : vector<1x32xf32>
      %t = vector.transfer_write %f, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x320xf32>
      scf.yield %t : tensor<1x320xf32>
    }
    %a = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %zeros) -> (vector<1x32xf32>) {
      %v = vector.transfer_read %w[%c0, %k], %p {in_bounds = [true, true]} : tensor<1x320xf32>, vector<1x32xf32>
      %g = arith.addf %v, %o : vector<1x32xf32>
      scf.yield %g : vector<1x32xf32>
    }
    %sum = vector.multi_reduction <add>, %a, %zero [1] : vector<1x32xf32> to vector<1xf32>
    %q = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %w) -> (tensor<1x320xf32>) {
      %v = vector.transfer_read %o[%c0, %k], %p {in_bounds = [true, true]} : tensor<1x320xf32>, vector<1x32xf32>
      %b = vector.broadcast %sum : vector<1xf32> to vector<1x32xf32>
      %d = arith.divf %v, %b : vector<1x32xf32>
      %t = vector.transfer_write %d, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x320xf32>
      scf.yield %t : tensor<1x320xf32>
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %q into %s[%i, 0] [1, 320] [1, 1] : tensor<1x320xf32> into tensor<2x320xf32>
    }
  } {harl.alone, harl.online = 128 : i64}
  return %r : tensor<2x320xf32>
}

// Nothing is kept. Sums of other exponentials than of what the greatest is found of stay as they are.
// CHECK-LABEL: func.func @sums
// CHECK: scf.for {{.*}} -> (vector<2x32xf32>, vector<2x32xf32>)
// CHECK-COUNT-2: scf.for {{.*}} -> (vector<2x32xf32>)
// CHECK: scf.for {{.*}} -> (vector<2x32xf32>)
// CHECK-NOT: = scf.for
func.func @sums(%x: tensor<8x256xf32>, %y: tensor<8x256xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %r:2 = scf.forall (%n) = (0) to (8) step (2) shared_outs(%s = %e, %t = %e) -> (tensor<8xf32>, tensor<8xf32>) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c256 = arith.constant 256 : index
    %p = ub.poison : f32
    %least = arith.constant dense<0xFF800000> : vector<2xf32>
    %leasts = arith.constant dense<0xFF800000> : vector<2x32xf32>
    %zero = arith.constant dense<0.0> : vector<2xf32>
    %zeros = arith.constant dense<0.0> : vector<2x32xf32>
    %m = scf.for %k = %c0 to %c256 step %c32 iter_args(%o = %leasts) -> (vector<2x32xf32>) {
      %v = vector.transfer_read %x[%n, %k], %p {in_bounds = [true, true]} : tensor<8x256xf32>, vector<2x32xf32>
      %g = arith.maximumf %v, %o : vector<2x32xf32>
      scf.yield %g : vector<2x32xf32>
    }
    %most = vector.multi_reduction <maximumf>, %m, %least [1] : vector<2x32xf32> to vector<2xf32>
    %turned = vector.broadcast %most : vector<2xf32> to vector<32x2xf32>
    %b = vector.transpose %turned, [1, 0] : vector<32x2xf32> to vector<2x32xf32>
    %a = scf.for %k = %c0 to %c256 step %c32 iter_args(%o = %zeros) -> (vector<2x32xf32>) {
      %v = vector.transfer_read %x[%n, %k], %p {in_bounds = [true, true]} : tensor<8x256xf32>, vector<2x32xf32>
      %d = arith.subf %v, %b : vector<2x32xf32>
      %f = math.exp %d : vector<2x32xf32>
      %g = arith.addf %f, %o : vector<2x32xf32>
      scf.yield %g : vector<2x32xf32>
    }
    %z = scf.for %k = %c0 to %c256 step %c32 iter_args(%o = %zeros) -> (vector<2x32xf32>) {
      %v = vector.transfer_read %y[%n, %k], %p {in_bounds = [true, true]} : tensor<8x256xf32>, vector<2x32xf32>
      %d = arith.subf %v, %b : vector<2x32xf32>
      %f = math.exp %d : vector<2x32xf32>
      %g = arith.addf %f, %o : vector<2x32xf32>
      scf.yield %g : vector<2x32xf32>
    }
    %one = vector.multi_reduction <add>, %a, %zero [1] : vector<2x32xf32> to vector<2xf32>
    %other = vector.multi_reduction <add>, %z, %zero [1] : vector<2x32xf32> to vector<2xf32>
    %own = tensor.extract_slice %s[%n] [2] [1] : tensor<8xf32> to tensor<2xf32>
    %two = tensor.extract_slice %t[%n] [2] [1] : tensor<8xf32> to tensor<2xf32>
    %u = vector.transfer_write %one, %own[%c0] {in_bounds = [true]} : vector<2xf32>, tensor<2xf32>
    %w = vector.transfer_write %other, %two[%c0] {in_bounds = [true]} : vector<2xf32>, tensor<2xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %u into %s[%n] [2] [1] : tensor<2xf32> into tensor<8xf32>
      tensor.parallel_insert_slice %w into %t[%n] [2] [1] : tensor<2xf32> into tensor<8xf32>
    }
  } {harl.online = 64 : i64}
  return %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
}

// What vectors leave over is done after, when the greatest element is known. Loops carry the row.
// CHECK-LABEL: func.func @rest
// CHECK: %[[ROW:.*]] = tensor.extract_slice %{{.*}} : tensor<2x336xf32> to tensor<1x336xf32>
// CHECK: %[[ALL:.*]]:4 = scf.for {{.*}} iter_args(%{{.*}}, %{{.*}}, %{{.*}} = %[[ROW]], %{{.*}})
// CHECK: %[[FIRST:.*]] = vector.multi_reduction <maximumf>, %[[ALL]]#0
// CHECK: %[[MOST:.*]] = vector.multi_reduction <maximumf>, %{{.*}}, %[[FIRST]] [1] : vector<1x16xf32>
// CHECK: %[[FULL:.*]] = vector.transfer_write %{{.*}}, %[[ALL]]#2[%{{.*}}] {{.*}} : vector<1x16xf32>, tensor<1x336xf32>
// CHECK: vector.broadcast %[[MOST]]
// CHECK: arith.subf %[[ALL]]#0
// CHECK: vector.transfer_read %[[FULL]]{{.*}} vector<1x16xf32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[FULL]])
// CHECK: scf.for {{.*}} -> (tensor<1x336xf32>)
// CHECK: arith.mulf
// CHECK: arith.divf {{.*}} : vector<1x16xf32>
func.func @rest(%x: tensor<2x336xf32>) -> tensor<2x336xf32> {
  %e = tensor.empty() : tensor<2x336xf32>
  %r = scf.forall (%i) in (2) shared_outs(%s = %e) -> (tensor<2x336xf32>) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c320 = arith.constant 320 : index
    %p = ub.poison : f32
    %least = arith.constant dense<0xFF800000> : vector<1xf32>
    %leasts = arith.constant dense<0xFF800000> : vector<1x32xf32>
    %zero = arith.constant dense<0.0> : vector<1xf32>
    %zeros = arith.constant dense<0.0> : vector<1x32xf32>
    %m = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %leasts) -> (vector<1x32xf32>) {
      %v = vector.transfer_read %x[%i, %k], %p {in_bounds = [true, true]} : tensor<2x336xf32>, vector<1x32xf32>
      %g = arith.maximumf %v, %o : vector<1x32xf32>
      scf.yield %g : vector<1x32xf32>
    }
    %first = vector.multi_reduction <maximumf>, %m, %least [1] : vector<1x32xf32> to vector<1xf32>
    %rest = vector.transfer_read %x[%i, %c320], %p {in_bounds = [true, true]} : tensor<2x336xf32>, vector<1x16xf32>
    %most = vector.multi_reduction <maximumf>, %rest, %first [1] : vector<1x16xf32> to vector<1xf32>
    %own = tensor.extract_slice %s[%i, 0] [1, 336] [1, 1] : tensor<2x336xf32> to tensor<1x336xf32>
    %begin = tensor.extract_slice %own[0, 0] [1, 320] [1, 1] : tensor<1x336xf32> to tensor<1x320xf32>
    %w = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %begin) -> (tensor<1x320xf32>) {
      %v = vector.transfer_read %x[%i, %k], %p {in_bounds = [true, true]} : tensor<2x336xf32>, vector<1x32xf32>
      %b = vector.broadcast %most : vector<1xf32> to vector<1x32xf32>
      %d = arith.subf %v, %b : vector<1x32xf32>
      %f = math.exp %d : vector<1x32xf32>
      %t = vector.transfer_write %f, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x320xf32>
      scf.yield %t : tensor<1x320xf32>
    }
    %made = tensor.insert_slice %w into %own[0, 0] [1, 320] [1, 1] : tensor<1x320xf32> into tensor<1x336xf32>
    %b = vector.broadcast %most : vector<1xf32> to vector<1x16xf32>
    %d = arith.subf %rest, %b : vector<1x16xf32>
    %f = math.exp %d : vector<1x16xf32>
    %all = vector.transfer_write %f, %made[%c0, %c320] {in_bounds = [true, true]} : vector<1x16xf32>, tensor<1x336xf32>
    %a = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %zeros) -> (vector<1x32xf32>) {
      %v = vector.transfer_read %all[%c0, %k], %p {in_bounds = [true, true]} : tensor<1x336xf32>, vector<1x32xf32>
      %g = arith.addf %v, %o : vector<1x32xf32>
      scf.yield %g : vector<1x32xf32>
    }
    %part = vector.multi_reduction <add>, %a, %zero [1] : vector<1x32xf32> to vector<1xf32>
    %h = vector.transfer_read %all[%c0, %c320], %p {in_bounds = [true, true]} : tensor<1x336xf32>, vector<1x16xf32>
    %sum = vector.multi_reduction <add>, %h, %part [1] : vector<1x16xf32> to vector<1xf32>
    %front = tensor.extract_slice %all[0, 0] [1, 320] [1, 1] : tensor<1x336xf32> to tensor<1x320xf32>
    %q = scf.for %k = %c0 to %c320 step %c32 iter_args(%o = %front) -> (tensor<1x320xf32>) {
      %v = vector.transfer_read %o[%c0, %k], %p {in_bounds = [true, true]} : tensor<1x320xf32>, vector<1x32xf32>
      %n = vector.broadcast %sum : vector<1xf32> to vector<1x32xf32>
      %z = arith.divf %v, %n : vector<1x32xf32>
      %t = vector.transfer_write %z, %o[%c0, %k] {in_bounds = [true, true]} : vector<1x32xf32>, tensor<1x320xf32>
      scf.yield %t : tensor<1x320xf32>
    }
    %divided = tensor.insert_slice %q into %all[0, 0] [1, 320] [1, 1] : tensor<1x320xf32> into tensor<1x336xf32>
    %n = vector.broadcast %sum : vector<1xf32> to vector<1x16xf32>
    %z = arith.divf %h, %n : vector<1x16xf32>
    %result = vector.transfer_write %z, %divided[%c0, %c320] {in_bounds = [true, true]} : vector<1x16xf32>, tensor<1x336xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %result into %s[%i, 0] [1, 336] [1, 1] : tensor<1x336xf32> into tensor<2x336xf32>
    }
  } {harl.alone, harl.online = 128 : i64}
  return %r : tensor<2x336xf32>
}
