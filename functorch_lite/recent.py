"""`Recent`: a dict of bounded size that keeps what is in use."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

__all__ = ["Recent"]


class Recent(dict[Any, Any]):
    """A cache that forgets what has not been asked for of late.

    It has two generations. The young one is the dict itself, so a hit costs what it costs in any dict; when that is full,
    it becomes the old one, and what was in the old one before, and has not been recalled since, is gone.

        found = recent.get(key)
        if found is None:
            found = recent.recall(key) or recent.remember(key, make())

    Args:
      most: how many entries there are at most. The last `most // 2` that were used stay.
    """

    __slots__ = ("half", "old")

    def __init__(self, most: int):
        self.half = max(1, most // 2)
        self.old: dict[Any, Any] = {}

    def recall(self, key: Hashable) -> Any:
        """What was remembered longer ago, made young again; None if it is not known."""
        value = self.old.get(key)
        return None if value is None else self.remember(key, value)

    def remember(self, key: Hashable, value: Any) -> Any:
        """Keep a value (not None); give it back."""
        if len(self) >= self.half:
            self.old = dict(self)
            self.clear()
        self[key] = value
        return value
