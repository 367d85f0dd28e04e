"""Why a graph is not compiled."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it is an outcome: the graph runs in eager mode
    """A graph runs in eager mode instead. The message has the reason and what to do about it."""
