"""How much longer functions take in a draft, by which it is decided over which one takes pains (`parts.py`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

__all__ = ["Losses"]

AROUND = 0.03
"""What functions lose that have inner ones do the work, of what these lose."""


class Losses:
    """What steps told of their functions.

    Attributes:
      inner: functions that do nearly all of the work of those that call them.
      turns: how often what is written now will be called in a run.
    """

    def __init__(self) -> None:
        self.inner: set[str] = set()
        self.turns = 1.0
        self._told: dict[str, float] = {}

    def tell(self, names: Collection[str], loss: float) -> None:
        """Tell that functions that work together take about so many nanoseconds longer, each time."""
        if not loss:
            return
        inner = self.inner.intersection(names)
        for name in names:
            own = loss if name in inner or not inner else AROUND * loss
            self._told[name] = self._told.get(name, 0.0) + self.turns * own

    @contextmanager
    def repeated(self, turns: float) -> Iterator[None]:
        """What is written meanwhile is called so many times."""
        before, self.turns = self.turns, self.turns * turns
        yield
        self.turns = before

    def of(self, names: Collection[str]) -> float:
        """Nanoseconds in a run, for some functions."""
        return sum(self._told.get(name, 0.0) for name in names)

    def total(self) -> float:
        return self.of(self._told)
