"""Cutting ops out of a function into a kernel of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harl_mlir.frontend.program import all_ops, constant_number, entry_block, made_by
from harl_mlir.frontend.zero_insertion import zero_flops
from harl_mlir.mlir import func, ir, tensor
from harl_mlir.tasks.flow import Node
from harl_mlir.tasks.key import workload_key
from harl_mlir.tasks.task import Member, Source, Task, TensorType


@dataclass
class Kernel:
    """A function `@kernel` that is being built in a module of its own.

    `values` maps a value of the program to its copy in the kernel, `sources` to where it comes from.
    """

    module: ir.Module = field(default_factory=lambda: ir.Module.create(ir.Location.unknown()))
    arguments: list[TensorType] = field(default_factory=list)
    values: dict[ir.Value, ir.Value] = field(default_factory=dict)
    sources: dict[ir.Value, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with ir.InsertionPoint(self.module.body), ir.Location.unknown():
            self.function = func.FuncOp("kernel", ir.FunctionType.get([], []))
            self.function.add_entry_block()
        self.block: ir.Block = entry_block(self.function)

    def argument(self, value: ir.Value) -> None:
        """Make `value` the next argument."""
        self.values[value] = self.block.add_argument(value.type, ir.Location.unknown())
        self.sources[value] = Source("argument", len(self.arguments))
        self.arguments.append(tensor_type(value.type))

    def clone(self, op: ir.Operation, fresh_init: bool = False) -> None:
        """Append a copy of `op` as it is spelled; what it uses must be in the kernel already.

        With `fresh_init` its last operand is a new `tensor.empty`.
        """
        values = self.values
        if fresh_init:
            type_ = op.operands[len(op.operands) - 1].type
            with ir.InsertionPoint(self.block), ir.Location.unknown():
                init = tensor.EmptyOp(list(type_.shape), type_.element_type).result
        copy = op.clone(ir.InsertionPoint(self.block))
        _rewire(copy, values)
        if fresh_init:
            copy.operands[len(copy.operands) - 1] = init
        for old, new in zip(op.results, copy.results, strict=True):
            values[old] = new

    def finish(self, results: Sequence[ir.Value]) -> str:
        """Return the copies of `results`; the module's text."""
        returned = [self.values[value] for value in results]
        with ir.InsertionPoint(self.block), ir.Location.unknown():
            func.ReturnOp(returned)
        inputs = [argument.type for argument in self.block.arguments]
        type_ = ir.FunctionType.get(inputs, [value.type for value in returned])
        self.function.attributes["function_type"] = ir.TypeAttr.get(type_)
        self.module.operation.verify()
        return str(self.module)


def tensor_type(type_: ir.Type) -> TensorType:
    """The plain form of a static tensor's or a scalar's type."""
    if isinstance(type_, ir.RankedTensorType):
        return TensorType(tuple(type_.shape), str(type_.element_type))
    return TensorType((), str(type_), is_scalar=True)


def extract(nodes: Sequence[Node], anchor: int, function: str, place: str) -> Task:
    """The task of a group of nodes in program order; `anchor` is a position in `nodes`.

    Every `tensor.empty` and every constant that is one number is cloned into the kernel; an init from
    outside whose old value is not read is a `tensor.empty` too; everything else the ops use becomes an
    argument, in order of first use.
    """
    kernel = Kernel()
    members: list[Member] = []
    for node in nodes:
        # A padding has no init.
        *inputs, init = (*node.op.operands, None) if node.facts.is_pad else node.op.operands
        fresh = init is not None and _is_fresh(kernel, node, init)
        for value in (*inputs, *(() if fresh or init is None else (init,)), *captured(node.op)):
            _bring(kernel, value)
        sources = [kernel.sources[value] for value in inputs]
        sources.append(Source("empty") if fresh or init is None else kernel.sources[init])
        members.append(Member(node.facts, tuple(sources)))
        kernel.clone(node.op, fresh_init=fresh)
        kernel.sources[node.op.results[0]] = Source("member", len(members) - 1)
    results = (len(nodes) - 1,)
    text = kernel.finish([nodes[-1].op.results[0]])
    return Task(
        key=workload_key(members, results),
        kernel=text,
        arguments=tuple(kernel.arguments),
        members=tuple(members),
        anchor=anchor,
        results=results,
        function=function,
        place=place,
        zero_flops=sum(zero_flops(node.op) for node in nodes),
    )


def captured(op: ir.Operation) -> list[ir.Value]:
    """Values from outside that the op's regions use, each once, in order."""
    found: dict[ir.Value, None] = {}
    inside = {result for inner in all_ops(op)[1:] for result in inner.results}
    inside |= {a for region in op.regions for block in region.blocks for a in block.arguments}
    for inner in all_ops(op)[1:]:
        for region in inner.regions:
            inside |= {a for block in region.blocks for a in block.arguments}
        for value in inner.operands:
            if value not in inside:
                found[value] = None
    return list(found)


def constant_source(op: ir.Operation) -> Source | None:
    """The source for a constant that is one number (a scalar or a splat), else None."""
    if op.name != "arith.constant":
        return None
    attribute = constant_number(op)
    if isinstance(attribute, ir.BoolAttr):
        return Source("constant", value=float(attribute.value))
    if isinstance(attribute, ir.IntegerAttr):
        number = abs(attribute.value) if str(attribute.type) == "i1" else attribute.value
        return Source("constant", value=float(number) if abs(number) < 2**53 else str(number))
    if isinstance(attribute, ir.FloatAttr):
        value = float(attribute.value)
        finite = value - value == 0.0
        return Source("constant", value=value if finite else str(value))
    return None


def _is_fresh(kernel: Kernel, node: Node, init: ir.Value) -> bool:
    """Whether a member is given an empty tensor in the place of an init that it only writes."""
    return not node.facts.reads_init and init not in kernel.values and not _is_empty(init)


def _bring(kernel: Kernel, value: ir.Value) -> None:
    if value in kernel.values:
        return
    owner = value.owner
    if not isinstance(owner, ir.Block):
        source = Source("empty") if _is_empty(value) else constant_source(owner)
        if source is not None:
            kernel.clone(owner)
            kernel.sources[value] = source
            return
    kernel.argument(value)


def _is_empty(value: ir.Value) -> bool:
    empty = made_by(value, "tensor.empty")
    return empty is not None and not len(empty.operands)


def _rewire(copy: ir.Operation, values: dict[ir.Value, ir.Value]) -> None:
    for op in all_ops(copy):
        for i, value in enumerate(op.operands):
            if value in values:
                op.operands[i] = values[value]
