"""The cache on disk: whole, the user's own, or none."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from harl_mlir.codegen.interface import CFunction, CParameter
from harl_mlir.integrations.torch.build import Built
from harl_mlir.integrations.torch.cache import Cache
from harl_mlir.integrations.torch.compiling import _cache
from harl_mlir.integrations.torch.options import Options
from harl_mlir.tasks.task import TensorType

KEY = "5" * 64
BUILT = Built(CFunction("f", "f", (CParameter("x", TensorType((2, 3), "f32"), "in"),)), (), "a library")
LIBRARY = b"\x7fELF and more"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    cache = Cache(tmp_path / "torch")
    cache.put(KEY, BUILT, LIBRARY)
    return cache


def _json(cache: Cache) -> Path:
    (path,) = cache.directory.glob("*.json")
    return path


def _library(cache: Cache) -> Path:
    (path,) = cache.directory.glob("*.so")
    return path


def test_an_entry_is_found_again_and_is_private(cache: Cache) -> None:
    found = Cache(cache.directory).get(KEY)
    assert found == (BUILT, _library(cache))
    assert _library(cache).read_bytes() == LIBRARY
    assert cache.get("6" * 64) is None
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (cache.directory, _json(cache), _library(cache))]
    assert modes == [0o700, 0o600, 0o600]
    assert not list(cache.directory.glob("*.tmp"))


def _flip(cache: Cache) -> None:
    data = bytearray(_library(cache).read_bytes())
    data[5] ^= 1
    _library(cache).write_bytes(data)


def _cut(cache: Cache) -> None:
    _json(cache).write_bytes(_json(cache).read_bytes()[:-3])


def _elsewhere(cache: Cache) -> None:
    entry = json.loads(_json(cache).read_text())
    outside = cache.directory.parent / "other.so"
    outside.write_bytes(LIBRARY)
    entry["library"] = "../other.so"
    _json(cache).write_text(json.dumps(entry))


def _linked(cache: Cache) -> None:
    outside = cache.directory.parent / "other.so"
    _library(cache).rename(outside)
    (cache.directory / json.loads(_json(cache).read_text())["library"]).symlink_to(outside)


def _another_key(cache: Cache) -> None:
    entry = json.loads(_json(cache).read_text())
    entry["key"] = KEY[:-1] + "6"
    _json(cache).write_text(json.dumps(entry))


def _writable(cache: Cache) -> None:
    _library(cache).chmod(0o666)


def _gone(cache: Cache) -> None:
    _library(cache).unlink()


FAULTS = [_flip, _cut, _elsewhere, _linked, _another_key, _writable, _gone]


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda f: f.__name__.strip("_"))
def test_a_spoilt_entry_is_none_and_is_replaced(cache: Cache, spoil: Callable[[Cache], None]) -> None:
    spoil(cache)
    assert cache.get(KEY) is None
    path = cache.put(KEY, BUILT, b"another library")
    assert cache.get(KEY) == (BUILT, path)
    assert path.read_bytes() == b"another library"


def test_an_entry_of_somebody_else_is_none(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert cache.get(KEY) is None
    with pytest.raises(OSError, match="not a directory of this user"):
        Cache(cache.directory)


def test_where_no_cache_can_be_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "harl_mlir").write_text("a file where the directory would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _cache(Options()) is None
    assert _cache(Options(cache=False)) is None
