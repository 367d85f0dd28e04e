"""`python -m harl_mlir` and the `harl-mlir` script."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line. An interrupt that comes while modules are loaded waits until it is heeded."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    from harl_mlir.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
