"""Kernels with planted faults, all of the signature of a 16x16x16 f32 matmul, and such schedules."""

from __future__ import annotations

from benchmarks import planted_faults

MATMUL = """
func.func @kernel(%a: tensor<16x16xf32>, %b: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %z = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x16xf32>
  %f = linalg.fill ins(%z : f32) outs(%e : tensor<16x16xf32>) -> tensor<16x16xf32>
  %r = linalg.matmul ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>) outs(%f : tensor<16x16xf32>)
    -> tensor<16x16xf32>
  return %r : tensor<16x16xf32>
}"""


def kernel(body: str, declarations: str = "") -> str:
    """A kernel that does `body`, which makes %q from the product %r, and returns %q."""
    text = MATMUL.replace("return %r", f"{body}\n  return %q")
    return f"module {{\n{declarations}\n{text}\n}}"


SAME = "%q = tensor.cast %r : tensor<16x16xf32> to tensor<16x16xf32>"

ABORTS = kernel(f"func.call @abort() : () -> ()\n{SAME}", "func.func private @abort()")
UNKNOWN_SYMBOL = kernel(
    f"func.call @no_such_symbol_anywhere() : () -> ()\n{SAME}", "func.func private @no_such_symbol_anywhere()"
)
NULL = kernel(
    f"""%zero = llvm.mlir.constant(64 : i64) : i64
  %p = llvm.inttoptr %zero : i64 to !llvm.ptr
  %seven = llvm.mlir.constant(7 : i32) : i32
  llvm.store volatile %seven, %p : i32, !llvm.ptr
  {SAME}"""
)
WRONG = MATMUL.replace("arith.constant 0.0", "arith.constant 0.001")
NOT_LOWERED = kernel("%q = tosa.abs %r : (tensor<16x16xf32>) -> tensor<16x16xf32>")
FOR_EVER = kernel(
    """%0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %n = arith.constant 9000000000000000000 : index
  %c = arith.constant 1.0e-9 : f32
  %q = scf.for %i = %0 to %n step %1 iter_args(%t = %r) -> tensor<16x16xf32> {
    %x = tensor.extract %t[%0, %0] : tensor<16x16xf32>
    %s = math.sin %x : f32
    %u = tensor.insert %s into %t[%0, %0] : tensor<16x16xf32>
    scf.yield %u : tensor<16x16xf32>
  }"""
)


def _stray_write(row: int) -> str:
    return kernel(
        f"""%c = arith.constant {row} : index
  %0 = arith.constant 0 : index
  %x = tensor.extract %r[%0, %0] : tensor<16x16xf32>
  %q = tensor.insert %x into %r[%c, %0] : tensor<16x16xf32>"""
    )


WRITES_FAR_BEHIND = _stray_write(20)
WRITES_FAR_BEFORE = _stray_write(-300)
READS_BEHIND = kernel(
    """%c = arith.constant 40 : index
  %0 = arith.constant 0 : index
  %x = tensor.extract %a[%c, %0] : tensor<16x16xf32>
  %y = tensor.extract %r[%0, %0] : tensor<16x16xf32>
  %s = arith.addf %x, %y : f32
  %q = tensor.insert %s into %r[%0, %0] : tensor<16x16xf32>"""
)
CHANGES_ITS_INPUT = kernel(
    f"""%0 = arith.constant 0 : index
  %m = bufferization.to_buffer %a : tensor<16x16xf32> to memref<16x16xf32>
  %x = tensor.extract %r[%0, %0] : tensor<16x16xf32>
  memref.store %x, %m[%0, %0] : memref<16x16xf32>
  {SAME}"""
)


def allocating(gibibytes: float, buffers: int) -> str:
    """A kernel that fills so many buffers of that size and uses them."""
    count = int(gibibytes * 2**30 / 4)
    # Of different sizes, or else they would be found equal and become one.
    kinds = [f"tensor<{count + i}xf32>" for i in range(buffers)]
    fills = "\n".join(
        f"""%e{i} = tensor.empty() : {kind}
  %g{i} = linalg.fill ins(%x : f32) outs(%e{i} : {kind}) -> {kind}
  %f{i} = linalg.negf ins(%g{i} : {kind}) outs(%g{i} : {kind}) -> {kind}"""
        for i, kind in enumerate(kinds)
    )
    body = [f"%t{i} = tensor.extract %f{i}[%at] : {kind}" for i, kind in enumerate(kinds)]
    sums = "%s0 = arith.addf %x, %t0 : f32\n" + "\n".join(
        f"%s{i} = arith.addf %s{i - 1}, %t{i} : f32" for i in range(1, buffers)
    )
    return kernel(
        f"""%0 = arith.constant 0 : index
  %last = arith.constant {count - 1} : index
  %x = tensor.extract %r[%0, %0] : tensor<16x16xf32>
  %k = arith.fptosi %x : f32 to i64
  %ki = arith.index_cast %k : i64 to index
  %at = arith.minui %ki, %last : index
  {fills}
  {chr(10).join(body)}
  {sums}
  %q = tensor.insert %s{buffers - 1} into %r[%0, %0] : tensor<16x16xf32>"""
    )


def script(body: str) -> str:
    """A transform module whose main does `body` on %root."""
    return f"""
module attributes {{transform.with_named_sequence}} {{
  transform.named_sequence @__transform_main(%root: !transform.any_op {{transform.readonly}}) {{
    {body}
    transform.yield
  }}
}}"""


_ANY = "!transform.any_op"
_MATCH = f'%mm = transform.structured.match ops{{["linalg.matmul"]}} in %root : ({_ANY}) -> {_ANY}'

TILES = script(
    f"""{_MATCH}
    %t, %l:2 = transform.structured.tile_using_for %mm tile_sizes [4, 8]
      : ({_ANY}) -> ({_ANY}, {_ANY}, {_ANY})"""
)
TRANSFORM_FAILS = script(planted_faults.TRANSFORM_FAILS)
TRANSFORM_HANGS = script(planted_faults.TRANSFORM_HANGS)
TRANSFORM_CRASHES = script(planted_faults.TRANSFORM_CRASHES)
