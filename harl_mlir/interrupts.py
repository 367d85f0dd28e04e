"""Interrupts that wait until something is done, and that are not lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 2


_pending = False


def interrupt(number: int, frame: FrameType | None) -> None:
    """A signal handler: an interrupt that `heed` raises again where Python dropped it."""
    global _pending
    _pending = True
    raise KeyboardInterrupt


def heed() -> None:
    """Raise the interrupt that came since the last call, if its own exception got nowhere.

    Python drops what is raised while it destroys an object or calls back from C.
    """
    global _pending
    if _pending:
        _pending = False
        raise KeyboardInterrupt


def heeded() -> None:
    """Forget the interrupt that came: its exception arrived."""
    global _pending
    _pending = False


@dataclass
class Held:
    """How many interrupts came."""

    count: int = 0


@contextmanager
def interrupts_held() -> Iterator[Held]:
    """Count the interrupts that come meanwhile instead of raising them; the third is raised after all.

    Only for signals that Python handles, and only in the main thread, where alone they are raised.
    """
    held = Held()

    def note(number: int, frame: FrameType | None) -> None:
        held.count += 1
        if held.count > _PATIENCE:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if callable(handler)}
    try:
        for number in before:
            signal.signal(number, note)
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
