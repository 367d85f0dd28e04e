"""Raising functions on memrefs to tensors, so that schedules (which work on tensors) reach them.

A memref is a variable: each op that writes it gives it a new value. Within one block those values
can be chained, the first being `bufferization.to_tensor` of the argument and the last being put back
by `bufferization.materialize_in_destination` before the return; bufferization then finds that
everything can happen in place. A local allocation becomes a `tensor.empty`, and where it is returned
its last value goes through `bufferization.to_buffer`. `restrict` promises that the function's
arguments do not overlap.

A copy, be it a `memref.copy` or a linalg op that is one, becomes a `linalg.copy`, which is never folded
away: the values of each memref must live in its own buffer or in a fresh one, or putting back one
argument would overwrite what is still to be put back into another (think of a swap).
"""

from __future__ import annotations

from harl_mlir.errors import Place
from harl_mlir.frontend.program import (
    MEMOIZED_MAPS,
    all_ops,
    entry_block,
    indexing_maps,
    linalg_ops,
    made_by,
    place_of,
)
from harl_mlir.mlir import bufferization, ir, linalg, tensor
from harl_mlir.tasks.analysis import Skipped

_ALLOCATIONS = ("memref.alloc", "memref.alloca")


class _CannotRaiseError(Exception):
    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


def raise_function(function: ir.OpView, file: str) -> tuple[Skipped, ...]:
    """Raise one function in place; the linalg ops left on memrefs if it cannot be."""
    ops = [op for op in linalg_ops(function) if _memrefs(op)]
    if not ops:
        return ()
    try:
        _check(function, file)
    except _CannotRaiseError as refusal:
        where = f" ({refusal.place})" if refusal.place else ""
        return tuple(
            Skipped(op.name, str(place_of(op.location, file)), f"works on memrefs: {refusal.reason}{where}")
            for op in ops
        )
    _Raiser(function).run()
    return ()


def _memrefs(op: ir.Operation) -> list[ir.Value]:
    return [value for value in op.operands if isinstance(value.type, ir.MemRefType)]


def _check(function: ir.OpView, file: str) -> None:
    if len(function.regions[0].blocks) != 1:
        raise _CannotRaiseError("the function has control flow")
    for value in entry_block(function).arguments:
        if isinstance(value.type, ir.UnrankedMemRefType):
            raise _CannotRaiseError("an argument is an unranked memref")
    for view in entry_block(function).operations:
        op = view.operation
        place = place_of(op.location, file)
        _check_regions(op, place)
        for value in (*op.operands, *op.results):
            if isinstance(value.type, ir.MemRefType) and value.type.memory_space is not None:
                raise _CannotRaiseError("a memref has a memory space", place)
        if not _memrefs(op) and not any(isinstance(r.type, ir.MemRefType) for r in op.results):
            continue
        _check_use(op, place)


def _check_regions(op: ir.Operation, place: Place) -> None:
    for inner in all_ops(op)[1:]:
        if _memrefs(inner):
            raise _CannotRaiseError(f"{inner.name} inside {op.name} uses a memref", place)


def _check_use(op: ir.Operation, place: Place) -> None:
    if op.name.startswith("linalg."):
        _check_linalg(op, place)
    elif op.name in _ALLOCATIONS:
        if len(op.operands) != sum(
            op.results[0].type.is_dynamic_dim(d) for d in range(op.results[0].type.rank)
        ):
            raise _CannotRaiseError(f"{op.name} has a symbolic layout", place)
    elif op.name == "memref.copy":
        types = {_tensor_type(value.type) for value in op.operands}
        if len(types) != 1 or _is_constant(op.operands[1]):
            raise _CannotRaiseError("memref.copy changes the type or writes a constant", place)
    elif op.name == "func.return":
        _check_return(op, place)
    elif op.name not in ("memref.dealloc", "memref.get_global"):
        raise _CannotRaiseError(f"{op.name} uses a memref", place)


def _check_linalg(op: ir.Operation, place: Place) -> None:
    maps = indexing_maps(op)
    if maps is None or len(op.results):
        raise _CannotRaiseError(f"{op.name} cannot be raised", place)
    operands, inits = list(op.operands), _inits(op)
    if _copies(op) and len(operands) != 2:
        raise _CannotRaiseError(f"{op.name} copies an operand among others", place)
    for i in inits:
        if not isinstance(operands[i].type, ir.MemRefType):
            raise _CannotRaiseError(f"{op.name} mixes tensors and memrefs", place)
        if _is_constant(operands[i]):
            raise _CannotRaiseError(f"{op.name} writes a memref.global", place)
        for j, other in enumerate(operands):
            # In place is the same on tensors only if each iteration reads just what it writes.
            alike = maps[i] == maps[j] and maps[i].is_permutation and j not in inits
            if i != j and other == operands[i] and not alike:
                raise _CannotRaiseError(f"{op.name} reads other elements of the memref it writes", place)


def _check_return(op: ir.Operation, place: Place) -> None:
    returned = _memrefs(op)
    for value in returned:
        owner = value.owner
        if isinstance(owner, ir.Block) or owner.name not in _ALLOCATIONS:
            raise _CannotRaiseError("a memref is returned that is not allocated here", place)
        identity = ir.AffineMap.get_identity(value.type.rank)
        if returned.count(value) > 1 or value.type.affine_map != identity:
            raise _CannotRaiseError("a memref is returned twice or has a layout", place)


