"""The memory of a kernel's buffers: kept by the thread, in one piece, given back when it ends."""

from __future__ import annotations

import ctypes
import subprocess
import threading
from pathlib import Path

import pytest

from harl_mlir.integrations.torch.build import _ARENA

_DOORS = """
#include <stdlib.h>
void *take(size_t bytes) { return malloc(bytes); }
void give(void *buffer) { free(buffer); }
"""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    directory = tmp_path_factory.mktemp("arena")
    (directory / "doors.c").write_text(_DOORS)
    library = directory / "arena.so"
    flags = ["-O2", "-fPIC", "-shared", "-pthread", "-Wall", "-Wextra", "-Werror", "-fno-builtin"]
    command = ["cc", *flags, "-o", library, directory / "doors.c", _ARENA]
    subprocess.run([*map(str, command)], check=True, timeout=60)
    loaded = ctypes.CDLL(str(library))
    loaded.take.restype, loaded.take.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    loaded.give.argtypes = [ctypes.c_void_p]
    return loaded


def _round(arena: ctypes.CDLL, sizes: list[int]) -> list[int]:
    """Take buffers of these sizes, write all of each, give them back; where they were."""
    found = [arena.take(size) for size in sizes]
    for number, (address, size) in enumerate(zip(found, sizes, strict=True)):
        assert address % 64 == 0
        ctypes.memset(address, number, size)
    for number, (address, size) in enumerate(zip(found, sizes, strict=True)):
        assert ctypes.string_at(address, size) == bytes([number]) * size
    for address in found:
        arena.give(address)
    arena.give(None)
    return found


def test_buffers_do_not_overlap_and_their_memory_is_used_again(arena: ctypes.CDLL) -> None:
    sizes = [1, 64, 100_000, 4096, 3_000_000, 0, 70]
    _round(arena, sizes)
    second = _round(arena, sizes)
    assert max(second) - min(second) < sum(sizes) + 1000 * len(sizes)  # in one piece now
    assert _round(arena, sizes) == second
    assert _round(arena, sizes[:2]) == second[:2]


def test_each_thread_has_its_own_and_gives_it_back(arena: ctypes.CDLL) -> None:
    def resident() -> int:
        (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
        return int(line.split()[1]) << 10

    size = 32 << 20
    before = resident()
    for _ in range(8):
        thread = threading.Thread(target=_round, args=(arena, [size]))
        thread.start()
        thread.join()
    assert resident() - before < 4 * size
    held = arena.take(100)
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.extend(_round(arena, [100])))
    thread.start()
    thread.join()
    assert abs(elsewhere[0] - held) >= 100
    arena.give(held)


def test_nothing_outside_the_library_sees_it(arena: ctypes.CDLL) -> None:
    assert not hasattr(arena, "prepare")
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", arena._name], capture_output=True, text=True, check=True
    )
    assert {line.split()[-1] for line in listed.stdout.splitlines()} == {"take", "give"}
