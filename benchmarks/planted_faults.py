"""Faults to plant among the candidates of a task: each is measured in a candidate's place."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harl_mlir.measure.measurement import FailureKind, Measurement
from harl_mlir.measure.pool import Pool
from harl_mlir.tasks.task import Task, TensorType

_FIRST = "return %r"
_FAR_BYTES = 4096
_ANY = "!transform.any_op"
_MATCH = f'%mm = transform.structured.match ops{{["linalg.matmul"]}} in %root : ({_ANY}) -> {_ANY}'


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and as which failure it has to be recorded.

    Attributes:
        measure: measures a task that has the fault, within the best known seconds.
        ends_worker: whether the worker does not live through it.
    """

    kind: FailureKind
    measure: Callable[[Pool, Task, float | None], Measurement]
    ends_worker: bool = False


def _kernel(body: str, declaration: str = "") -> Callable[[Pool, Task, float | None], Measurement]:
    """Another kernel of the task's signature: its result %r is one half everywhere; `body` comes before."""

    def measure(pool: Pool, task: Task, best: float | None) -> Measurement:
        kinds = [_text(kind) for kind in task.arguments]
        arguments = ", ".join(f"%a{i}: {kind}" for i, kind in enumerate(kinds))
        result = _text(task.result_type(task.results[0]))
        first = task.arguments[0]
        far = first.shape[0] + _FAR_BYTES // (4 * first.shape[-1])
        places = {"far": far, "first": kinds[0], "result": result}
        # Each comes once and stands for itself: braces have a meaning in MLIR.
        text = f"""module {{
{declaration}
func.func @kernel({arguments}) -> {result} {{
  %0 = arith.constant 0 : index
  %half = arith.constant 0.5 : f32
  %e = tensor.empty() : {result}
  %q = linalg.fill ins(%half : f32) outs(%e : {result}) -> {result}
{body}
  return %r : {result}
}}
}}"""
        for name, value in places.items():
            text = text.replace(f"<{name}>", str(value))
        return Pool.measure(pool, replace(task, kernel=text), None, best=best)

    return measure


def _script(body: str) -> Callable[[Pool, Task, float | None], Measurement]:
    """A schedule whose main does `body` on %root; for tasks with a `linalg.matmul`."""
    text = f"""module attributes {{transform.with_named_sequence}} {{
  transform.named_sequence @__transform_main(%root: {_ANY} {{transform.readonly}}) {{
    {body}
    transform.yield
  }}
}}"""
    return lambda pool, task, best: Pool.measure(pool, task, text, best=best)


def _killed(pool: Pool, task: Task, best: float | None) -> Measurement:
    """The system ends the worker, as it does where memory runs out."""
    if pool.worker_pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pool.worker_pid, signal.SIGKILL)
    return Pool.measure(pool, task, None, best=best)


def _text(kind: TensorType) -> str:
    return f"tensor<{'x'.join(map(str, kind.shape))}x{kind.element}>"


_SAME = "  %r = tensor.cast %q : <result> to <result>"
_FOR_EVER = """  %1 = arith.constant 1 : index
  %n = arith.constant 9000000000000000000 : index
  %r = scf.for %i = %0 to %n step %1 iter_args(%t = %q) -> <result> {
    %x = tensor.extract %t[%0, %0] : <result>
    %s = math.sin %x : f32
    %u = tensor.insert %s into %t[%0, %0] : <result>
    scf.yield %u : <result>
  }"""
_FAR = """  %c = arith.constant <far> : index
  %x = tensor.extract %a0[%c, %0] : <first>
  %r = tensor.insert %x into %q[%0, %0] : <result>"""
