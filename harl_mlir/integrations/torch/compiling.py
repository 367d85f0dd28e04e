"""From a graph to a shared library: the cache, the two processes that make what is not in it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import torch

from harl_mlir import __version__
from harl_mlir.codegen.openmp import load_runtime
from harl_mlir.codegen.version import LOWERING_VERSION
from harl_mlir.errors import HarlError
from harl_mlir.export.loaded import LoadedFunction, load
from harl_mlir.files import default_database
from harl_mlir.integrations.torch import child
from harl_mlir.integrations.torch.build import Built
from harl_mlir.integrations.torch.cache import FORMAT, Cache
from harl_mlir.integrations.torch.options import Options
from harl_mlir.integrations.torch.refusal import Refused
from harl_mlir.processor import this_processor
from harl_mlir.records.database import Database
from harl_mlir.records.record import bindings_version

_IMPORTER = "harl_mlir.integrations.torch.importer"
_BUILDER = "harl_mlir.integrations.torch.build"


def compiled(data: dict[str, Any], options: Options) -> LoadedFunction:
    """The function of a graph, as `exchange.encode` gives it: from the cache, or made now.

    Raises:
        Refused: it cannot be compiled; the message says why.
    """
    try:
        key = _key(data, options)
        cache = _cache(options)
        found = cache.get(key) if cache else None
        if options.threads > 1:
            # Before a library asks for it: its idle threads are to sleep.
            load_runtime()
        return _loaded(*found) if found else _made(data, options, key, cache)
    except (OSError, HarlError) as error:
        raise Refused(str(error)) from error


def _loaded(built: Built, library: Path) -> LoadedFunction:
    return load(library, [built.function])[built.function.name]


def _made(data: dict[str, Any], options: Options, key: str, cache: Cache | None) -> LoadedFunction:
    with tempfile.TemporaryDirectory(prefix="harl-torch-") as name:
        directory = Path(name)
        (directory / "graph.json").write_text(json.dumps(data), encoding="utf-8")
        (directory / "options.json").write_bytes(msgspec.json.encode(options, enc_hook=str))
        child.run(_IMPORTER, directory, options.limit, "importing it")
        _heed_refusal(directory)
        seconds = options.limit + (options.most_seconds if options.measures else 0.0)
        child.run(_BUILDER, directory, seconds, "compiling it")
        _heed_refusal(directory)
        built = msgspec.json.decode((directory / "built.json").read_bytes(), type=Built)
        library = directory / "kernel.so"
        if cache is not None:
            with contextlib.suppress(OSError):  # a full disk
                library = cache.put(key, built, library.read_bytes())
        # What is loaded stays in memory when its file is gone.
        return _loaded(built, library)


def _cache(options: Options) -> Cache | None:
    """The cache on disk; None where there shall or can be none."""
    if options.cache:
        with contextlib.suppress(OSError, HarlError):
            return Cache()
    return None


def _heed_refusal(directory: Path) -> None:
    refusal = directory / "refusal.txt"
    if refusal.exists():
        raise Refused(refusal.read_text(encoding="utf-8"))


def _key(data: dict[str, Any], options: Options) -> str:
    """Everything that the library depends on, as a hash."""
    processor = this_processor()
    chosen = asdict(options)
    for name in ("threads", "cache", "limit", "pack", "database", "library"):
        chosen.pop(name)
    if options.library is not None:
        chosen = {
            "library": hashlib.sha256(options.library.read_bytes()).hexdigest(),
            "accuracy": options.accuracy,
        }
    elif not options.measures:
        chosen = {"records": _records(options), "accuracy": options.accuracy}
    content = {
        "graph": data,
        "options": chosen,
        "processor": [processor.name, *processor.features],
        "threads": options.threads,
        "versions": [FORMAT, LOWERING_VERSION, bindings_version(), str(torch.__version__), __version__],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _records(options: Options) -> list[Any]:
    """Which records there are to choose from: a database only grows."""
    path = options.database or default_database()
    if not path.exists():
        return []
    with Database(path) as database:
        return [str(path), database.count()]
