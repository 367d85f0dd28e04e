"""What a worker does with each request; `texts.py` has what needs no kernel built."""

from __future__ import annotations

import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from harl_mlir.codegen.jit import CompiledKernel
from harl_mlir.errors import HarlError, InputError
from harl_mlir.measure import answers, protocol, texts
from harl_mlir.measure.answers import Answer
from harl_mlir.measure.bandwidth import stream_bandwidth
from harl_mlir.measure.build import BuildError, build, lower, result_types
from harl_mlir.measure.check import TaskBench
from harl_mlir.measure.clock import Timed, in_turns, screen
from harl_mlir.measure.faults import MOST_GUARDS, GuardPageHandler
from harl_mlir.measure.measurement import Failure, Measurement
from harl_mlir.measure.objects import compile_request
from harl_mlir.measure.peak import fma_peak
from harl_mlir.measure.protocol import Phase, Request, Schedule
from harl_mlir.measure.reference import can_check
from harl_mlir.mlir import ir
from harl_mlir.opt.run import optimise
from harl_mlir.schedule.facts import library_facts
from harl_mlir.schedule.merge import merge_libraries
from harl_mlir.schedule.user_script import read_knobs, select_knobs
from harl_mlir.space.candidate import Candidate
from harl_mlir.tasks.analysis import Analysis
from harl_mlir.tasks.task import Task

_MOST_BENCHES = 8
_BENCH_BYTES = 1 << 30
MOST_OPERANDS = MOST_GUARDS // 4
"""Of a task: each has a guard page on either side where it is checked, and where it is timed."""
_COPIES = 4
"""Of a task's operands: as drawn, the checked and the timed ones, and the reference's in double precision."""

Report = Callable[[Phase], None]


