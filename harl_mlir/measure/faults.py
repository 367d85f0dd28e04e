"""Telling an access to a guard page from any other fault, in a signal handler made of machine code.

The handler must not need Python (the fault may come while the interpreter's lock is held or its heap
is being changed), so it is compiled from IR: it looks the faulting address up in a table of guard
ranges, ends the process with a reserved status if it is there, and otherwise puts the default action
back and raises the signal again, of which the process then dies.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Sequence

from harl_mlir.measure.protocol import OUT_OF_BOUNDS_EXIT
from harl_mlir.mlir import ExecutionEngine, ir

MOST_GUARDS = 256
_SA_SIGINFO = 0x40 if sys.platform == "darwin" else 4
_ADDRESS_OFFSET = 24 if sys.platform == "darwin" else 16
_SIGNALS = (signal.SIGSEGV, signal.SIGBUS)

_HANDLER = """
llvm.mlir.global internal @table(0 : i64) : i64
llvm.func @_exit(i32)
llvm.func @signal(i32, !llvm.ptr) -> !llvm.ptr
llvm.func @raise(i32) -> i32

llvm.func @on_fault(%signal: i32, %info: !llvm.ptr, %context: !llvm.ptr) {{
  %zero = llvm.mlir.constant(0 : i64) : i64
  %two = llvm.mlir.constant(2 : i64) : i64
  %cell = llvm.mlir.addressof @table : !llvm.ptr
  %table = llvm.load volatile %cell : !llvm.ptr -> !llvm.ptr
  %where = llvm.getelementptr %info[{address_offset}] : (!llvm.ptr) -> !llvm.ptr, i8
  %address = llvm.load %where : !llvm.ptr -> i64
  llvm.br ^look(%zero : i64)
^look(%at: i64):
  %pair = llvm.getelementptr %table[%at] : (!llvm.ptr, i64) -> !llvm.ptr, i64
  %first = llvm.load %pair : !llvm.ptr -> i64
  %other = llvm.getelementptr %pair[1] : (!llvm.ptr) -> !llvm.ptr, i64
  %past = llvm.load %other : !llvm.ptr -> i64
  %end = llvm.icmp "eq" %past, %zero : i64
  llvm.cond_br %end, ^elsewhere, ^compare
^compare:
  %above = llvm.icmp "uge" %address, %first : i64
  %below = llvm.icmp "ult" %address, %past : i64
  %inside = llvm.and %above, %below : i1
  %next = llvm.add %at, %two : i64
  llvm.cond_br %inside, ^guard, ^look(%next : i64)
^guard:
  %status = llvm.mlir.constant({status} : i32) : i32
  llvm.call @_exit(%status) : (i32) -> ()
  llvm.return
^elsewhere:
  %default = llvm.mlir.zero : !llvm.ptr
  %before = llvm.call @signal(%signal, %default) : (i32, !llvm.ptr) -> !llvm.ptr
  %raised = llvm.call @raise(%signal) : (i32) -> i32
  llvm.return
}}

llvm.func @connect(%table: !llvm.ptr, %handler: !llvm.ptr) {{
  %cell = llvm.mlir.addressof @table : !llvm.ptr
  llvm.store volatile %table, %cell : !llvm.ptr, !llvm.ptr
  %function = llvm.mlir.addressof @on_fault : !llvm.ptr
  llvm.store %function, %handler : !llvm.ptr, !llvm.ptr
  llvm.return
}}
"""


class _LinuxAction(ctypes.Structure):
    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_uint64 * 16),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _DarwinAction(ctypes.Structure):
    _fields_ = (("handler", ctypes.c_void_p), ("mask", ctypes.c_uint32), ("flags", ctypes.c_int))


class GuardPageHandler:
    """The installed handler. Make one a process and keep it: the code and the table must stay."""

    def __init__(self) -> None:
        self._table = (ctypes.c_uint64 * (2 * MOST_GUARDS + 2))()
        text = _HANDLER.format(address_offset=_ADDRESS_OFFSET, status=OUT_OF_BOUNDS_EXIT)
        with ir.Context(), ir.Location.unknown():
            self._engine = ExecutionEngine(ir.Module.parse(text), opt_level=1)
        table = ctypes.c_void_p(ctypes.addressof(self._table))
        handler = ctypes.c_void_p()
        where = ctypes.c_void_p(ctypes.addressof(handler))
        packed = (ctypes.c_void_p * 2)(ctypes.addressof(table), ctypes.addressof(where))
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._engine.raw_lookup("connect"))(ctypes.addressof(packed))
        action = _DarwinAction() if sys.platform == "darwin" else _LinuxAction()
        action.handler = handler.value
        action.flags = _SA_SIGINFO
        libc = ctypes.CDLL(None, use_errno=True)
        for number in _SIGNALS:
            if libc.sigaction(int(number), ctypes.byref(action), None) != 0:
                raise OSError(ctypes.get_errno(), "sigaction failed")

    def watch(self, guards: Sequence[tuple[int, int]]) -> None:
        """Replace the table of guard ranges `(first, past the last)`."""
        if len(guards) > MOST_GUARDS:
            raise ValueError(f"more than {MOST_GUARDS} guard pages")
        flat = [address for guard in guards for address in guard]
        flat += [0, 0]
        # The first pair goes last: until then the table reads as empty.
        self._table[0], self._table[1] = 0, 0
        for i in range(len(flat) - 1, -1, -1):
            self._table[i] = flat[i]
