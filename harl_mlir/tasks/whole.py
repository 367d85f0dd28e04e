"""A whole function as one task: what `time` measures and what a user's own script schedules."""

from __future__ import annotations

from dataclasses import dataclass, field

from harl_mlir.frontend.program import all_ops, entry_block, function_name, made_by, place_of
from harl_mlir.frontend.zero_insertion import zero_flops
from harl_mlir.mlir import ir
from harl_mlir.tasks.extract import Kernel, constant_source
from harl_mlir.tasks.facts import UnsupportedOpError, read_facts
from harl_mlir.tasks.key import hash_text, workload_key
from harl_mlir.tasks.task import Member, Source, Task

_AT_THE_EDGE = (
    "bufferization.materialize_in_destination",
    "bufferization.to_buffer",
    "bufferization.to_tensor",
    "func.return",
    "memref.get_global",
)
"""Ops on memrefs that raising leaves, where values enter and leave."""


class UnsupportedFunctionError(Exception):
    """A function that cannot become a kernel with tensors in and out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def whole_function(function: ir.OpView, file: str) -> Task:
    """The function as a kernel of tensors, its linalg ops as members.

    The kernel's arguments are the function's, in order; then every tensor constant that is not one
    number, in order of use. Of a function raised from memrefs they are the memrefs the function uses,
    as tensors, in order, and its results are those it returns, then the final values of those it writes.
    `unchecked` says
    why there is no reference, if there is none: ops that are not linalg, or not supported ones.

    Raises:
        UnsupportedFunctionError: control flow between blocks, memrefs that could not be raised, calls, or
            no result that depends on a supported op.
    """
    builder = _Builder()
    _refuse(function)
    for argument in entry_block(function).arguments:
        if not isinstance(argument.type, ir.MemRefType):
            builder.kernel.argument(argument)
    returned: list[ir.Value] = []
    for view in entry_block(function).operations:
        op = view.operation
        if op.name == "func.return":
            returned = [*(_before_buffer(value) for value in op.operands), *returned]
        elif op.name == "bufferization.materialize_in_destination":
            returned.append(op.operands[0])
        elif op.name == "bufferization.to_tensor":
            builder.kernel.argument(op.results[0])
        elif op.name not in ("memref.get_global", "bufferization.to_buffer"):
            builder.add(op)
    return builder.finish(function, returned, file)


def _refuse(function: ir.OpView) -> None:
    if len(function.regions[0].blocks) != 1:
        raise UnsupportedFunctionError("the function has control flow between blocks")
    for argument in entry_block(function).arguments:
        if isinstance(argument.type, ir.MemRefType):
            continue
        _refuse_type(argument.type)

    for op in all_ops(function.operation):
        if op.name == "func.call":
            raise UnsupportedFunctionError("the function calls another one")
        if op.name not in _AT_THE_EDGE and any(
            isinstance(value.type, (ir.MemRefType, ir.UnrankedMemRefType))
            for value in (*op.operands, *op.results)
        ):
            raise UnsupportedFunctionError(f"{op.name} works on memrefs")


def _refuse_type(type_: ir.Type) -> None:
    if isinstance(type_, ir.RankedTensorType):
        if not type_.has_static_shape:
            raise UnsupportedFunctionError("an argument or result has dynamic sizes")
        type_ = type_.element_type
    if not isinstance(type_, (ir.FloatType, ir.IntegerType, ir.IndexType)):
        raise UnsupportedFunctionError(f"an argument or result is of type {type_}")


def _before_buffer(value: ir.Value) -> ir.Value:
    buffer = made_by(value, "bufferization.to_buffer")
    return value if buffer is None else buffer.operands[0]


@dataclass
class _Builder:
    kernel: Kernel = field(default_factory=Kernel)
    members: list[Member] = field(default_factory=list)
    unchecked: str = ""
    zero_flops: int = 0

    def add(self, op: ir.Operation) -> None:
        constant = constant_source(op)
        if op.name == "arith.constant" and constant is None:
            self.kernel.argument(op.results[0])
            return
        self.kernel.clone(op)
        if constant is not None:
            self.kernel.sources[op.results[0]] = constant
        elif op.name == "tensor.empty":
            self.kernel.sources[op.results[0]] = Source("empty")
        elif op.name.startswith("linalg."):
            self._member(op)
        else:
            self._flag(f"{op.name} is not a linalg op")

    def _member(self, op: ir.Operation) -> None:
        try:
            facts = read_facts(op)
        except UnsupportedOpError as refusal:
            self._flag(f"{op.name}: {refusal.reason}")
            return
        sources = tuple(self.kernel.sources.get(value, Source("other")) for value in op.operands)
        self.kernel.sources[op.results[0]] = Source("member", len(self.members))
        self.members.append(Member(facts, sources))
        self.zero_flops += zero_flops(op)

    def _flag(self, reason: str) -> None:
        self.unchecked = self.unchecked or reason

    def finish(self, function: ir.OpView, returned: list[ir.Value], file: str) -> Task:
        if not self.members:
            raise UnsupportedFunctionError(self.unchecked or "the function holds no linalg op")
        for value in returned:
            _refuse_type(value.type)
        sources = [self.kernel.sources.get(value, Source("other")) for value in returned]
        if not sources:
            raise UnsupportedFunctionError("the function returns nothing")
        if any(source.kind != "member" for source in sources):
            self._flag("a result is not that of a linalg op")
        results = tuple(source.index for source in sources if source.kind == "member")
        text = self.kernel.finish(returned)
        key = hash_text(text) if self.unchecked else workload_key(self.members, results)
        work = [member.op.flops for member in self.members]
        return Task(
            key=key,
            kernel=text,
            arguments=tuple(self.kernel.arguments),
            members=tuple(self.members),
            anchor=work.index(max(work)),
            results=results,
            function=function_name(function),
            place=str(place_of(function.operation.location, file)),
            unchecked=self.unchecked,
            zero_flops=self.zero_flops,
        )
