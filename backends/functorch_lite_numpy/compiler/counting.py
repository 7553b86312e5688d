"""Sorting by counting: how many things belong to each part, then where the things of each part begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from .functions import Slot, load, number, store

__all__ = ["COUNT", "counts_to_starts", "increased"]

COUNT = np.dtype(np.int64)


def increased(b: Any, place: Any) -> Any:
    """Add one to the count at a place; gives the count before."""
    before = load(b, place, COUNT)
    store(b, b.add(before, number(1)), place, COUNT)
    return before


def counts_to_starts(b: Any, place: Any, total: Slot) -> None:
    """Put the sum of the counts so far in the place of a count, and add that to the sum."""
    count = load(b, place, COUNT)
    store(b, total.get(), place, COUNT)
    total.set(b.add(total.get(), count))
