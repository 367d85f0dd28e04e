"""Programs that tests run: compilers, build tools, and what they made."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def run(*words: str | Path, directory: Path, **environment: str) -> str:
    """What a program that ends well prints."""
    ended = subprocess.run(
        words,
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
