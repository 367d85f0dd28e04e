"""Running the stages of a pipeline on a module, in a worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harl_mlir.codegen.approximate import approximate_math
from harl_mlir.codegen.buffers import part_equal_results
from harl_mlir.codegen.dot_products import dot_products
from harl_mlir.codegen.lowering import bufferize_public, to_llvm
from harl_mlir.codegen.vector_math import exact_near_zero, vector_math
from harl_mlir.errors import InputError, Place
from harl_mlir.frontend.fills import part_fills
from harl_mlir.frontend.prepare import normalise
from harl_mlir.frontend.program import all_ops, functions, place_of
from harl_mlir.frontend.read import parse_module
from harl_mlir.measure.answers import KernelFile, Opted, Remark, refused
from harl_mlir.measure.protocol import Opt
from harl_mlir.mlir import PassManager, ir
from harl_mlir.opt.pipeline import Stage
from harl_mlir.opt.steps import STEPS
from harl_mlir.schedule.apply import apply_library
from harl_mlir.schedule.facts import library_facts
from harl_mlir.schedule.interpret import describe
from harl_mlir.schedule.outcome import Outcome
from harl_mlir.tasks.analyse import Workload, workloads

WORKLOAD = "harl.workload"
"""The attribute that `harl-annotate-workloads` leaves."""

_MOST_SHOWN = 300
"""Characters of a message of MLIR."""


def optimise(request: Opt) -> Opted:
    """Parse, run the stages, verify and print. Raises InputError with the place of what went wrong."""
    with ir.Context() as context, ir.Location.unknown():
        context.allow_unregistered_dialects = request.unregistered
        module = parse_module(request.text, request.file)
        run = _Run(module, request)
        for stage in request.stages:
            run.refuse_unknown_passes(stage)
        try:
            with run.listening():
                for stage in request.stages:
                    run.stage(stage)
        except InputError as error:
            return Opted("", tuple(run.remarks), refused=refused(error))
        return Opted(str(module), tuple(run.remarks), tuple(run.files))


class _Run:
    def __init__(self, module: ir.Module, request: Opt) -> None:
        self.module = module
        self.file = request.file
        self.libraries = request.libraries
        self.remarks: list[Remark] = []
        self.files: list[KernelFile] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what passes remark, and warn of, instead of its going to stderr."""

        def listen(diagnostic: ir.Diagnostic) -> bool:
            if diagnostic.severity == ir.DiagnosticSeverity.ERROR:
                return False
            severity = "warning" if diagnostic.severity == ir.DiagnosticSeverity.WARNING else "remark"
            self.remark(severity, place_of(diagnostic.location, self.file), diagnostic.message)
            return True

        handler = self.module.context.attach_diagnostic_handler(listen)
        try:
            yield
        finally:
            handler.detach()

    def remark(self, severity: str, place: Place, message: str) -> None:
        # Ops that a library was applied to have places in a copy.
        file = self.file if place.file.startswith("<") else place.file
        self.remarks.append(Remark(severity, str(Place(file, place.line, place.column)), message))

    def refuse_unknown_passes(self, stage: Stage) -> None:
        if stage.name:
            return
        try:
            PassManager.parse(stage.pipeline)
        except (ir.MLIRError, ValueError) as error:
            what = str(error).rpartition("error: ")[2].strip().splitlines()[0][:_MOST_SHOWN]
            raise InputError(
                f"{what}; see `mlir-opt --help` for MLIR's passes", Place("--pass-pipeline")
            ) from None

    def stage(self, stage: Stage) -> None:
        try:
            self._stage(stage)
        except InputError:
            raise
        except (ir.MLIRError, ValueError, RuntimeError) as error:
            message, place = describe(error, self.file)
            what = stage.name or "a pass"
            raise InputError(f"{what} failed: {message}", place) from error

    def _stage(self, stage: Stage) -> None:
        match stage.name:
            case "":
                PassManager.parse(stage.pipeline).run(self.module.operation)
            case "harl-normalize":
                for function in functions(self.module):
                    normalise(function, stage.normal)
                    part_fills(function)
            case "harl-annotate-workloads":
                self._annotate()
            case "harl-extract-tasks":
                self._extract(stage)
            case "harl-apply-schedules":
                self._apply(stage)
            case "harl-lower-to-llvm":
                bufferize_public(self.module, stage.threads)
                to_llvm(
                    self.module,
                    stage.accuracy,
                    stage.threads,
                    features=stage.features,
                    vectors=stage.vectors,
                )
            case step if step in STEPS:
                STEPS[step](self.module)
            case "harl-part-equal-results":
                for function in functions(self.module):
                    part_equal_results(function)
            case "harl-approximate-math":
                approximate_math(self.module, stage.features)
            case "harl-dot-products":
                dot_products(self.module, stage.features)
            case "harl-vector-math":
                if stage.vectors is not None:
                    vector_math(self.module, stage.vectors)
                exact_near_zero(self.module)
        if stage.name:
            self.module.operation.verify()

    def _annotate(self) -> None:
        for op in all_ops(self.module.operation):
            if WORKLOAD in op.attributes:
                del op.attributes[WORKLOAD]
        for function in functions(self.module):
            for found in self._workloads(function):
                found.root.attributes[WORKLOAD] = ir.StringAttr.get(found.task.key)

    def _workloads(self, function: ir.OpView) -> tuple[Workload, ...]:
        held = workloads(function, self.file)
        self.remarks += (
            Remark("remark", s.place, f"{s.op} is not tunable: {s.reason}") for s in held.skipped
        )
        return held.found

    def _extract(self, stage: Stage) -> None:
        directory = stage.options.get("output-dir", "")
        written: set[str] = set()
        for function in functions(self.module):
            for found in self._workloads(function):
                task = found.task
                if task.key not in written:
                    text = f"// {task.label()}, workload {task.key}\n{task.kernel}\n"
                    self.files.append(KernelFile(directory, f"{task.key}.mlir", text))
                written.add(task.key)
        if not written:
            self.remark("warning", Place(self.file), "no linalg op here is tunable, so no kernel was written")

    def _apply(self, stage: Stage) -> None:
        file = stage.library or ""
        outcomes = apply_library(self.module, self.libraries[file], file, kernel_file=self.file)
        labels: dict[str, str] = {}
        if any(outcome.key for outcome in outcomes):
            facts = library_facts(self.libraries[file], file)
            labels = {schedule.key: schedule.label for schedule in facts.schedules}
        for outcome in outcomes:
            message = _message(outcome, labels)
            if message is not None:
                self.remark("remark", outcome.place, message)
        if stage.options.get("fail-if-none") == "true" and not any(o.matched for o in outcomes):
            raise InputError(
                f"no schedule of {file} was applied to this module; the remarks tell what became of its ops",
                Place(self.file),
            )


def _message(outcome: Outcome, labels: Mapping[str, str]) -> str | None:
    """What the C++ pass says of an op; None of those that are part of another's workload."""
    if outcome.key is None:
        told = "left as it was: no schedule of this library was applied to it"
        return outcome.message if outcome.message.endswith("by the script") else told
    schedule = f"@schedule_{outcome.key} ({labels.get(outcome.key, '')})"
    if outcome.status == "restored":
        return f"restored: {schedule} failed in this function: {outcome.message.partition('undone: ')[2]}"
    return f"matched by {schedule}" if outcome.message.startswith("scheduled") else None
