"""The main process's side of measuring: asks a worker, replaces it when it dies, names what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.openmp import check_threads
from harl_mlir.codegen.target import Target
from harl_mlir.measure import answers, protocol
from harl_mlir.measure.answers import Applied, Compiled, Opted, Remark
from harl_mlir.measure.asking import Asking, refusal
from harl_mlir.measure.clock import CAREFUL, Sampling
from harl_mlir.measure.limits import OURS_TO_DO_SECONDS, Limits, failure_of
from harl_mlir.measure.measurement import Failure, Measurement
from harl_mlir.measure.process import WorkerDied
from harl_mlir.measure.protocol import Opt, Schedule, Shapes, Source
from harl_mlir.processor import Processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Decision, Value
from harl_mlir.space.entry import LibraryFacts
from harl_mlir.tasks.analysis import Analysis
from harl_mlir.tasks.task import Task

_COMPILE_SECONDS = 600.0
"""For whole programs: LLVM takes up to some seconds for each large kernel in one."""


class Pool(Asking):
    """A worker process for everything that parses, transforms, compiles or runs user input.

    `core` is the core the worker is pinned to; None means the last one this process may use. `accuracy` is
    that of the lowering and, if it is `strict`, of the check: a schedule's results must then be those of
    the untuned kernel. Kernels run on `threads` threads, on as many cores; UsageError is
    raised where that cannot be. The worker is started at the first request and replaced when it dies. Not
    thread-safe: use it from the thread that made it, because on Linux a worker dies with the thread that
    started it.
    """

    def __init__(
        self,
        core: int | None = None,
        limits: Limits | None = None,
        accuracy: Accuracy = DEFAULT_ACCURACY,
        threads: int = 1,
    ) -> None:
        check_threads(threads)
        super().__init__(core, limits or Limits(), threads)
        self.accuracy: Accuracy = accuracy

    def analyse(
        self, text: str, file: str, function: str | None = None, shapes: Shapes | None = None
    ) -> Analysis:
        """The tasks of a kernel file. Raises InputError with the place."""
        source = Source(text, file, function, shapes or {})
        return self.ask_about_input(protocol.Analyse(source, self.accuracy), file, answers.Analysed).analysis

    def functions(
        self, text: str, file: str, function: str | None = None, shapes: Shapes | None = None
    ) -> Analysis:
        """A task for each whole function with linalg ops. Raises InputError with the place."""
        source = Source(text, file, function, shapes or {})
        return self.ask_about_input(protocol.Functions(source), file, answers.Analysed).analysis

    def measure(
        self,
        task: Task,
        schedule: Schedule,
        *,
        best: float | None = None,
        cap: float | None = None,
        script: str | None = None,
    ) -> Measurement:
        """Build, check and time one schedule of a task; every fault of it becomes a Failure.

        Args:
            task: what to measure; the reference must know its ops (`reference.can_check`).
            schedule: a candidate of a sketch (or, with `script`, of the script's knobs), the text of a
                transform module whose `__transform_main` is applied to the kernel, or None for the
                kernel as it is.
            best: seconds of the best known call, from which limits follow.
            cap: seconds after which a call is given up as `too_slow` ("slower than ...").
            script: a user's script with open knobs.

        Raises InputError if the task cannot be checked.
        """
        request = protocol.Measure(task, schedule, best, cap, script, self.accuracy)
        one_call = self._limits.one_call(best, cap)
        try:
            answer = self.ask(request, self._limits.of_phases(one_call), answers.Measured)
        except WorkerDied as died:
            return Measurement(failure=failure_of(died, self._limits, one_call, cap))
        measurement = answer.measurements[0]
        self._distrust(measurement.failure)
        return measurement

    def retime(
        self,
        task: Task,
        schedules: Sequence[Schedule],
        *,
        script: str | None = None,
        sampling: Sampling = CAREFUL,
    ) -> list[Measurement]:
        """Careful times of several schedules of a task, taken in turns in one worker.

        The answers are in the order of `schedules`; one that kills the worker fails, and the rest are timed.
        """
        failures: dict[int, Measurement] = {}
        one_call = self._limits.first_run_seconds
        while len(failures) < len(schedules):
            left = [i for i in range(len(schedules)) if i not in failures]
            request = protocol.Retime(
                task, tuple(schedules[i] for i in left), script, self.accuracy, sampling
            )
            try:
                answer = self.ask(request, self._limits.of_phases(one_call), answers.Measured)
            except WorkerDied as died:
                guilty = left[died.phase.index]
                failures[guilty] = Measurement(failure=failure_of(died, self._limits, one_call, None))
                continue
            for index, measurement in zip(left, answer.measurements, strict=True):
                failures[index] = measurement
                self._distrust(measurement.failure)
        return [failures[i] for i in range(len(schedules))]

    def verify(
        self, task: Task, schedule: Schedule, *, run: bool = False, script: str | None = None
    ) -> Failure | None:
        """What is wrong with one schedule of a task, or None; nothing is timed.

        It has to transform and lower; it is compiled and called only with `run`, once, and its results are
        compared with the reference. The other arguments are those of `measure`.

        Raises InputError if the task cannot be checked and `run` asks for it.
        """
        request = protocol.Verify(task, schedule, run, script, self.accuracy)
        one_call = self._limits.first_run_seconds
        try:
            failure = self.ask(request, self._limits.of_phases(one_call), answers.Verified).failure
        except WorkerDied as died:
            return failure_of(died, self._limits, one_call, None)
        self._distrust(failure)
        return failure

    def peak(self, element: str = "f32") -> float:
        """The FMA peak of the worker's core in FLOP/s, for `f32` or `f64`."""
        return self.ask_tool(protocol.Peak(element), answers.PeakFound).flops_per_second

    def bandwidth(self, read_bytes: int, written_bytes: int) -> float:
        """The memory bandwidth of the worker's cores in bytes a second; see `bandwidth.stream_bandwidth`."""
        request = protocol.Bandwidth(read_bytes, written_bytes)
        return self.ask_tool(request, answers.BandwidthFound).bytes_per_second

    def library(
        self,
        entries: Sequence[tuple[Task, Candidate]],
        *,
        tunable: bool = False,
        processor: Processor | None = None,
    ) -> str:
        """The text of a schedule library with one entry for each task, tuned on `processor` or else this."""
        request = protocol.Library(tuple(entries), tunable, self.accuracy, processor)
        return self.ask_tool(request, answers.Text).text

    def apply(
        self,
        text: str,
        file: str,
        library: str,
        function: str | None = None,
        shapes: Shapes | None = None,
        library_file: str = "library",
    ) -> Applied:
        """A kernel file with a schedule library applied. Raises InputError with the place."""
        source = Source(text, file, function, shapes or {})
        return self.ask_about_input(
            protocol.Apply(source, library, library_file), file, answers.AppliedText
        ).applied

    def inspect(self, library: str, file: str = "library") -> LibraryFacts:
        """What a schedule library tells of itself. Raises InputError with the place."""
        return self.ask_about_input(protocol.Inspect(library, file), file, answers.Inspected).facts

    def compile(
        self,
        text: str,
        file: str,
        library: str | None = None,
        *,
        function: str | None = None,
        shapes: Shapes | None = None,
        target: Target | None = None,
        library_file: str = "library",
        threads: int = 1,
    ) -> Compiled:
        """The public functions of a kernel file (or only `function`) as an object file that C can call.

        Args:
            text, file: the kernel file and its name in messages.
            library: the text of a schedule library, applied before; that nothing matches is no error. It
                is lowered with the accuracy it was tuned under.
            function, shapes: as for `analyse`.
            target: the processor to compile for; None is this one, as `measure` compiles.
            library_file: the library's name in messages.
            threads: on how many the code runs, by an OpenMP runtime.

        Raises InputError with the place.
        """
        source = Source(text, file, function, shapes or {})
        request = protocol.Compile(source, library, library_file, target, self.accuracy, threads)
        return self.ask_about_input(request, file, answers.CompiledObject, _COMPILE_SECONDS).compiled

    def opt(self, request: Opt, tell: Callable[[Remark], None]) -> Opted:
        """A module with a pass pipeline run on it; `tell` gets what passes say, also before an error.

        Raises InputError with the place.
        """
        answer = self.ask_about_input(request, request.file, answers.Opted, _COMPILE_SECONDS)
        for remark in answer.remarks:
            tell(remark)
        if answer.refused is not None:
            raise refusal(answer.refused)
        return answer

    def reproduce(
        self, task: Task, candidate: Candidate | None, seconds: float | None = None
    ) -> answers.Program:
        """A program that runs a task's kernel and checks it by itself, and the candidate's schedule.

        `seconds` is what a call may take. Raises InputError where the results of the task are not known.
        """
        request = protocol.Reproduce(task, candidate, seconds, self.accuracy)
        return self.ask_about_input(request, task.label(), answers.Program, OURS_TO_DO_SECONDS)

    def merge(self, first: str, second: str, first_file: str = "first", second_file: str = "second") -> str:
        """One library of two, where both have a task the second's. Raises InputError with the place."""
        request = protocol.Merge(first, first_file, second, second_file)
        return self.ask_about_input(request, second_file, answers.Text).text

    def knobs(self, script: str, file: str) -> tuple[Decision, ...]:
        """The decisions a user's script leaves open. Raises InputError with the place."""
        return self.ask_about_input(protocol.Knobs(script, file), file, answers.Open).decisions

    def select(self, script: str, file: str, values: Sequence[tuple[str, Value]]) -> str:
        """A user's script with its knobs selected. Raises InputError with the place."""
        return self.ask_about_input(protocol.Select(script, file, tuple(values)), file, answers.Text).text

    def modules(self) -> tuple[str, ...]:
        """Names of the Python modules the worker holds."""
        return self.ask_tool(protocol.Ping(), answers.Modules).names

    def _distrust(self, failure: Failure | None) -> None:
        """Replace a worker whose memory a candidate wrote to out of bounds."""
        if failure is not None and failure.kind == "out_of_bounds":
            self.close()
