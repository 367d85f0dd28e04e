"""Running a step of compiling in a process of its own, within a limit of time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from harl_mlir.integrations.torch.refusal import Refused

_TAIL_BYTES = 2000


def run(module: str, directory: Path, seconds: float, what: str) -> None:
    """Run `python -m MODULE DIRECTORY` to its end.

    `what` names the step in the sentence that says why it failed.

    Raises:
        Refused: it crashed, failed, or was not done in time.
    """
    with tempfile.TemporaryFile("w+b") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=_environment(directory),
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Refused(f"{what} did not end in {seconds:g} s; give it more with option limit") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if status != 0:
            how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            raise Refused(f"{what} failed ({how}){_last_line(output.fileno())}")


def _last_line(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode(errors="replace")
    lines = text.strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""


def _environment(directory: Path) -> dict[str, str]:
    package_root = str(Path(__file__).resolve().parents[3])
    paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # torch-mlir leaves what it could not lower in the directory for temporary files.
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "TMPDIR": str(directory),
        "OMP_NUM_THREADS": "1",
    }
