"""A library of a thousand schedules on a module of a thousand ops."""

from __future__ import annotations

import re
import resource
import subprocess
from pathlib import Path

import pytest

from tests.passes.built import driver

# Some ten times the work and three times the memory that it takes: bounds that are reached if these grow
# faster than the number of schedules does.
_SECONDS = {100: 12, 1000: 90}
_BYTES = {100: 200 << 20, 1000: 500 << 20}
_SCHEDULE = """
  transform.named_sequence @schedule_{key}(%root: !transform.any_op {{transform.consumed}}) {{
    %fill = transform.get_producer_of_operand %root[2] : (!transform.any_op) -> !transform.any_op
    %tiled, %nest = transform.structured.tile_using_forall %root num_threads [1]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %inside, %shell = transform.structured.fuse_into_containing_op %fill into %nest
      : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    %rows, %loops:2 = transform.structured.fuse %tiled tile_sizes [8, 32, 0]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    %step, %loop = transform.structured.tile_using_for %rows tile_sizes [0, 0, 4]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.structured.vectorize %step : !transform.any_op
    transform.apply_patterns to %shell {{
      transform.apply_patterns.vector.reduction_to_contract
      transform.apply_patterns.vector.transfer_permutation_patterns
    }} : !transform.any_op
    transform.apply_cse to %shell : !transform.any_op
    transform.yield
  }}"""


def products(count: int, functions: int) -> str:
    """A module of so many products, all of different sizes, spread over so many functions."""
    sizes = [(8 * (1 + i % 10), 32 * (1 + i // 10 % 10), 4 * (1 + i // 100)) for i in range(count)]
    each = count // functions
    return "\n".join(_function(n, sizes[n * each : (n + 1) * each]) for n in range(functions))


def _function(number: int, sizes: list[tuple[int, int, int]]) -> str:
    arguments, body, results, kinds = [], [], [], []
    for i, (m, n, k) in enumerate(sizes):
        a, b, c = (f"tensor<{rows}x{columns}xf32>" for rows, columns in ((m, k), (k, n), (m, n)))
        arguments += [f"%a{i}: {a}", f"%b{i}: {b}"]
        body.append(
            f"%e{i} = tensor.empty() : {c}\n"
            f"%f{i} = linalg.fill ins(%zero : f32) outs(%e{i} : {c}) -> {c}\n"
            f"%m{i} = linalg.matmul ins(%a{i}, %b{i} : {a}, {b}) outs(%f{i} : {c}) -> {c}"
        )
        results.append(f"%m{i}")
        kinds.append(c)
    return (
        f"func.func @f{number}({', '.join(arguments)}) -> ({', '.join(kinds)}) {{\n"
        "%zero = arith.constant 0.0 : f32\n" + "\n".join(body) + f"\nreturn {', '.join(results)} : "
        f"{', '.join(kinds)}\n}}"
    )


def opt(file: Path, passes: str, count: int) -> tuple[str, str]:
    """What harl-opt prints and says, within the processor time and memory for so many schedules."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS[count], _SECONDS[count]))
        resource.setrlimit(resource.RLIMIT_DATA, (_BYTES[count], _BYTES[count]))

    # Threads have stacks, as many as the machine has cores.
    command = [
        str(driver()),
        str(file),
        f"--pass-pipeline=builtin.module({passes})",
        "--mlir-disable-threading",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, preexec_fn=limit)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, done.stderr


@pytest.mark.parametrize(
    ("count", "functions"),
    [
        (100, 1),
        pytest.param(1000, 1000, marks=pytest.mark.slow),
        pytest.param(1000, 2, marks=pytest.mark.slow),
    ],
)
def test_every_schedule_is_applied(count: int, functions: int, tmp_path: Path) -> None:
    kernel, library = tmp_path / "k.mlir", tmp_path / "l.mlir"
    kernel.write_text(products(count, functions))
    annotated, _ = opt(kernel, "harl-annotate-workloads", count)
    keys = re.findall(r'harl.workload = "(\w+)"', annotated)
    assert len(set(keys)) == count
    schedules = "".join(_SCHEDULE.format(key=key) for key in keys)
    library.write_text(
        f"module attributes {{harl.library = 1 : i64, transform.with_named_sequence}} {{{schedules}\n}}"
    )
    tuned, remarks = opt(kernel, f"harl-apply-schedules{{library={library}}}", count)
    assert remarks.count("remark: matched by") == remarks.count("remark:") == count
    assert "linalg.matmul" not in tuned
    assert tuned.count("scf.forall ") == count
