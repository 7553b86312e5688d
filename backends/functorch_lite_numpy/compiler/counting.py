"""Sorting by counting: how many things belong to each part, then where the things of each part begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .functions import Slot, at, counted, load, narrowed, number, store, widened
from .intrinsics import clear_memory
from .types import I8, I64, constant, memory_type

__all__ = ["BYTES", "COUNT", "counts_to_starts", "in_order_of_bytes", "in_order_of_parts", "increased"]

COUNT = np.dtype(np.int64)
BYTES = 256
"""Different ones that there are."""


def increased(b: Any, place: Any, dtype: np.dtype = COUNT) -> Any:
    """Add one to the count at a place; gives the count before."""
    before = load(b, place, dtype)
    store(b, b.add(before, constant(memory_type(dtype), 1)), place, dtype)
    return before


def counts_to_starts(b: Any, place: Any, total: Slot, dtype: np.dtype = COUNT) -> None:
    """Put the sum of the counts so far in the place of a count, and add that to the sum."""
    count = widened(b, load(b, place, dtype), dtype)
    store(b, narrowed(b, total.get(), dtype), place, dtype)
    total.set(b.add(total.get(), count))


def in_order_of_parts(
    b: Any,
    each: Callable[[Callable[[Any, Any], None]], None],
    parts: int,
    ends: Any,
    dtype: np.dtype,
    put: Callable[[Any, Any], None],
) -> None:
    """Append `put(k, x)` for each thing, where k is its place in the order of the parts; those of a part stay as they stand.

    Args:
      each: `each(do)` appends `do(x, part)` for each thing, in code that is run twice.
      ends: memory for `parts` + 1 numbers of the dtype: where the first part begins, and where each ends.
    """
    clear_memory(b, ends, number(dtype.itemsize * (parts + 1)))

    def place(part: Any) -> Any:
        return increased(b, at(b, ends, b.add(part, number(1)), dtype), dtype)

    each(lambda x, part: place(part))
    total = Slot(b, number(0))
    with counted(b, parts + 1, 1) as k:
        counts_to_starts(b, at(b, ends, k, dtype), total, dtype)
    each(lambda x, part: put(widened(b, place(part), dtype), x))


def in_order_of_bytes(
    b: Any, byte: Callable[[Any], Any], signed: bool, n: int, put: Callable[[Any, Any], None]
) -> None:
    """Append `put(k, i)` for each i below n, where k is its place in the order of `byte(i)`; equal ones stay as they stand."""
    with b.goto_entry_block():
        counts = b.alloca(I64, BYTES)
    clear_memory(b, counts, number(BYTES * COUNT.itemsize))

    def count(i: Any) -> Any:
        x = byte(i)
        return at(b, counts, b.zext(b.xor(x, constant(I8, -128)) if signed else x, I64), COUNT)

    with counted(b, n) as i:
        increased(b, count(i))
    total = Slot(b, number(0))
    with counted(b, BYTES) as k:
        counts_to_starts(b, at(b, counts, k, COUNT), total)
    with counted(b, n) as i:
        put(increased(b, count(i)), i)
