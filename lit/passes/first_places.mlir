// The loop that finds the rows' greatest elements keeps their places too; the search is left for NaNs.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(func.func(harl-first-places))' | %FileCheck %s
// RUN: %harl-mlir-opt %s --pass-pipeline='builtin.module(harl-first-places)' | %FileCheck %s
// RUN: %harl-opt %s --harl-lower-to-llvm | %FileCheck %s --check-prefix=LOWERED

// LOWERED-NOT: vector.multi_reduction

// CHECK-LABEL: func.func @arg_max
// CHECK: %[[BOTH:.*]]:3 = scf.for {{.*}} -> (vector<2x32xf32>, vector<2x32xi32>, vector<2x32xi1>)
// CHECK: vector.transfer_read
// CHECK-DAG: arith.cmpf ogt
// CHECK-DAG: arith.cmpf uno
// CHECK-DAG: arith.ori
// CHECK: scf.yield
// CHECK: arith.select %[[BOTH]]#2
// CHECK: %[[ANY:.*]] = vector.multi_reduction <or>, %[[BOTH]]#2
// CHECK: scf.if %[[ANY]] -> (vector<2x32xi32>)
// CHECK: scf.for
// CHECK: arith.minsi
// CHECK: else
// CHECK: arith.cmpf ueq, %[[BOTH]]#0
// CHECK: arith.select {{.*}}, %[[BOTH]]#1
func.func @arg_max(%x: tensor<2x128xf32>) -> tensor<2xi32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %p = ub.poison : f32
  %least = arith.constant dense<0xFF800000> : vector<2xf32>
  %leasts = arith.constant dense<0xFF800000> : vector<2x32xf32>
  %m = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %leasts) -> (vector<2x32xf32>) {
    %v = vector.transfer_read %x[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %g = arith.maximumf %v, %o : vector<2x32xf32>
    scf.yield %g : vector<2x32xf32>
  }
  %r = vector.multi_reduction <maximumf>, %m, %least [1] : vector<2x32xf32> to vector<2xf32>
  %nan = arith.cmpf uno, %r, %r : vector<2xf32>
  %inf = arith.constant dense<0x7F800000> : vector<2xf32>
  %w = arith.select %nan, %inf, %r : vector<2xi1>, vector<2xf32>
  %b = vector.broadcast %w : vector<2xf32> to vector<32x2xf32>
  %t = vector.transpose %b, [1, 0] : vector<32x2xf32> to vector<2x32xf32>
  %none = arith.constant dense<2147483647> : vector<2xi32>
  %nones = arith.constant dense<2147483647> : vector<2x32xi32>
  %step = vector.step : vector<32xindex>
  %s = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %nones) -> (vector<2x32xi32>) {
    %v = vector.transfer_read %x[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %i = vector.broadcast %k : index to vector<32xindex>
    %j = arith.addi %i, %step : vector<32xindex>
    %n = arith.index_cast %j : vector<32xindex> to vector<32xi32>
    %hit = arith.cmpf ueq, %v, %t : vector<2x32xf32>
    %ns = vector.broadcast %n : vector<32xi32> to vector<2x32xi32>
    %c = arith.select %hit, %ns, %nones : vector<2x32xi1>, vector<2x32xi32>
    %l = arith.minsi %c, %o : vector<2x32xi32>
    scf.yield %l : vector<2x32xi32>
  }
  %first = vector.multi_reduction <minsi>, %s, %none [1] : vector<2x32xi32> to vector<2xi32>
  %e = tensor.empty() : tensor<2xi32>
  %out = vector.transfer_write %first, %e[%c0] {in_bounds = [true]} : vector<2xi32>, tensor<2xi32>
  return %out : tensor<2xi32>
}

