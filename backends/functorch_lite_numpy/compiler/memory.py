"""The memory plan: where each intermediate value lies, so that few bytes serve many values.

In memory of results that are yet to be written, where there is room; else in one arena.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["LINE", "ON_STACK", "Interval", "Place", "aligned", "plan"]

LINE = 64
"""Bytes that come from memory together."""
ON_STACK = 256
"""Values of up to so many bytes lie on the stack, where they can become registers."""

LENT = 1 << 12
"""Values of fewer bytes stay in the arena, where they are near to each other."""


def aligned(size: int) -> int:
    """So many bytes, in whole lines of memory."""
    return -(-size // LINE) * LINE


class Interval(NamedTuple):
    """A value: first step, last step, bytes, and whether it lies at a multiple of the alignment, as the arena does."""

    first: int
    last: int
    size: int
    aligned: bool = False


Place = tuple[int, int]
"""(which memory, offset)."""


def plan(
    intervals: Sequence[Interval], lenders: Sequence[tuple[int, int]] = (), alignment: int = LINE
) -> tuple[list[Place], int]:
    """A place for each value, and the size of the arena: largest first, each at the lowest place that is free.

    Args:
      intervals: of the values.
      lenders: (first step, bytes) of other memory, which is free before that step.
      alignment: of offsets.

    Returns:
      the places, in memory k of the lenders, or in the arena, which comes behind them; and its size.

    >>> plan([Interval(0, 1, 100), Interval(1, 2, 100), Interval(2, 3, 100)])
    ([(0, 0), (0, 128), (0, 0)], 228)
    >>> plan([Interval(0, 1, 5000), Interval(1, 2, 5000), Interval(2, 3, 5000)], [(4, 9000)])
    ([(0, 0), (1, 0), (0, 0)], 5000)
    """
    places: list[Place] = [(0, 0)] * len(intervals)
    placed: list[list[tuple[int, int, int, int]]] = [[] for _ in range(len(lenders) + 1)]
    """What is in each memory, by offset."""
    total = 0
    for i in sorted(range(len(intervals)), key=lambda i: (-intervals[i].size, i)):
        first, last, size, aligned = intervals[i]
        extent = -(-max(size, 1) // alignment) * alignment
        for k, (until, room) in enumerate(lenders if size >= LENT and not aligned else ()):
            if last < until and size <= room:
                offset = _lowest(placed[k], first, last, extent)
                if offset + size <= room:
                    break
        else:
            k, offset = len(lenders), _lowest(placed[-1], first, last, extent)
            total = max(total, offset + size)
        places[i] = k, offset
        insort(placed[k], (offset, offset + extent, first, last))
    return places, total


def _lowest(placed: Sequence[tuple[int, int, int, int]], first: int, last: int, extent: int) -> int:
    """The lowest offset at which so many bytes are free from one step to another."""
    place = 0
    for start, end, other_first, other_last in placed:
        if other_last < first or last < other_first:
            continue
        if place + extent <= start:
            break
        place = max(place, end)
    return place
