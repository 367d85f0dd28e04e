"""What a library says while it is applied, and reading it again."""

from __future__ import annotations

import re

LEFT = "left as it was: no schedule of this library was applied to it"
"""At an op that is still a linalg op in the end."""

_MATCHED = re.compile(r"matched by @schedule_([0-9a-f]+) ")
_RESTORED = re.compile(r"restored: @schedule_([0-9a-f]+) ")


def matched(key: str, label: str) -> str:
    """At the root of a task, before its schedule runs."""
    return f"matched by @schedule_{key} ({label})"


def restored(key: str, label: str) -> str:
    """At a function in which a schedule failed."""
    return f"restored: @schedule_{key} ({label}) failed in this function"


def key_matched(message: str) -> str | None:
    """The workload key in a remark that an op was matched; None for other messages."""
    found = _MATCHED.match(message)
    return found and found.group(1)


def key_restored(message: str) -> str | None:
    """The workload key in a remark that a function was restored; None for other messages."""
    found = _RESTORED.match(message)
    return found and found.group(1)
