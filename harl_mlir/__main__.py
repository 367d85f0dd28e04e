"""`python -m harl_mlir` and the `harl-mlir` script."""

from __future__ import annotations

import signal
import sys

_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the command line.

    An interrupt that comes while modules are loaded waits until it is heeded; one that comes when all is
    done changes nothing: Python would let it kill the process, whose exit code says otherwise.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    from harl_mlir.cli.main import main

    try:
        return main()
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)


if __name__ == "__main__":
    sys.exit(main())
