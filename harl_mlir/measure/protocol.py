"""What the main process and a worker say to each other: tagged msgpack messages, never pickle.

msgpack and not JSON because a task may hold an infinite constant (the init of a max pooling).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from harl_mlir.accuracy import DEFAULT_ACCURACY, Accuracy
from harl_mlir.codegen.target import Target
from harl_mlir.measure.answers import Answer
from harl_mlir.measure.clock import CAREFUL, Sampling
from harl_mlir.opt.pipeline import Stage
from harl_mlir.processor import Processor
from harl_mlir.space.candidate import Candidate
from harl_mlir.space.decision import Value
from harl_mlir.tasks.task import Task

Schedule = Candidate | str | None
"""How a kernel is scheduled: a sketch's candidate, the text of a transform module, or not at all."""

Shapes = dict[str, tuple[int, ...]]
"""Static shapes for arguments, by the argument's name or number."""

PhaseName = Literal["prepare", "build", "run", "check", "time"]


class Source(msgspec.Struct, frozen=True):
    """A kernel file as the user gave it; `function` None means every function."""

    text: str
    file: str
    function: str | None = None
    shapes: Shapes = {}


class Analyse(msgspec.Struct, frozen=True, tag=True):
    """Ask for the tasks of a kernel file."""

    source: Source
    accuracy: Accuracy = DEFAULT_ACCURACY


class Functions(msgspec.Struct, frozen=True, tag=True):
    """Ask for one task for each whole function of a kernel file; answered by `Analysed`."""

    source: Source


class Measure(msgspec.Struct, frozen=True, tag=True):
    """Ask for one measurement. `script` is the user's own script whose knobs a candidate sets."""

    task: Task
    schedule: Schedule
    best: float | None = None
    cap: float | None = None
    script: str | None = None
    accuracy: Accuracy = DEFAULT_ACCURACY


class Retime(msgspec.Struct, frozen=True, tag=True):
    """Ask for careful times of several schedules of one task, taken in turns."""

    task: Task
    schedules: tuple[Schedule, ...]
    script: str | None = None
    accuracy: Accuracy = DEFAULT_ACCURACY
    sampling: Sampling = CAREFUL


class Verify(msgspec.Struct, frozen=True, tag=True):
    """Ask whether a schedule transforms and lowers and, with `run`, computes the right results; no time."""

    task: Task
    schedule: Schedule
    run: bool = False
    script: str | None = None
    accuracy: Accuracy = DEFAULT_ACCURACY


class Peak(msgspec.Struct, frozen=True, tag=True):
    """Ask for the FMA peak of the worker's core for one element type."""

    element: str = "f32"


class Bandwidth(msgspec.Struct, frozen=True, tag=True):
    """Ask for the memory bandwidth of the worker's cores where so many bytes are read and written."""

    read_bytes: int
    written_bytes: int


class Library(msgspec.Struct, frozen=True, tag=True):
    """Ask for the text of a schedule library; it is for this processor where none is given."""

    entries: tuple[tuple[Task, Candidate], ...]
    tunable: bool = False
    accuracy: Accuracy = DEFAULT_ACCURACY
    processor: Processor | None = None


class Apply(msgspec.Struct, frozen=True, tag=True):
    """Ask for a kernel file with a schedule library applied; `library_file` is its name in messages."""

    source: Source
    library: str
    library_file: str


class Inspect(msgspec.Struct, frozen=True, tag=True):
    """Ask for what a schedule library tells of itself; `file` is its name in messages."""

    library: str
    file: str


class Compile(msgspec.Struct, frozen=True, tag=True):
    """Ask for the functions of a kernel file as an object; `target` None is this machine."""

    source: Source
    library: str | None
    library_file: str
    target: Target | None = None
    accuracy: Accuracy = DEFAULT_ACCURACY
    threads: int = 1


class Reproduce(msgspec.Struct, frozen=True, tag=True):
    """Ask for a program that runs a task's kernel by itself, and for its schedule.

    `candidate` is None for the kernel as it came; `seconds` is what a call may take.
    """

    task: Task
    candidate: Candidate | None
    seconds: float | None
    accuracy: Accuracy = DEFAULT_ACCURACY


class Merge(msgspec.Struct, frozen=True, tag=True):
    """Ask for one schedule library of two, where both have a task the second's; answered by `Text`."""

    first: str
    first_file: str
    second: str
    second_file: str


class Knobs(msgspec.Struct, frozen=True, tag=True):
    """Ask for the decisions that a user's script leaves open."""

    script: str
    file: str


class Select(msgspec.Struct, frozen=True, tag=True):
    """Ask for a user's script with its knobs selected."""

    script: str
    file: str
    values: tuple[tuple[str, Value], ...]


class Opt(msgspec.Struct, frozen=True, tag=True):
    """Ask for a module with a pass pipeline run on it.

    `libraries` holds the schedule libraries that stages name, by their files; with `unregistered` ops of
    unknown dialects are allowed.
    """

    text: str
    file: str
    stages: tuple[Stage, ...]
    libraries: dict[str, str] = {}
    unregistered: bool = False


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Ask which modules the worker holds (a worker must not have loaded torch)."""


Request = (
    Analyse
    | Functions
    | Measure
    | Retime
    | Verify
    | Peak
    | Bandwidth
    | Library
    | Apply
    | Inspect
    | Merge
    | Compile
    | Reproduce
    | Knobs
    | Select
    | Opt
    | Ping
)


class Phase(msgspec.Struct, frozen=True, tag=True):
    """Not an answer: the worker enters a phase of its work on schedule number `index`."""

    name: PhaseName
    index: int = 0


Reply = Phase | Answer

OUT_OF_BOUNDS_EXIT = 86
"""Exit status of a worker whose generated code touched a guard page."""

_encoder = msgspec.msgpack.Encoder()
_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """The bytes of a message."""
    return _encoder.encode(message)


def decode_request(data: bytes) -> Request:
    """The request that a worker received; raises msgspec.ValidationError."""
    return _requests.decode(data)


def decode_reply(data: bytes) -> Reply:
    """The reply that the main process received; raises msgspec.ValidationError."""
    return _replies.decode(data)
