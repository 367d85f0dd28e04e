"""One worker and how it is asked: started when needed, replaced when it dies, its errors raised here."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from harl_mlir.errors import InputError, Place
from harl_mlir.measure import answers
from harl_mlir.measure.limits import Limits, indented
from harl_mlir.measure.process import WorkerDied, WorkerProcess
from harl_mlir.measure.protocol import Phase, Request

_Answer = TypeVar("_Answer")

_INPUT_SECONDS = 60.0


class WorkerError(RuntimeError):
    """A bug of this package in a worker, or one that cannot start; the message holds its traceback."""


class Asking:
    """A worker process. What it does is asked for by subclasses (`pool.Pool`)."""

    def __init__(self, core: int | None, limits: Limits, threads: int = 1) -> None:
        self._core = core
        self._limits = limits
        self.threads = threads
        self._worker: WorkerProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker, if any. The pool may be used again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the running worker."""
        return self._worker.pid if self._worker else None

    def start(self) -> None:
        """Start the worker now, so that it loads while the caller does something else."""
        if self._worker is None:
            self._worker = WorkerProcess(self._core, self._limits.memory(), self.threads)

    def ask(self, request: Request, limit: Callable[[Phase], float], kind: type[_Answer]) -> _Answer:
        """The answer to a request. Raises InputError, WorkerError or WorkerDied."""
        self.start()
        assert self._worker is not None
        try:
            answer = self._worker.ask(request, limit)
        except WorkerDied as died:
            self._worker = None
            if died.cause == "exit" and died.status == 1 and died.phase.name == "prepare":
                # Python ended it: no crash of the compiler, which would be a signal.
                raise WorkerError(f"the worker process failed:\n{died.tail}") from died
            raise
        except BaseException:
            self._worker = None
            raise
        if isinstance(answer, answers.Refused):
            raise refusal(answer)
        if isinstance(answer, answers.Broken):
            raise WorkerError(answer.traceback)
        if not isinstance(answer, kind):
            raise WorkerError(f"the worker answered {type(request).__name__} with {type(answer).__name__}")
        return answer

    def ask_about_input(
        self, request: Request, file: str, kind: type[_Answer], seconds: float = _INPUT_SECONDS
    ) -> _Answer:
        """The answer to a request about the user's `file`, which is to blame for what goes wrong."""
        try:
            return self.ask(request, lambda _: seconds, kind)
        except WorkerDied as died:
            what = {
                "exit": f"the compiler crashed on it ({died.signal_name()})",
                "timeout": f"the compiler did not finish with it in {seconds:g} s",
                "memory": "the compiler ran out of memory on it",
            }[died.cause]
            raise InputError(
                f"{what}; make the input smaller to find the op at fault" + indented(died.tail), Place(file)
            ) from died

    def ask_tool(self, request: Request, kind: type[_Answer]) -> _Answer:
        """The answer to a request that no input of the user's can make fail."""
        try:
            return self.ask(request, lambda _: _INPUT_SECONDS, kind)
        except WorkerDied as died:
            raise WorkerError(f"the worker died ({died.cause}, {died.signal_name()}): {died.tail}") from died


def refusal(answer: answers.Refused) -> InputError:
    """A refusal as it is raised."""
    place = Place(answer.file, answer.line, answer.column) if answer.file else None
    return InputError(answer.message, place)
