"""Which backends are installed: the entry points of one group.

`importlib.metadata` knows, and takes longer to import than all of this library. So the folders of `sys.path` are looked through
for a name first; where they say nothing, or not one thing, it is asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from .errors import BackendError

__all__ = ["GROUP", "entry_points", "find"]

GROUP = "functorch_lite.backends"


def entry_points() -> dict[str, str]:
    """All of them: name -> `module:class`."""
    import importlib.metadata  # where it is needed, which is hardly ever

    found: dict[str, str] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        other = found.setdefault(point.name, point.value)
        if other != point.value:
            raise BackendError(
                f"two installed packages name a backend {point.name!r}: {other} and {point.value}. Uninstall one of them."
            )
    return found


def find(name: str) -> str | None:
    """`module:class` of the backend of that name; None if none is installed."""
    values = {value for path in _files() for key, value in _read(path) if key == name}
    return values.pop() if len(values) == 1 else entry_points().get(name)


def _files() -> Iterator[str]:
    """The lists of entry points that packages have brought along."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:  # an archive, or nothing
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                yield os.path.join(folder, name, "entry_points.txt")


def _read(path: str) -> Iterator[tuple[str, str]]:
    """The names and values of our group in such a list, which has the form of an ini file."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError):
        return
    group = ""
    for line in map(str.strip, lines):
        if line.startswith("["):
            group = line.strip("[]")
        elif group == GROUP and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()
