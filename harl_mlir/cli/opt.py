"""`harl-mlir opt`: MLIR's passes and ours on a module, by the bindings' MLIR."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harl_mlir.cli.terminal import Outcome, Terminal
from harl_mlir.errors import InputError, Place, UsageError
from harl_mlir.files import STANDARD_INPUT, Output, read_mlir, read_standard_input, same_file
from harl_mlir.measure.answers import KernelFile, Remark
from harl_mlir.measure.pool import Pool
from harl_mlir.measure.protocol import Opt
from harl_mlir.opt.pipeline import Stage, read_pipeline

_SPLIT = re.compile(r"^// -----[^\n]*\n?", re.MULTILINE)


def run(options: Namespace, terminal: Terminal) -> Outcome:
    """Read, run the pipeline, print; what passes say goes to stderr."""
    stages, libraries = _stages(options)
    output = _output(options)
    is_file = options.module != Path("-")
    text = read_mlir(options.module) if is_file else read_standard_input()
    file = str(options.module) if is_file else STANDARD_INPUT
    remarks: list[Remark] = []

    def tell(remark: Remark) -> None:
        remarks.append(remark)
        terminal.progress(f"{remark.place}: {remark.severity}: {remark.message}")

    with Pool() as pool:
        answers = [
            pool.opt(Opt(part, file, stages, libraries, options.allow_unregistered_dialect), tell)
            for part in (_parts(text) if options.split_input_file else (text,))
        ]
    written = _write_kernels([file for answer in answers for file in answer.files])
    printed = "// -----\n".join(
        answer.text if answer.text.endswith("\n") else answer.text + "\n" for answer in answers
    )
    if output is not None:
        output.write(printed)
        written.append(str(output.path))
    elif not terminal.as_json:
        terminal.result(printed.rstrip("\n"))
    for name in written:
        terminal.progress(f"wrote {name}")
    return Outcome(
        fields={
            "remarks": [{"place": r.place, "severity": r.severity, "message": r.message} for r in remarks],
            "written": written,
        }
    )


def _stages(options: Namespace) -> tuple[tuple[Stage, ...], dict[str, str]]:
    """The pipeline's stages, and the schedule libraries that they take."""
    pipeline = options.pass_pipeline
    if pipeline is None:
        pipeline = "" if options.library is None else "harl-apply-schedules"
    stages: list[Stage] = []
    libraries: dict[str, str] = {}
    for stage in read_pipeline(pipeline):
        if stage.library is not None:
            stage = _with_library(stage, options.library)
            libraries[stage.library or ""] = read_mlir(Path(stage.library or ""))
        if stage.name == "harl-extract-tasks" and not stage.options.get("output-dir"):
            raise UsageError("harl-extract-tasks needs a directory; write harl-extract-tasks{output-dir=DIR}")
        stages.append(stage)
    if options.library is not None and not libraries:
        raise UsageError("nothing in the pipeline takes schedules; put harl-apply-schedules into it")
    return tuple(stages), libraries


def _with_library(stage: Stage, given: Path | None) -> Stage:
    named = stage.library or (None if given is None else str(given))
    if not named:
        raise UsageError(f"{stage.name} needs schedules; name their file with --library")
    return replace(stage, options={**stage.options, "library": named})


def _output(options: Namespace) -> Output | None:
    if options.output is None:
        return None
    if same_file(options.module, options.output):
        raise UsageError(f"FILE and -o both name {options.output}; name another file with -o")
    return Output(options.output, "-o")


def _parts(text: str) -> Iterator[str]:
    """The parts between split lines, each on the lines that it has in the file."""
    start = 0
    for split in [*_SPLIT.finditer(text), None]:
        end = len(text) if split is None else split.start()
        if text[start:end].strip():
            yield "\n" * text.count("\n", 0, start) + text[start:end]
        if split is not None:
            start = split.end()


def _write_kernels(files: list[KernelFile]) -> list[str]:
    for directory in {file.directory for file in files}:
        try:
            Path(directory).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(
                f"no kernels can be written here ({reason}); use another output-dir", Place(directory)
            ) from error
    written: list[str] = []
    for file in files:
        path = Path(file.directory) / file.name
        if str(path) not in written:
            Output(path, "output-dir").write(file.text)
            written.append(str(path))
    return written
