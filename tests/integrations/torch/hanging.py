"""Stands in for the importer's process: it never ends."""

import time

time.sleep(600)
