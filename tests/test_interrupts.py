"""Interrupts wait, but not for ever."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from harl_mlir.interrupts import heed, heeded, interrupt, interrupts_held


@pytest.fixture(autouse=True)
def default_handlers() -> Iterator[None]:
    """As Python starts: only SIGINT is handled."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_two_interrupts_wait_and_later_ones_are_as_before() -> None:
    with interrupts_held() as held:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert held.count == 2
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def _interrupted_three_times() -> None:
    with interrupts_held():
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)


def test_the_third_is_raised() -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted_three_times()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_has_nothing_to_hold() -> None:
    def hold() -> None:
        with interrupts_held() as held:
            counts.append(held.count)

    counts: list[int] = []
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert counts == [0]


class _Dropping:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_python_drops_is_raised_again_once() -> None:
    signal.signal(signal.SIGINT, interrupt)
    del (dropped := [_Dropping()])[0]
    assert not dropped
    with pytest.raises(KeyboardInterrupt):
        heed()
    heed()


def test_what_arrived_is_not_raised_again() -> None:
    signal.signal(signal.SIGINT, interrupt)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    heeded()
    heed()
