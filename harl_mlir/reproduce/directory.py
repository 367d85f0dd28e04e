"""The files of a reproduction but for the MLIR: how it is run, and what is known of the record."""

from __future__ import annotations

import shlex
import time

from harl_mlir.measure.answers import Program
from harl_mlir.measure.measurement import FailureKind
from harl_mlir.records.record import UNTUNED, Record
from harl_mlir.reproduce.program import WRONG_IN_ALL
from harl_mlir.tasks.task import Task

RUN = "run.sh"
_ONE_THREAD = """\
One thread runs here what several shared when it was measured.
"""
_APPROXIMATE = """\
Functions as exp are calls of the math library here, not what was measured.
"""
_LIMIT_SECONDS = 300

_EXPECT: dict[FailureKind, str] = {
    "transform": "mlir-opt should refuse to apply the schedule, and say why.",
    "lower": "mlir-opt should refuse to lower what the schedule leaves, and say why.",
    "alloc_in_loop": (
        "The numbers come out right. What is wrong is in buffers.mlir, which run.sh then writes too: a\n"
        "memref.alloc, or a copy of a tile to its place, inside a loop."
    ),
    "jit": "mlir-runner should not be able to compile it.",
    "build_timeout": "One of the steps should take long, or not end.",
    "run_timeout": "The program should take long, or not end.",
    "too_slow": "The program is slow: a call took longer than the run would wait for.",
    "crash": "One of the steps should end by a signal.",
    "out_of_memory": "One of the steps should take more memory than there is.",
    "wrong_result": "The program should find wrong numbers, on these operands as on those of the record.",
    "out_of_bounds": (
        "The program touches memory beside its operands, which may end it by a signal, or show as wrong\n"
        "numbers, or not show at all: there are no guard pages here."
    ),
}

_RUN = """\
#!/bin/sh
# Applies schedule.mlir to kernel.mlir, lowers, compiles and runs the result; see README.txt.
# Needs mlir-opt and mlir-runner of MLIR 22, and nothing else. Exit code: 0 if it ran and every number was
# right, 1 if not, 2 if a tool is missing.
set -u
cd "$(dirname "$0")" || exit 2
recorded={recorded}

find_tool() {{
    for name in "$@"; do
        command -v "$name" && return
    done
    echo "$1 is missing: install MLIR 22's tools (Debian: mlir-22-tools), or name it in $2" >&2
    exit 2
}}
opt=$(find_tool "${{MLIR_OPT:-mlir-opt-22}}" MLIR_OPT) || exit 2
runner=$(find_tool "${{MLIR_RUNNER:-mlir-runner-22}}" MLIR_RUNNER) || exit 2
utilities=${{MLIR_C_RUNNER_UTILS:-}}
if [ -z "$utilities" ]; then
    libraries=$(dirname "$(dirname "$(readlink -f "$runner")")")/lib
    for utilities in "$libraries"/libmlir_c_runner_utils.so*; do :; done
fi
if ! [ -e "$utilities" ]; then
    echo "libmlir_c_runner_utils.so is missing beside mlir-runner: name it in MLIR_C_RUNNER_UTILS" >&2
    exit 2
fi
limit=
if command -v timeout > /dev/null; then limit="timeout {limit}"; fi

failed() {{
    echo "FAILED: $1"
    echo "recorded: $recorded"
    exit 1
}}
{steps}
cat output.txt
echo "recorded: $recorded"
case $(grep '^{wrong}: ' output.txt) in
    *': 0') ;;
    *) failed "there are wrong numbers" ;;
esac
{end}"""

_NO_FAILURE = """\
echo "No step fails here; README.txt says what to expect."
"""

_SCHEDULE = """
echo "applying schedule.mlir to kernel.mlir"
$limit "$opt" kernel.mlir --transform-preload-library=transform-library-paths=schedule.mlir \\
    --transform-interpreter -o scheduled.mlir 2> messages.txt ||
    { status=$?; cat messages.txt >&2; failed "the schedule cannot be applied (exit code $status)"; }
grep -q 'remark: matched by' messages.txt || failed "the schedule matched nothing"
"""

