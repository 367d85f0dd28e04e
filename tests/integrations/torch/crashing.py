"""Stands in for the importer's process: it is killed."""

import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
