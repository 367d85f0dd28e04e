"""`python -m harl_mlir` and the `harl-mlir` script."""

from __future__ import annotations

import sys

from harl_mlir.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
