"""The memory plan: where in one arena each intermediate value lies, so that few bytes serve many values."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ON_STACK", "Interval", "plan"]

ON_STACK = 256
"""Values of up to so many bytes lie on the stack, where they can become registers."""

Interval = tuple[int, int, int]
"""(first step, last step, bytes) of a value."""


def plan(intervals: Sequence[Interval], alignment: int = 64) -> tuple[list[int], int]:
    """An offset for each value, and the size of the arena: largest first, each at the lowest place that is free.

    >>> plan([(0, 1, 100), (1, 2, 100), (2, 3, 100)])
    ([0, 128, 0], 256)
    """
    offsets = [0] * len(intervals)
    placed: list[tuple[int, int, int, int]] = []
    total = 0
    for i in sorted(range(len(intervals)), key=lambda i: (-intervals[i][2], i)):
        first, last, size = intervals[i]
        size = -(-max(size, 1) // alignment) * alignment
        place = 0
        for other_first, other_last, start, end in sorted(placed, key=lambda p: p[2]):
            if other_last < first or last < other_first:
                continue
            if place + size <= start:
                break
            place = max(place, end)
        offsets[i] = place
        placed.append((first, last, place, place + size))
        total = max(total, place + size)
    return offsets, total