class Service:
    """Answers requests, one at a time.

    `report` is told each phase of the work; `memory_bytes` bounds one allocation of a kernel, which runs on
    `threads` threads.
    """

    def __init__(self, report: Report, memory_bytes: int | None = None, threads: int = 1) -> None:
        self._report = report
        self._memory_bytes = memory_bytes
        self._threads = threads
        self._benches: OrderedDict[str, TaskBench] = OrderedDict()
        self._faults: GuardPageHandler | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to a request; errors become answers too."""
        try:
            return self._answer(request)
        except HarlError as error:
            return answers.refused(error)
        except Exception:
            return answers.Broken(traceback.format_exc())

    def _answer(self, request: Request) -> Answer:
        match request:
            case protocol.Measure():
                return answers.Measured((self._measure(request),))
            case protocol.Retime():
                return answers.Measured(tuple(self._retime(request)))
            case protocol.Verify():
                return answers.Verified(self._verify(request))
            case protocol.Peak(element):
                return answers.PeakFound(fma_peak(element))
            case protocol.Bandwidth(read_bytes, written_bytes):
                return answers.BandwidthFound(stream_bandwidth(read_bytes, written_bytes, self._threads))
            case protocol.Ping():
                return answers.Modules(tuple(sorted(sys.modules)))
            case protocol.Analyse(source, accuracy):
                return answers.Analysed(self._small_enough(texts.analyse(source, accuracy)))
            case protocol.Functions(source):
                return answers.Analysed(self._small_enough(texts.functions(source)))
            case protocol.Library():
                return answers.Text(texts.library(request, self._threads))
            case protocol.Apply(source, library, library_file):
                return answers.AppliedText(texts.apply(source, library, library_file))
            case protocol.Inspect(library, file):
                with ir.Context():
                    return answers.Inspected(library_facts(library, file))
            case protocol.Compile():
                return answers.CompiledObject(compile_request(request))
            case protocol.Opt():
                return optimise(request)
            case protocol.Reproduce(task, candidate, seconds, accuracy):
                return texts.program(task, candidate, seconds, accuracy)
            case protocol.Merge(first, first_file, second, second_file):
                with ir.Context():
                    return answers.Text(merge_libraries(first, first_file, second, second_file))
            case protocol.Knobs(script, file):
                with ir.Context():
                    return answers.Open(read_knobs(script, file))
            case protocol.Select(script, file, values):
                with ir.Context():
                    return answers.Text(select_knobs(script, file, values))

    def _small_enough(self, found: Analysis) -> Analysis:
        """Tasks whose operands do not fit in the worker's memory, or are too many, are left alone."""
        return found.without(self._too_large)

    def _too_large(self, task: Task) -> str | None:
        needed, gib = _COPIES * task.bytes, 2.0**30
        if self._memory_bytes is not None and needed > self._memory_bytes:
            return f"checking it needs {needed / gib:.3g} GiB and may take {self._memory_bytes / gib:.3g}"
        operands = len(task.arguments) + len(task.results)
        if operands > MOST_OPERANDS:
            return f"it has {operands} operands and results, and at most {MOST_OPERANDS} can be guarded"
        return None

    def _bench(self, task: Task, schedules: tuple[Schedule, ...]) -> TaskBench:
        reason = can_check(task)
        if reason is not None and (not task.unchecked or any(isinstance(s, Candidate) for s in schedules)):
            raise InputError(f"the results of {task.label()} cannot be checked ({reason}); leave it out")
        if task.key in self._benches:
            self._benches.move_to_end(task.key)
        else:
            # Make room first: benches of large tasks do not fit beside each other.
            held = sum(bench.bytes for bench in self._benches.values())
            while self._benches and (
                len(self._benches) >= _MOST_BENCHES or held + 8 * task.bytes > _BENCH_BYTES
            ):
                _, dropped = self._benches.popitem(last=False)
                held -= dropped.bytes
            try:
                self._benches[task.key] = TaskBench(task)
            except ValueError as error:
                raise InputError(f"{task.label()} cannot be run: {error}") from error
        bench = self._benches[task.key]
        if self._faults is None:
            self._faults = GuardPageHandler()
        self._faults.watch(bench.guards)
        return bench

    def _built_and_checked(
        self,
        bench: TaskBench,
        request: protocol.Measure | protocol.Retime | protocol.Verify,
        schedule: Schedule,
        index: int,
    ) -> tuple[CompiledKernel | Failure, float]:
        """Build a schedule and call it once on guarded operands; the kernel or its failure, build seconds."""
        task, accuracy = request.task, request.accuracy
        exact = accuracy == "strict" and schedule is not None
        if exact and bench.untuned is None:
            # Before the candidate's own phases: its limits are not for what it is compared with.
            self._report(Phase("prepare", index))
            try:
                self._keep_untuned(bench, task)
            except BuildError as error:
                what = (
                    f"the untuned kernel, with which it has to be compared, cannot be built: {error.message}"
                )
                return Failure(error.kind, what), 0.0
        self._report(Phase("build", index))
        start = time.perf_counter()
        try:
            script, memory_bytes = request.script, self._memory_bytes
            kernel = build(task, bench.result_types, schedule, script, memory_bytes, accuracy, self._threads)
        except BuildError as error:
            return Failure(error.kind, error.message), time.perf_counter() - start
        seconds = time.perf_counter() - start
        call = bench.fresh_call(kernel)
        self._report(Phase("run", index))
        call(1)
        self._report(Phase("check", index))
        return bench.verdict(kernel, exact=exact) or kernel, seconds

    def _keep_untuned(self, bench: TaskBench, task: Task) -> None:
        """Call the untuned kernel once and keep its results."""
        kernel = build(task, bench.result_types, None, None, self._memory_bytes, "strict")
        bench.fresh_call(kernel)(1)
        bench.keep_untuned(kernel)

    def _verify(self, request: protocol.Verify) -> Failure | None:
        task, schedule = request.task, request.schedule
        if request.run:
            made, _ = self._built_and_checked(self._bench(task, (schedule,)), request, schedule, 0)
            return made if isinstance(made, Failure) else None
        self._report(Phase("build"))
        try:
            lower(
                task,
                result_types(task),
                schedule,
                request.script,
                self._memory_bytes,
                request.accuracy,
                self._threads,
            )
        except BuildError as error:
            return Failure(error.kind, error.message)
        return None

    def _measure(self, request: protocol.Measure) -> Measurement:
        task = request.task
        bench = self._bench(task, (request.schedule,))
        kernel, seconds = self._built_and_checked(bench, request, request.schedule, 0)
        if isinstance(kernel, Failure):
            return Measurement(failure=kernel, build_seconds=seconds)
        timed = bench.timed(kernel)
        self._report(Phase("time"))
        measurement = screen(timed, request.best, request.cap, seconds, self._threads)
        failure = bench.after_timing()
        return replace(measurement, seconds=None, best=None, failure=failure) if failure else measurement

    def _retime(self, request: protocol.Retime) -> list[Measurement]:
        task = request.task
        bench = self._bench(task, request.schedules)
        answers: dict[int, Measurement] = {}
        timed: dict[int, Timed] = {}
        build_seconds: list[float] = []
        for index, schedule in enumerate(request.schedules):
            kernel, seconds = self._built_and_checked(bench, request, schedule, index)
            if isinstance(kernel, Failure):
                answers[index] = Measurement(failure=kernel, build_seconds=seconds)
            else:
                timed[index] = bench.timed(kernel)
                build_seconds.append(seconds)
        numbers = list(timed)
        times = in_turns(
            list(timed.values()),
            build_seconds,
            lambda i: self._report(Phase("time", numbers[i])),
            request.sampling,
            self._threads,
        )
        answers.update(zip(numbers, times, strict=True))
        return [answers[i] for i in range(len(request.schedules))]