// The greatest of other elements.
// CHECK-LABEL: func.func @other_rows
// CHECK-NOT: scf.if
func.func @other_rows(%x: tensor<2x128xf32>, %y: tensor<2x128xf32>) -> tensor<2xi32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %p = ub.poison : f32
  %least = arith.constant dense<0xFF800000> : vector<2xf32>
  %leasts = arith.constant dense<0xFF800000> : vector<2x32xf32>
  %m = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %leasts) -> (vector<2x32xf32>) {
    %v = vector.transfer_read %y[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %g = arith.maximumf %v, %o : vector<2x32xf32>
    scf.yield %g : vector<2x32xf32>
  }
  %r = vector.multi_reduction <maximumf>, %m, %least [1] : vector<2x32xf32> to vector<2xf32>
  %nan = arith.cmpf uno, %r, %r : vector<2xf32>
  %inf = arith.constant dense<0x7F800000> : vector<2xf32>
  %w = arith.select %nan, %inf, %r : vector<2xi1>, vector<2xf32>
  %b = vector.broadcast %w : vector<2xf32> to vector<32x2xf32>
  %t = vector.transpose %b, [1, 0] : vector<32x2xf32> to vector<2x32xf32>
  %none = arith.constant dense<2147483647> : vector<2xi32>
  %nones = arith.constant dense<2147483647> : vector<2x32xi32>
  %step = vector.step : vector<32xindex>
  %s = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %nones) -> (vector<2x32xi32>) {
    %v = vector.transfer_read %x[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %i = vector.broadcast %k : index to vector<32xindex>
    %j = arith.addi %i, %step : vector<32xindex>
    %n = arith.index_cast %j : vector<32xindex> to vector<32xi32>
    %hit = arith.cmpf ueq, %v, %t : vector<2x32xf32>
    %ns = vector.broadcast %n : vector<32xi32> to vector<2x32xi32>
    %c = arith.select %hit, %ns, %nones : vector<2x32xi1>, vector<2x32xi32>
    %l = arith.minsi %c, %o : vector<2x32xi32>
    scf.yield %l : vector<2x32xi32>
  }
  %first = vector.multi_reduction <minsi>, %s, %none [1] : vector<2x32xi32> to vector<2xi32>
  %e = tensor.empty() : tensor<2xi32>
  %out = vector.transfer_write %first, %e[%c0] {in_bounds = [true]} : vector<2xi32>, tensor<2xi32>
  return %out : tensor<2xi32>
}

// Integers are no NaNs: nothing is searched.
// CHECK-LABEL: func.func @arg_max_of_integers
// CHECK: %[[TWO:.*]]:2 = scf.for {{.*}} -> (vector<32xi8>, vector<32xi32>)
// CHECK: vector.transfer_read
// CHECK: arith.cmpi sgt
// CHECK: scf.yield
// CHECK-NOT: scf.for
// CHECK: arith.cmpi eq, %[[TWO]]#0
// CHECK: arith.select {{.*}}, %[[TWO]]#1
// CHECK: return
func.func @arg_max_of_integers(%x: tensor<128xi8>) -> i32 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %p = ub.poison : i8
  %least = arith.constant -128 : i8
  %leasts = arith.constant dense<-128> : vector<32xi8>
  %m = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %leasts) -> (vector<32xi8>) {
    %v = vector.transfer_read %x[%k], %p {in_bounds = [true]} : tensor<128xi8>, vector<32xi8>
    %g = arith.maxsi %v, %o : vector<32xi8>
    scf.yield %g : vector<32xi8>
  }
  %r = vector.multi_reduction <maxsi>, %m, %least [0] : vector<32xi8> to i8
  %b = vector.broadcast %r : i8 to vector<32xi8>
  %none = arith.constant 2147483647 : i32
  %nones = arith.constant dense<2147483647> : vector<32xi32>
  %step = vector.step : vector<32xindex>
  %s = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %nones) -> (vector<32xi32>) {
    %v = vector.transfer_read %x[%k], %p {in_bounds = [true]} : tensor<128xi8>, vector<32xi8>
    %i = vector.broadcast %k : index to vector<32xindex>
    %j = arith.addi %i, %step : vector<32xindex>
    %n = arith.index_cast %j : vector<32xindex> to vector<32xi32>
    %hit = arith.cmpi eq, %v, %b : vector<32xi8>
    %c = arith.select %hit, %n, %nones : vector<32xi1>, vector<32xi32>
    %l = arith.minsi %c, %o : vector<32xi32>
    scf.yield %l : vector<32xi32>
  }
  %first = vector.multi_reduction <minsi>, %s, %none [0] : vector<32xi32> to i32
  return %first : i32
}

