"""Sketches, agents and runners of other distributions, found by their entry points.

An entry point `NAME = "package.module:thing"` of the group `harl_mlir.sketches`, `harl_mlir.agents` or
`harl_mlir.runners` adds one of that name. Which there are is read from metadata alone; a plug-in is imported
when it is needed: an agent or a runner when it is asked for by name, sketches when tasks are planned (and, in
a worker, when one of their schedules is made).

A plug-in whose name this package has itself, or another distribution has too, is not used: records are kept
by these names. What goes wrong in a plug-in is a `PluginError` that names the distribution. An agent or a
runner is refused by it; a sketch, which nobody asked for by name, is left out with a warning.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

from harl_mlir.errors import InputError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = Literal["sketch", "agent", "runner"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_GROUPS: Mapping[Kind, str] = {
    "sketch": "harl_mlir.sketches",
    "agent": "harl_mlir.agents",
    "runner": "harl_mlir.runners",
}


class PluginError(InputError):
    """A plug-in cannot be loaded, or does not do what it has to (exit code 1)."""


class PluginWarning(UserWarning):
    """A plug-in is not used."""


@dataclass(frozen=True)
class Plugin:
    """A sketch, agent or runner of another distribution.

    Attributes:
        name: what it is asked for by.
        distribution: name and version of the distribution that it came with.
    """

    kind: Kind
    name: str
    distribution: str
    _entry: EntryPoint

    def __str__(self) -> str:
        return f"the {self.kind} {self.name} of the plug-in {self.distribution}"

    def load(self) -> object:
        """What the entry point names.

        Raises:
            PluginError: it cannot be imported.
        """
        try:
            return self._entry.load()
        except (Exception, SystemExit) as error:
            raise self.error(f"cannot be loaded ({described(error)})") from error

    def error(self, what: str) -> PluginError:
        """The error that this plug-in cannot be loaded, or fails."""
        return PluginError(f"{self} {what}; correct or uninstall it")


def described(error: BaseException) -> str:
    """An exception of somebody else's code, in a line."""
    last = (str(error).strip().splitlines() or [""])[-1]
    return f"{type(error).__name__}: {last}" if last else type(error).__name__


def warn(what: object) -> None:
    """Say that a plug-in is not used, or not further, once for each reason."""
    warnings.warn(f"{what}; going on without it", PluginWarning, stacklevel=2)


@cache
def installed(kind: Kind) -> tuple[Plugin, ...]:
    """Every plug-in of a kind that is installed, by name, usable or not."""
    from importlib.metadata import entry_points  # takes longer to load than much of what we do

    found: list[Plugin] = []
    for entry in entry_points(group=_GROUPS[kind]):
        made_by = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        found.append(Plugin(kind, entry.name, made_by, entry))
    return tuple(sorted(found, key=lambda plugin: (plugin.name, plugin.distribution)))


def plugins(kind: Kind, taken: Collection[str]) -> dict[str, Plugin]:
    """The plug-ins of a kind by name; names that are `taken`, or that several offer, are left out."""
    by_name: defaultdict[str, list[Plugin]] = defaultdict(list)
    for plugin in installed(kind):
        by_name[plugin.name].append(plugin)
    used: dict[str, Plugin] = {}
    for name, offered in by_name.items():
        first, *others = offered
        if name in taken:
            warn(f"{first} has a name of harl_mlir's own")
        elif others:
            warn(f"{first} has a name that the plug-in {others[0].distribution} has too")
        else:
            used[name] = first
    return used
