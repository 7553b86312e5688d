"""The plan of a convolution: its axes, tiles and chunks, what lies where in scratch memory, what threads share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import ir, processor
from .memory import aligned
from .pieces import turns_of
from .types import register_type
from .unit import Unit
from .views import View, row_major

__all__ = ["Memory", "Plan", "Tile"]

TAPS = 1 << 11
"""Up to so many taps are one chunk."""
FILTERS = 1 << 18
"""Bytes of packed filters in a chunk, where chunks are the outer loop."""
SPEED = 50
"""Multiplications of a thread in a nanosecond, of 4 bytes."""
PIECE = 40e3
"""Nanoseconds of work that a piece has at least."""


class Tile(NamedTuple):
    """vectors of outputs, and the box of positions (batch, *space)."""

    vectors: int
    box: tuple[int, ...]


def choose_tile(positions: Sequence[int], vectors: int, registers: int) -> Tile:
    """The tile with which the loops take the fewest instructions."""
    best, least = None, math.inf
    for v in range(1, min(vectors, 4) + 1):
        for box in boxes(positions, (registers - 2 - v) // v):
            size = math.prod(box)
            count = math.prod(-(-n // t) for n, t in zip(positions, box, strict=True)) * -(-vectors // v)
            cost = count * (max(v * size, 8) + (v + size) / 4 + 1 + size / box[-1] / 8)
            if cost < least:
                best, least = Tile(v, box), cost
    assert best is not None
    return best


def boxes(positions: Sequence[int], room: int) -> Iterator[tuple[int, ...]]:
    """Boxes of up to `room` positions: they reach into an axis outside the last two only if they fill those."""
    if len(positions) == 1:
        yield from ((t,) for t in range(1, min(positions[0], room) + 1))
        return
    outside, (n, m) = positions[:-2], positions[-2:]
    ones = (1,) * len(outside)
    for u in range(1, min(m, room) + 1):
        yield from ((*ones, t, u) for t in range(1, min(n, room // u) + 1))
    if outside and n * m <= room:
        yield from ((*outer, n, m) for outer in boxes(outside, room // (n * m)))


class _Axis(NamedTuple):
    """An axis of space: lengths of x, window and result, and how they meet."""

    n: int
    window: int
    out: int
    stride: int
    low: int
    lhs: int
    rhs: int

    @property
    def span(self) -> int:
        """How much of the dilated and padded x is read."""
        return (self.out - 1) * self.stride + (self.window - 1) * self.rhs + 1

    @property
    def needs_copy(self) -> bool:
        return (self.lhs > 1 and self.n > 1) or self.low > 0 or self.span - self.low > self.n

    @property
    def kept(self) -> tuple[int, int]:
        """The elements of x that are read: the first, and the one behind the last."""
        first = max(0, -(self.low // self.lhs))
        return first, max(first, min(self.n, (self.span - 1 - self.low) // self.lhs + 1))


class Memory(NamedTuple):
    """Where in the scratch memory what lies."""

    filters: Any
    table: Any
    copied: Any
    sums: Any


class Plan:
    """What is known of a convolution before code is written.

    Attributes:
      words: whether elements are pairs of integers (see `words.py`).
      scratch: how many bytes it needs.
      duration: about how many nanoseconds one thread takes for a group.
    """

    def __init__(self, unit: Unit, dtype: np.dtype, x: View, w: View, out: View, params: dict[str, Any]):
        self.unit, self.dtype, self.x, self.w, self.out = unit, dtype, x, w, out
        self.groups, self.words = params["groups"], params.get("words", False)
        self.channels, self.outputs = w.shape[1], w.shape[0] // self.groups
        low = [a for a, _ in params["padding"]]
        rows: Any = zip(
            x.shape[2:],
            w.shape[2:],
            out.shape[2:],
            params["strides"],
            low,
            params["lhs_dilation"],
            params["rhs_dilation"],
            strict=True,
        )
        self.axes = [_Axis._make(row) for row in rows]
        self.scalar = register_type(dtype)
        self.size = dtype.itemsize
        self.lanes = processor.vector_bytes() // self.size
        while self.lanes > 4 and self.lanes // 2 >= self.outputs:
            self.lanes //= 2
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.positions = (x.shape[0], *(a.out for a in self.axes))
        self.tile = choose_tile(
            self.positions, -(-self.outputs // self.lanes), 32 if processor.vector_bytes() == 64 else 16
        )
        self.block = self.tile.vectors * self.lanes
        self.blocks = -(-self.outputs // self.block)
        self.grid = [-(-n // t) for n, t in zip(self.positions, self.tile.box, strict=True)]
        self.room = -(-math.prod(self.tile.box) // self.lanes) * self.lanes * self.block
        self.choose_chunks()
        self.choose_memory()
        self.choose_shares()

    def choose_chunks(self) -> None:
        """How many channels, and how much of the window's first axis, a chunk has."""
        window = [a.window for a in self.axes]
        all_filters, result = self.channels * math.prod(window) * self.outputs, math.prod(self.positions) * self.outputs
        self.chunks_outside = all_filters > result
        limit = min(TAPS, FILTERS // (self.blocks * self.block * self.size)) if self.chunks_outside else TAPS
        area = math.prod(window)
        self.chunk = [self.channels, *window]
        if area <= limit or not window:
            self.chunk[0] = min(self.channels, max(1, limit // area))
        else:
            self.chunk[:2] = [1, max(1, limit // math.prod(window[1:]))]
        self.steps = [-(-n // c) for n, c in zip((self.channels, *window), self.chunk, strict=True)][:2]
        self.taps = math.prod(self.chunk)
        self.area = math.prod(self.chunk[1:])
        self.chunks = math.prod(self.steps)

    def choose_memory(self) -> None:
        """The copy of x, if it needs one, and what lies where in the scratch memory."""
        self.copies = any(a.needs_copy for a in self.axes)
        self.source = self.x
        if self.copies:
            shape = (self.tile.box[0], self.chunk[0], *(a.span for a in self.axes))
            self.source = (_channels_last if self.x.strides[1] == 1 else _channels_first)(shape, 64 // self.size)
        self.needs = Memory(
            self.taps * self.block * self.blocks * (1 if self.chunks_outside else self.chunks) * self.size,
            4 * self.taps,
            self.source.shape[0] * self.source.strides[0] * self.size if self.copies else 0,
            self.room * self.count_of_tiles * self.size,
        )
        """Bytes."""
        self.scratch = sum(aligned(n) for n in self.needs)

    @property
    def count_of_tiles(self) -> int:
        """How many tiles are under way at a time."""
        if self.chunks == 1:
            return 1
        each = self.blocks * math.prod(self.grid[1:])
        return each * self.grid[0] if self.chunks_outside else each

    @property
    def duration(self) -> float:
        """About how many nanoseconds one thread takes for a group."""
        taps = self.channels * math.prod(a.window for a in self.axes)
        return math.prod(self.positions) * self.blocks * self.block * taps * self.size / 4 / SPEED

    def choose_shares(self) -> None:
        """How many parts of the batch a thread does at a time: all of them if it is little work, or there is only one. Then
        threads may share what a part is made of: lines of tiles."""
        n, lines = self.grid[0], self.blocks * math.prod(self.grid[1:2])
        self.batch_turns = turns_of(n, self.duration / (self.chunks if self.chunks_outside else 1), PIECE)
        self.shares_batch = self.batch_turns < n
        self.line_turns = lines if self.shares_batch else turns_of(lines, self.duration / self.chunks / n, PIECE)


def _channels_first(shape: Sequence[int], line: int) -> View:
    """Channel by channel; they fall into different sets of the cache."""
    channel = _odd(row_major(shape).strides[1], line)
    return View(tuple(shape), (shape[1] * channel, channel, *row_major(shape).strides[2:]))


def _channels_last(shape: Sequence[int], line: int) -> View:
    """The channels of a place side by side; places fall into different sets of the cache."""
    batch, channels, *space = shape
    place = _odd(channels, line) if channels > line else channels
    outer, *inner = (n * place for n in row_major((batch, *space)).strides)
    return View(tuple(shape), (outer, 1, *inner))


def _odd(n: int, line: int) -> int:
    """At least n elements: an odd number of cache lines."""
    return (-(-n // line) | 1) * line