// From another start than what is below all there may be no first place.
// CHECK-LABEL: func.func @from_another_start
// CHECK-COUNT-2: scf.for
// CHECK: return
func.func @from_another_start(%x: tensor<128xi8>) -> i32 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %p = ub.poison : i8
  %least = arith.constant -128 : i8
  %leasts = arith.constant dense<-127> : vector<32xi8>
  %m = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %leasts) -> (vector<32xi8>) {
    %v = vector.transfer_read %x[%k], %p {in_bounds = [true]} : tensor<128xi8>, vector<32xi8>
    %g = arith.maxsi %v, %o : vector<32xi8>
    scf.yield %g : vector<32xi8>
  }
  %r = vector.multi_reduction <maxsi>, %m, %least [0] : vector<32xi8> to i8
  %b = vector.broadcast %r : i8 to vector<32xi8>
  %none = arith.constant 2147483647 : i32
  %nones = arith.constant dense<2147483647> : vector<32xi32>
  %step = vector.step : vector<32xindex>
  %s = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %nones) -> (vector<32xi32>) {
    %v = vector.transfer_read %x[%k], %p {in_bounds = [true]} : tensor<128xi8>, vector<32xi8>
    %i = vector.broadcast %k : index to vector<32xindex>
    %j = arith.addi %i, %step : vector<32xindex>
    %n = arith.index_cast %j : vector<32xindex> to vector<32xi32>
    %hit = arith.cmpi eq, %v, %b : vector<32xi8>
    %c = arith.select %hit, %n, %nones : vector<32xi1>, vector<32xi32>
    %l = arith.minsi %c, %o : vector<32xi32>
    scf.yield %l : vector<32xi32>
  }
  %first = vector.multi_reduction <minsi>, %s, %none [0] : vector<32xi32> to i32
  return %first : i32
}

// What is reduced in each step is kept for each lane, and reduced once.
// CHECK-LABEL: func.func @greatest_in_each_step
// CHECK: %[[LANES:.*]] = scf.for {{.*}} -> (vector<2x32xf32>)
// CHECK: arith.maximumf
// CHECK: vector.multi_reduction <maximumf>, %[[LANES]], %{{.*}} [1] : vector<2x32xf32> to vector<2xf32>
func.func @greatest_in_each_step(%x: tensor<2x128xf32>) -> vector<2xf32> {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %p = ub.poison : f32
  %start = arith.constant dense<-1.0> : vector<2xf32>
  %m = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %start) -> (vector<2xf32>) {
    %v = vector.transfer_read %x[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %r = vector.multi_reduction <maximumf>, %v, %o [1] : vector<2x32xf32> to vector<2xf32>
    scf.yield %r : vector<2xf32>
  }
  return %m : vector<2xf32>
}

// Sums round, and another order would round otherwise; what starts from an argument stays, too.
// CHECK-LABEL: func.func @others_in_each_step
// CHECK: scf.for {{.*}} -> (vector<2xf32>)
// CHECK: vector.multi_reduction <add>
// CHECK-NEXT: scf.yield
// CHECK: scf.for {{.*}} -> (vector<2xf32>)
// CHECK: vector.multi_reduction <maximumf>
// CHECK-NEXT: scf.yield
// CHECK: return
func.func @others_in_each_step(%x: tensor<2x128xf32>, %start: vector<2xf32>) -> (vector<2xf32>, vector<2xf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %p = ub.poison : f32
  %zero = arith.constant dense<0.0> : vector<2xf32>
  %s = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %zero) -> (vector<2xf32>) {
    %v = vector.transfer_read %x[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %r = vector.multi_reduction <add>, %v, %o [1] : vector<2x32xf32> to vector<2xf32>
    scf.yield %r : vector<2xf32>
  }
  %m = scf.for %k = %c0 to %c128 step %c32 iter_args(%o = %start) -> (vector<2xf32>) {
    %v = vector.transfer_read %x[%c0, %k], %p {in_bounds = [true, true]} : tensor<2x128xf32>, vector<2x32xf32>
    %r = vector.multi_reduction <maximumf>, %v, %o [1] : vector<2x32xf32> to vector<2xf32>
    scf.yield %r : vector<2xf32>
  }
  return %s, %m : vector<2xf32>, vector<2xf32>
}
