"""A long line sorted by several threads: its elements are put into buckets, each of which one thread sorts.

A sorted sample says where buckets begin. Blocks of the line are gone over by several threads: which bucket each element belongs to,
and how many there are; then each element goes there, in order. Equal elements are in one bucket, so the result is what sorting at
one go gives, and where there are no other threads that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .counting import COUNT, counts_to_starts, increased
from .functions import Slot, at, counted, lanes_of, load, number, store
from .intrinsics import clear_memory, copy_memory, intrinsic
from .memory import aligned
from .ordering import ahead
from .pieces import in_pieces, is_alone, range_of
from .types import I8, I64, constant, register_type, splat
from .unit import Unit

__all__ = ["is_long", "room_for", "sort_in_buckets"]

LONG = 1 << 16
"""Elements of a line that is worth it."""
BUCKETS = BLOCKS = 16
SAMPLE = 256
"""Elements by which buckets are chosen."""
BYTE = np.dtype(np.uint8)

Sort = Callable[[Any, Any, Any], None]


def is_long(n: int) -> bool:
    """Whether threads should share the sorting of a line of so many elements."""
    return n >= LONG


def room_for(n: int, itemsize: int) -> int:
    """Bytes of memory that it takes: another line, the sample, numbers of buckets, and counts."""
    return (n + SAMPLE) * itemsize + n + 64 + BLOCKS * BUCKETS * COUNT.itemsize


def sort_in_buckets(unit: Unit, b: Any, line: Any, room: Any, n: int, dtype: np.dtype, sort: Sort) -> None:
    """Sort a line; `sort(b, pointer, n)` sorts one at one go."""
    with b.if_else(is_alone(unit, b)) as (alone, shared):
        with alone:
            sort(b, line, number(n))
        with shared:
            _Buckets(n, dtype, sort).run(unit, b, line, room)


class _Buckets:
    """The code for a line of so many elements. Pointers go together: to the line, the other line, the sample, buckets, counts."""

    def __init__(self, n: int, dtype: np.dtype, sort: Sort):
        self.n, self.dtype, self.sort = n, dtype, sort
        self.width = lanes_of(dtype)
        self.length = -(-n // BLOCKS // self.width) * self.width

    def run(self, unit: Unit, b: Any, line: Any, room: Any) -> None:
        sample = at(b, room, self.n, self.dtype)
        counts = at(b, room, aligned((self.n + SAMPLE) * self.dtype.itemsize), BYTE)
        buckets = at(b, counts, BLOCKS * BUCKETS, COUNT)
        pointers = [line, room, sample, buckets, counts]
        with counted(b, SAMPLE) as k:
            x = load(b, at(b, line, b.mul(k, number(self.n // SAMPLE)), self.dtype), self.dtype)
            store(b, x, at(b, sample, k, self.dtype), self.dtype)
        self.sort(b, sample, number(SAMPLE))
        clear_memory(b, counts, number(BLOCKS * BUCKETS * COUNT.itemsize))
        in_pieces(unit, b, BLOCKS, pointers, self.count)
        self.add_up(b, counts)
        in_pieces(unit, b, BLOCKS, pointers, self.distribute)
        in_pieces(unit, b, BUCKETS, pointers, self.sort_bucket)

    def place(self, b: Any, counts: Any, block: Any, bucket: Any) -> Any:
        """Where the count of a bucket's elements in a block is."""
        return at(b, counts, b.add(b.mul(block, number(BUCKETS)), bucket), COUNT)

    def count_one(self, b: Any, counts: Any, block: Any, buckets: Any, i: Any) -> Any:
        """Count element i of a block; gives the count before."""
        bucket = b.zext(load(b, at(b, buckets, i, BYTE), BYTE), I64)
        return increased(b, self.place(b, counts, block, bucket))

    def count(self, b: Any, pointers: Sequence[Any], block: Any) -> None:
        """Say of each element of a block which bucket it belongs to, and count them."""
        line, _, sample, buckets, counts = pointers
        begin, end = range_of(b, block, self.length, self.n)
        bounds = [load(b, at(b, sample, k * SAMPLE // BUCKETS, self.dtype), self.dtype) for k in range(1, BUCKETS)]
        with counted(b, end, begin, self.width) as i:
            i = intrinsic(b, "smin", i, number(self.n - self.width))
            x = load(b, at(b, line, i, self.dtype), self.dtype, self.width)
            type = register_type(BYTE, self.width)
            bucket = splat(b, constant(I8, BUCKETS - 1), self.width)
            for bound in bounds:
                before = ahead(b, splat(b, bound, self.width), x, self.dtype)
                bucket = b.sub(bucket, b.zext(before, type))
            store(b, bucket, at(b, buckets, i, BYTE), BYTE)
        with counted(b, end, begin) as i:
            self.count_one(b, counts, block, buckets, i)

    def add_up(self, b: Any, counts: Any) -> None:
        """From counts to where the elements of each bucket and block go."""
        total = Slot(b, number(0))
        with counted(b, BUCKETS) as bucket, counted(b, BLOCKS) as block:
            counts_to_starts(b, self.place(b, counts, block, bucket), total)

    def distribute(self, b: Any, pointers: Sequence[Any], block: Any) -> None:
        line, other, _, buckets, counts = pointers
        begin, end = range_of(b, block, self.length, self.n)
        with counted(b, end, begin) as i:
            x = load(b, at(b, line, i, self.dtype), self.dtype)
            target = self.count_one(b, counts, block, buckets, i)
            store(b, x, at(b, other, target, self.dtype), self.dtype)

    def sort_bucket(self, b: Any, pointers: Sequence[Any], bucket: Any) -> None:
        """Counts of the last block are where buckets end by now."""
        line, other, *_, counts = pointers
        before = intrinsic(b, "smax", b.sub(bucket, number(1)), number(0))
        first, end = (load(b, self.place(b, counts, number(BLOCKS - 1), k), COUNT) for k in (before, bucket))
        begin = b.select(b.icmp_unsigned("==", bucket, number(0)), number(0), first)
        length = b.sub(end, begin)
        with b.if_then(b.icmp_signed(">", length, number(0))):
            here = at(b, other, begin, self.dtype)
            self.sort(b, here, length)
            copy_memory(b, at(b, line, begin, self.dtype), here, b.mul(length, number(self.dtype.itemsize)))