_LOWER = """
echo "lowering {given}"
$limit "$opt" {given} -o lowered.mlir \\
    --pass-pipeline='{pipeline}' ||
    failed "it cannot be lowered (exit code $?)"
echo "running lowered.mlir"
$limit "$runner" lowered.mlir -O3 -e main --entry-point-result=void --shared-libs="$utilities" > output.txt ||
    {{ status=$?; cat output.txt; failed "it cannot be run (exit code $status)"; }}
"""

_BUFFERS = """
"$opt" {given} -o buffers.mlir --pass-pipeline='{pipeline}' || failed "it has no buffers"
echo "in loops of buffers.mlir (deeper indentation is further inside):"
grep -n 'scf.for\\|memref.alloc\\|linalg.copy\\|memref.copy' buffers.mlir
"""


def run_text(record: Record, program: Program) -> str:
    """`run.sh`, which runs a record's program."""
    given = "kernel.mlir" if record.candidate == UNTUNED else "scheduled.mlir"
    steps = "" if record.candidate == UNTUNED else _SCHEDULE
    failure = record.measurement.failure
    if failure is not None and failure.kind == "alloc_in_loop":
        steps += _BUFFERS.format(given=given, pipeline=program.bufferization)
    steps += _LOWER.format(given=given, pipeline=program.lowering)
    return _RUN.format(
        recorded=shlex.quote(_outcome(record)),
        limit=_LIMIT_SECONDS,
        steps=steps,
        wrong=WRONG_IN_ALL,
        end=_NO_FAILURE if failure else "",
    )


def readme_text(task: Task, record: Record, version: str, command: str) -> str:
    """`README.txt`: what the record says, and what to expect.

    Args:
        task, record: what is reproduced.
        version: of this program, which wrote it.
        command: by which it was made.
    """
    environment, measurement = record.environment, record.measurement
    failure = measurement.failure
    choices = " ".join(f"{name}={value}" for name, value in record.candidate.values)
    rate = task.flops / measurement.seconds / 1e9 if measurement.seconds else None
    facts = {
        "op": task.label(),
        "workload key": task.key,
        "record": f"{record.number} ({record.stage})",
        "schedule": "none"
        if record.candidate == UNTUNED
        else f"{record.candidate.sketch} {record.candidate.version}",
        "choices": choices or "none",
        "outcome": _outcome(record),
        "rate": "" if rate is None else f"{rate:.1f} GFLOP/s",
        "made": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(record.time)),
        "by": f"agent {record.agent}, seed {record.seed}",
        "processor": environment.processor,
        "features": " ".join(environment.features),
        "threads": str(environment.threads),
        "accuracy": environment.accuracy,
        "bindings": f"torch-mlir {environment.bindings}, lowering version {environment.lowering}",
        "written by": f"harl_mlir {version}: {command}",
    }
    lines = "\n".join(f"{name + ':':<14} {value}" for name, value in facts.items() if value)
    return f"""\
A measured schedule, to be run with nothing but MLIR 22's mlir-opt and mlir-runner.

    ./{RUN}

{lines}

kernel.mlir    the kernel, and a program that makes its operands, compares its results with what they
               should be (computed in double precision beforehand) and times it
{_files(record)}run.sh         the commands; MLIR_OPT, MLIR_RUNNER and MLIR_C_RUNNER_UTILS name other tools

{_expectation(failure.kind if failure else None)}
{_APPROXIMATE if environment.accuracy != "strict" else ""}{_ONE_THREAD if environment.threads > 1 else ""}"""


def _files(record: Record) -> str:
    if record.candidate == UNTUNED:
        return ""
    return "schedule.mlir  the schedule: a transform script that finds the ops it is for\n"


def _expectation(kind: FailureKind | None) -> str:
    if kind is None:
        return (
            "Every number should be right. The record's time was taken on other operands, by the LLVM of\n"
            "the bindings, and without the copy of a result that is computed in an argument; the one\n"
            "printed is that of mlir-runner's LLVM."
        )
    return f"The record is of a failure, {kind}.\n{_EXPECT[kind]}\nAnother LLVM may not show it."


def _outcome(record: Record) -> str:
    """A record's time, or its failure in a line."""
    measurement = record.measurement
    if measurement.failure is not None:
        first = (measurement.failure.message.strip().splitlines() or [""])[0]
        return f"failed ({measurement.failure.kind}): {first}"
    best = "" if measurement.best is None else f", best {measurement.best:.4g} s"
    return f"median {measurement.seconds:.4g} s{best}, {measurement.samples} samples"