_NULL = f"""  %zero = llvm.mlir.constant(64 : i64) : i64
  %p = llvm.inttoptr %zero : i64 to !llvm.ptr
  %seven = llvm.mlir.constant(7 : i32) : i32
  llvm.store volatile %seven, %p : i32, !llvm.ptr
{_SAME}"""
_MUCH = """  %m = tensor.empty() : tensor<68719476736xf32>
  %f = linalg.fill ins(%half : f32) outs(%m : tensor<68719476736xf32>) -> tensor<68719476736xf32>
  %x = tensor.extract %f[%0] : tensor<68719476736xf32>
  %y = tensor.extract %a0[%0, %0] : <first>
  %k = arith.fptosi %y : f32 to i64
  %ki = arith.index_cast %k : i64 to index
  %g = linalg.negf ins(%f : tensor<68719476736xf32>) outs(%m : tensor<68719476736xf32>)
    -> tensor<68719476736xf32>
  %z = tensor.extract %g[%ki] : tensor<68719476736xf32>
  %s = arith.addf %x, %z : f32
  %r = tensor.insert %s into %q[%0, %0] : <result>"""
TRANSFORM_FAILS = f"""%f = transform.structured.match ops{{["func.func"]}} in %root : ({_ANY}) -> {_ANY}
    transform.structured.vectorize %f : {_ANY}"""
# Splitting at 0 leaves nothing before, and the compiler dereferences it.
TRANSFORM_CRASHES = f"""{_MATCH}
    %p = transform.param.constant 0 : i64 -> !transform.param<i64>
    %x = transform.structured.split %mm after %p {{dimension = 0}} : {_ANY}, !transform.param<i64>
    %first, %second = transform.split_handle %x : ({_ANY}) -> ({_ANY}, {_ANY})
    %t, %l = transform.structured.tile_using_for %first tile_sizes [4] : ({_ANY}) -> ({_ANY}, {_ANY})"""
# Canonicalization undoes what lowering a contraction step by step does, for ever.
TRANSFORM_HANGS = f"""{_MATCH}
    %g = transform.structured.generalize %mm : ({_ANY}) -> {_ANY}
    %t, %l:3 = transform.structured.tile_using_for %g tile_sizes [8, 16, 1]
      : ({_ANY}) -> ({_ANY}, {_ANY}, {_ANY}, {_ANY})
    transform.structured.vectorize %t : {_ANY}
    %f = transform.structured.match ops{{["func.func"]}} in %root : ({_ANY}) -> {_ANY}
    transform.apply_patterns to %f {{
      transform.apply_patterns.vector.reduction_to_contract
      transform.apply_patterns.vector.transfer_permutation_patterns
    }} : {_ANY}
    transform.apply_patterns to %f {{
      transform.apply_patterns.vector.lower_contraction lowering_strategy = outerproduct
      transform.apply_patterns.vector.lower_transpose
      transform.apply_patterns.vector.lower_broadcast
      transform.apply_patterns.vector.lower_shape_cast
      transform.apply_patterns.vector.lower_transfer max_transfer_rank = 1
      transform.apply_patterns.vector.lower_outerproduct
      transform.apply_patterns.canonicalization
    }} : {_ANY}"""

FAULTS: Mapping[str, Fault] = {
    "wrong result": Fault("wrong_result", _kernel(_SAME)),
    "build fails": Fault("transform", _script(TRANSFORM_FAILS)),
    "asks for 256 GiB": Fault("out_of_memory", _kernel(_MUCH)),
    "build hangs": Fault("build_timeout", _script(TRANSFORM_HANGS), ends_worker=True),
    "build crashes": Fault("crash", _script(TRANSFORM_CRASHES), ends_worker=True),
    "call hangs": Fault("run_timeout", _kernel(_FOR_EVER), ends_worker=True),
    "call aborts": Fault(
        "crash",
        _kernel(f"  func.call @abort() : () -> ()\n{_SAME}", "func.func private @abort()"),
        ends_worker=True,
    ),
    "writes through null": Fault("crash", _kernel(_NULL), ends_worker=True),
    "reads out of bounds": Fault("out_of_bounds", _kernel(_FAR), ends_worker=True),
    "killed by the system": Fault("out_of_memory", _killed, ends_worker=True),
}
"""By name; all of them need tasks on matrices of f32 around a `linalg.matmul`."""