def _is_constant(value: ir.Value) -> bool:
    return made_by(value, "memref.get_global") is not None


def _inits(op: ir.Operation) -> range:
    """Operand numbers of the inits: the last ones, as many as the op yields."""
    block = op.regions[0].blocks[0]
    yielded = len(block.operations[len(block.operations) - 1].operands)
    return range(len(op.operands) - yielded, len(op.operands))


def _copies(op: ir.Operation) -> bool:
    """Whether a linalg op on memrefs writes an input as it is: folding would forget the copy."""
    if not op.name.startswith("linalg.") or not _memrefs(op):
        return False
    maps = indexing_maps(op)
    if maps is None:
        return False
    block = op.regions[0].blocks[0]
    yielded = block.operations[len(block.operations) - 1].operands
    arguments = list(block.arguments)
    for i, value in zip(_inits(op), yielded, strict=True):
        source = arguments.index(value) if value in arguments else i
        is_shaped = isinstance(op.operands[source].type, ir.ShapedType)
        if is_shaped and source not in _inits(op) and maps[source] == maps[i]:
            return True
    return False


def _tensor_type(type_: ir.MemRefType) -> ir.RankedTensorType:
    return ir.RankedTensorType.get(type_.shape, type_.element_type)


class _Raiser:
    """Rewrites one checked function; `values` holds the current tensor of each memref."""

    def __init__(self, function: ir.OpView) -> None:
        self.block = entry_block(function)
        self.values: dict[ir.Value, ir.Value] = {}
        self.written: list[ir.Value] = []
        self.dead: list[ir.Operation] = []

    def run(self) -> None:
        views = [view.operation for view in self.block.operations]
        self._find_written(views)
        self._enter(views)
        for op in views:
            if op.name == "memref.copy" or _copies(op):
                self._copy(op)
            elif op.name.startswith("linalg.") and _memrefs(op):
                self._raise(op)
            elif op.name in _ALLOCATIONS:
                self._allocate(op)
            elif op.name == "memref.get_global":
                with ir.InsertionPoint.after(op), op.location:
                    self.values[op.results[0]] = self._to_tensor(op.results[0])
            elif op.name == "memref.dealloc":
                self.dead.append(op)
            elif op.name == "func.return":
                self._leave(op)
        for op in reversed(self.dead):
            op.erase()

    def _find_written(self, ops: list[ir.Operation]) -> None:
        for op in ops:
            targets: list[ir.Value] = []
            if op.name == "memref.copy":
                targets = [op.operands[1]]
            elif op.name.startswith("linalg.") and _memrefs(op):
                targets = [op.operands[i] for i in _inits(op)]
            for target in targets:
                if isinstance(target.owner, ir.Block) and target not in self.written:
                    self.written.append(target)

    def _enter(self, ops: list[ir.Operation]) -> None:
        used = {value for op in ops for value in _memrefs(op)}
        first = self.block.operations[0]
        for argument in self.block.arguments:
            if argument in used:
                with ir.InsertionPoint(first), argument.location:
                    self.values[argument] = self._to_tensor(argument)

    def _to_tensor(self, value: ir.Value) -> ir.Value:
        writable = True if value in self.written else None
        return bufferization.ToTensorOp(
            _tensor_type(value.type), value, restrict=True, writable=writable
        ).result

    def _allocate(self, op: ir.Operation) -> None:
        type_ = op.results[0].type
        dynamic = iter(op.operands)
        sizes = [
            next(dynamic) if type_.is_dynamic_dim(d) else type_.get_dim_size(d) for d in range(type_.rank)
        ]
        with ir.InsertionPoint(op), op.location:
            self.values[op.results[0]] = tensor.EmptyOp(sizes, type_.element_type).result
        self.dead.append(op)

    def _raise(self, op: ir.Operation) -> None:
        operands = [self.values.get(value, value) for value in op.operands]
        inits = _inits(op)
        targets = [op.operands[i] for i in inits]
        new = ir.Operation.create(
            op.name,
            results=[operands[i].type for i in inits],
            operands=operands,
            attributes={name: op.attributes[name] for name in op.attributes if name != MEMOIZED_MAPS},
            regions=len(op.regions),
            loc=op.location,
            ip=ir.InsertionPoint(op),
        )
        for old_region, new_region in zip(op.regions, new.regions, strict=True):
            for body in list(old_region.blocks):
                body.append_to(new_region)
        for target, result in zip(targets, new.results, strict=True):
            self.values[target] = result
        self.dead.append(op)

    def _copy(self, op: ir.Operation) -> None:
        source, target = (self.values.get(value, value) for value in op.operands)
        with ir.InsertionPoint(op), op.location:
            self.values[op.operands[1]] = linalg.copy(source, outs=[target])
        self.dead.append(op)

    def _leave(self, op: ir.Operation) -> None:
        with ir.InsertionPoint(op), op.location:
            for target in self.written:
                bufferization.MaterializeInDestinationOp(
                    None, self.values[target], target, restrict=True, writable=True
                )
            for i, value in enumerate(op.operands):
                if value in self.values:
                    op.operands[i] = bufferization.ToBufferOp(value.type, self.values[value]).result
