// Ops that are not tunable get no key; remarks say why.
// REQUIRES: passes
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' --remarks-filter-missed='harl.*' 2>%t.remarks | %FileCheck %s --check-prefix=IR
// RUN: %FileCheck %s --input-file=%t.remarks
// RUN: %mlir-opt %s --load-pass-plugin=%plugin --pass-pipeline='builtin.module(harl-annotate-workloads)' --remarks-filter-missed='harl.*' 2>&1 >/dev/null | %FileCheck %s
// Without the option nothing is said.
// RUN: %harl-opt %s --pass-pipeline='builtin.module(harl-annotate-workloads)' -o /dev/null 2>&1 | %FileCheck %s --check-prefix=SILENT --allow-empty
// SILENT-NOT: {{.}}
// IR-NOT: harl.workload

#id = affine_map<(i) -> (i)>
#mod = affine_map<(i) -> (i mod 2)>

// CHECK: [[#@LINE+2]]:8: remark: [Missed] NotTunable | Category:harl-annotate-workloads | Function=dynamic | Op=linalg.exp, Reason="it has dynamic shapes"
func.func @dynamic(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = linalg.exp ins(%x : tensor<?x8xf32>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// CHECK: Function=memrefs | Op=linalg.exp, Reason="it works on memrefs"
func.func @memrefs(%x: memref<8xf32>) {
  linalg.exp ins(%x : memref<8xf32>) outs(%x : memref<8xf32>)
  return
}

// CHECK: Function=empty | Op=linalg.exp, Reason="it has a dimension of size zero"
func.func @empty(%x: tensor<0x8xf32>) -> tensor<0x8xf32> {
  %r = linalg.exp ins(%x : tensor<0x8xf32>) outs(%x : tensor<0x8xf32>) -> tensor<0x8xf32>
  return %r : tensor<0x8xf32>
}

// CHECK: Function=encoded | Op=linalg.exp, Reason="a tensor has an encoding"
func.func @encoded(%x: tensor<8xf32, "rows">) -> tensor<8xf32, "rows"> {
  %r = linalg.exp ins(%x : tensor<8xf32, "rows">) outs(%x : tensor<8xf32, "rows">) -> tensor<8xf32, "rows">
  return %r : tensor<8xf32, "rows">
}

// CHECK: Function=scalar | Op=linalg.copy, Reason="it has no loops"
func.func @scalar(%x: tensor<f32>) -> tensor<f32> {
  %r = linalg.copy ins(%x : tensor<f32>) outs(%x : tensor<f32>) -> tensor<f32>
  return %r : tensor<f32>
}

// CHECK: Function=two_results | Op=linalg.generic, Reason="it has several results"
func.func @two_results(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %r:2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
         outs(%x, %x : tensor<8xf32>, tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a, %b : f32, f32
  } -> (tensor<8xf32>, tensor<8xf32>)
  return %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
}

// CHECK: Function=remainder | Op=linalg.generic, Reason="an indexing map divides or takes a remainder"
func.func @remainder(%x: tensor<2xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %r = linalg.generic {indexing_maps = [#mod, #id], iterator_types = ["parallel"]}
       ins(%x : tensor<2xf32>) outs(%y : tensor<8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK: Function=softmax | Op=linalg.softmax, Reason="linalg.softmax is not a loop nest; decompose it first"
func.func @softmax(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %r = linalg.softmax dimension(1) ins(%x : tensor<8x8xf32>) outs(%x : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %r : tensor<8x8xf32>
}

// CHECK: Function=in_a_loop | Op=linalg.exp, Reason="it is inside scf.for; put it into a function that is called there"
func.func @in_a_loop(%x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  %r = scf.for %i = %n to %n step %n iter_args(%y = %x) -> tensor<8xf32> {
    %q = linalg.exp ins(%y : tensor<8xf32>) outs(%y : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %q : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// CHECK: Function=unused | Op=linalg.exp, Reason="its result is unused"
func.func @unused(%x: tensor<8xf32>) {
  %r = linalg.exp ins(%x : tensor<8xf32>) outs(%x : tensor<8xf32>) -> tensor<8xf32>
  return
}

// A declaration has no body to look into.
func.func private @declared(tensor<8xf32>) -> tensor<8xf32>
