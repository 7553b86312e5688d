"""Sorting by counting: how many things belong to each part, then where the things of each part begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from .functions import Slot, load, store
from .types import constant, memory_type

__all__ = ["COUNT", "counts_to_starts", "increased"]

COUNT = np.dtype(np.int64)


def increased(b: Any, place: Any, dtype: np.dtype = COUNT) -> Any:
    """Add one to the count at a place; gives the count before."""
    before = load(b, place, dtype)
    store(b, b.add(before, constant(memory_type(dtype), 1)), place, dtype)
    return before


def counts_to_starts(b: Any, place: Any, total: Slot, dtype: np.dtype = COUNT) -> None:
    """Put the sum of the counts so far in the place of a count, and add that to the sum."""
    count = load(b, place, dtype)
    store(b, total.get(), place, dtype)
    total.set(b.add(total.get(), count))
