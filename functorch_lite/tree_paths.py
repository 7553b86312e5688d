"""Key paths: the way from the root of a pytree to a leaf, as data and as text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

__all__ = ["DictKey", "FlattenedIndexKey", "GetAttrKey", "KeyPath", "SequenceKey", "keystr"]


@dataclass(frozen=True)
class DictKey:
    """The way from a dict to a value: `['a']`."""

    key: Hashable

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclass(frozen=True)
class SequenceKey:
    """The way from a list or tuple to an item: `[0]`."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


@dataclass(frozen=True)
class GetAttrKey:
    """The way from an object to an attribute: `.name`."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True)
class FlattenedIndexKey:
    """The way to a child of a type that was registered without keys: `[<flat index 0>]`."""

    key: int

    def __str__(self) -> str:
        return f"[<flat index {self.key}>]"


KeyPath = tuple[Any, ...]
"""The way from the root of a tree to a leaf, key by key."""


def _simple(key: Any) -> str:
    for name in ("key", "idx", "name"):
        if isinstance(key, (DictKey, SequenceKey, GetAttrKey, FlattenedIndexKey)) and hasattr(key, name):
            return str(getattr(key, name))
    return str(key)


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A key path as text, the way one would write it after the tree.

    Args:
      keys: a key path, as `tree.flatten_with_path` gives it.
      simple: leave out brackets, quotes and dots.
      separator: what to put between keys.

    >>> path = (DictKey("layers"), SequenceKey(1), GetAttrKey("weight"))
    >>> keystr(path), keystr(path, simple=True, separator="/")
    ("['layers'][1].weight", 'layers/1/weight')
    """
    return separator.join(map(_simple if simple else str, keys))
