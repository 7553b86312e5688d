"""What errors say where one tree differs from another."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import Any

from .tree_nodes import Kind, is_namedtuple_type

__all__ = ["described", "remedy"]


def described(kind: Kind | None, aux: Any, n: int) -> str:
    """A container with n children, in words."""
    if kind is None:
        return "a leaf"
    if kind.type is type(None):
        return "None"
    if kind.type in (tuple, list):
        return f"a {kind.type.__name__} of length {n}"
    keys = aux if kind.type in (dict, OrderedDict) else aux[1] if kind.type is defaultdict else None
    name = kind.type.__name__
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    if keys is not None:
        factory = f"{aux[0]!r} and " if kind.type is defaultdict else ""
        return f"{article} {name} with {factory}keys [{', '.join(map(repr, keys))}]"
    if is_namedtuple_type(kind.type):
        return f"the namedtuple {name}"
    data = "" if aux is None else f" and structure {aux!r}"
    return f"{article} {name} with {n} child{'ren' * (n != 1)}{data}"


def remedy(kind: Kind, needed: Any, found: Any) -> str:
    """What to do about a container that is not the one needed.

    Args:
      kind: what is needed.
      needed: its auxiliary data.
      found: that of the container that came; None if it is of another kind.
    """
    if kind.type is type(None):
        return "None is a container without children; is_leaf=lambda x: x is None makes it a leaf."
    if kind.type is not dict or found is None:
        return "both trees need the same containers."
    missing = [k for k in needed if k not in found]
    extra = [k for k in found if k not in needed]
    words = [f"{word} {', '.join(map(repr, ks))}" for word, ks in [("missing", missing), ("too many", extra)] if ks]
    return f"{'; '.join(words)}: both dicts need the same keys."
