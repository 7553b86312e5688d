"""`top_k`: the first elements of a line in descending order, without sorting the line.

A few of a short line are kept in order while it is gone over. Else candidates are gathered in a buffer, at first the beginning of
the line. Whenever the buffer is full it is sorted, and the best k stay; the last of these is what an element further on has to be
ahead of to become a candidate. So nearly all vectors of a long line are only compared, and a line in ascending order is sorted in
stretches. Equal elements do not get ahead: the lower index wins.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import numpy as np

from functorch_lite.extend import Equation

from . import ir
from .functions import Slot, at, counted, lanes_of, load, number, store, stored_as
from .intrinsics import copy_memory, intrinsic
from .memory import aligned
from .ordering import ahead
from .pieces import turns_in_pieces
from .sorting import NANOSECONDS, PLACE, Line, Sorting, fill_with_words, is_short, place_of, while_, word
from .types import I1, I32, I64, constant, splat

__all__ = ["TopKStep"]

FEW, SHORT = 32, 1 << 13
"""So many of a line of so many are kept in order."""
CANDIDATES = 1 << 8
"""The buffer has room for so many at least,"""
TIMES = 4
"""and for so many times as many as are wanted."""


class TopKStep(Sorting):
    """Lines along the last axis."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return equation.results[1].type.dtype == np.int32 and super().accepts(equation)

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        t = equation.operands[0].type
        self.k, self.n, self.lines = equation.params["k"], t.shape[-1], t.size // t.shape[-1]
        self.dtype = stored_as(t.dtype)
        self.width = min(2 * lanes_of(self.dtype), 64)
        self.few = self.k <= FEW and self.n <= SHORT
        rest = max(self.n - max(TIMES * self.k, CANDIDATES), 0) // self.width * self.width
        self.first = self.n - rest
        """So many elements are candidates from the beginning. As many are a full buffer; a vector more may be put in."""
        self.candidates = _Words if is_short(self.dtype, self.n) else _Pairs
        self.pieces = [aligned((self.first + self.width) * size) for size in self.candidates.sizes(self.dtype)]
        self.scratch = 0 if self.few else sum(self.pieces)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        duration = self.lines * (self.n + NANOSECONDS * self.first * math.log2(self.first + 1))

        def turn(b: Any, pointers: Sequence[Any], scratch: Any, i: Any) -> None:
            starts = [b.mul(i, number(n)) for n in (self.n, self.k, self.k)]
            dtypes = (self.dtype, self.dtype, np.dtype(np.int32))
            x, values, places = (Line(at(b, p, s, d), d) for p, s, d in zip(pointers, starts, dtypes, strict=True))
            if self.few:
                self.keep_in_order(b, x, values, places)
            else:
                self.select(b, x, values, places, scratch)

        turns_in_pieces(self.unit, b, self.lines, duration, [*operands, *results], (scratch, self.scratch), turn)

    def select(self, b: Any, x: Line, values: Line, places: Line, scratch: Any) -> None:
        starts = accumulate(self.pieces[:-1], initial=0)
        found = self.candidates(self, x, [at(b, scratch, start, np.dtype(np.uint8)) for start in starts])
        found.begin(b)
        count, position = Slot(b, number(self.first)), Slot(b, number(self.first))
        new = Slot(b, constant(I1, 1))
        with while_(b, new.get):
            found.sort(b, count.get())
            count.set(number(self.k))
            if self.first < self.n:
                self.search(b, x, found, count, position)
            new.set(b.icmp_signed(">", count.get(), number(self.k)))
        with counted(b, self.k) as j:
            place = found.place(b, j)
            values.set(b, j, x.get(b, place))
            places.set(b, j, b.trunc(place, I32))

    def search(self, b: Any, x: Line, found: _Candidates, count: Slot, position: Slot) -> None:
        """Add candidates until the buffer is full, or the line is over."""
        limit = x.get(b, found.place(b, number(self.k - 1)))

        def going_on() -> Any:
            inside = b.icmp_signed("<", position.get(), number(self.n))
            return b.and_(inside, b.icmp_signed("<=", count.get(), number(self.first)))

        with while_(b, going_on):
            start = position.get()
            position.set(b.add(start, number(self.width)))
            with self.ahead_of(b, limit, x, start) as place:
                found.add(b, count.get(), place)
                count.set(b.add(count.get(), number(1)))

    @contextmanager
    def ahead_of(self, b: Any, limit: Any, x: Line, start: Any) -> Iterator[Any]:
        """Code for each element of a vector that is ahead of the limit; gives its place."""
        bits = ir.IntType(self.width)
        none, one = constant(bits, 0), constant(bits, 1)
        some = load(b, x.at(b, start), self.dtype, self.width)
        left = Slot(b, b.bitcast(ahead(b, some, splat(b, limit, self.width), self.dtype), bits))
        with while_(b, lambda: b.icmp_unsigned("!=", left.get(), none)):
            lane = intrinsic(b, "cttz", left.get(), constant(I1, 1))
            left.set(b.and_(left.get(), b.sub(left.get(), one)))
            yield b.add(start, b.zext(lane, I64) if self.width < 64 else lane)

    def keep_in_order(self, b: Any, x: Line, values: Line, places: Line) -> None:
        """Go over a line with the best so far at hand, in order."""
        values.set(b, number(0), x.get(b, number(0)))
        places.set(b, number(0), constant(I32, 0))
        with counted(b, self.k, 1) as j:
            self.insert(b, x.get(b, j), j, j, values, places)
        last = number(self.k - 1)

        def consider(j: Any) -> None:
            value = x.get(b, j)
            with b.if_then(ahead(b, value, values.get(b, last), self.dtype)):
                self.insert(b, value, j, last, values, places)

        whole = (self.n - self.k) // self.width * self.width
        if whole:
            with (
                counted(b, self.k + whole, self.k, self.width) as start,
                self.ahead_of(b, values.get(b, last), x, start) as j,
            ):
                consider(j)
        if self.k + whole < self.n:
            with counted(b, self.n, self.k + whole) as j:
                consider(j)

    def insert(self, b: Any, value: Any, place: Any, gap: Any, values: Line, places: Line) -> None:
        """Put an element where it belongs: those behind it move up to `gap`."""
        here = Slot(b, gap)

        def smaller() -> Any:
            inside = b.icmp_signed(">", here.get(), number(0))
            before = b.select(inside, b.sub(here.get(), number(1)), number(0))
            return b.and_(inside, ahead(b, value, values.get(b, before), self.dtype))

        with while_(b, smaller):
            before = b.sub(here.get(), number(1))
            for line in (values, places):
                line.set(b, here.get(), line.get(b, before))
            here.set(before)
        values.set(b, here.get(), value)
        places.set(b, here.get(), b.trunc(place, I32))


class _Candidates:
    """A buffer of elements of a line x, and their places there: `pieces` of memory."""

    @staticmethod
    def sizes(dtype: np.dtype) -> list[int]:
        """The bytes of each piece, for a candidate."""
        raise NotImplementedError

    def __init__(self, step: TopKStep, x: Line, pieces: Sequence[Any]):
        self.step, self.x, self.pieces = step, x, pieces

    def begin(self, b: Any) -> None:
        """Put in the first elements of the line."""
        raise NotImplementedError

    def add(self, b: Any, k: Any, place: Any) -> None:
        """Put in an element as number k."""
        raise NotImplementedError

    def sort(self, b: Any, n: Any) -> None:
        """Put the best of n candidates first, in descending order."""
        raise NotImplementedError

    def place(self, b: Any, k: Any) -> Any:
        """The place of candidate k in the line."""
        raise NotImplementedError


class _Words(_Candidates):
    """Of up to 32 bits: words of an element and its place."""

    @staticmethod
    def sizes(dtype: np.dtype) -> list[int]:
        return [PLACE.itemsize]

    def begin(self, b: Any) -> None:
        fill_with_words(b, self.x, self.pieces[0], self.step.first, descending=True)

    def add(self, b: Any, k: Any, place: Any) -> None:
        value = word(b, self.x.get(b, place), self.x.dtype, place, descending=True)
        store(b, value, at(b, self.pieces[0], k, PLACE), PLACE)

    def sort(self, b: Any, n: Any) -> None:
        self.step.sort(b, self.pieces[0], n, np.dtype(np.uint64))

    def place(self, b: Any, k: Any) -> Any:
        return place_of(b, load(b, at(b, self.pieces[0], k, PLACE), PLACE))


class _Pairs(_Candidates):
    """Longer ones: elements and places apart, and room to put both in order."""

    @staticmethod
    def sizes(dtype: np.dtype) -> list[int]:
        return [dtype.itemsize, dtype.itemsize, PLACE.itemsize, PLACE.itemsize, PLACE.itemsize]

    def __init__(self, step: TopKStep, x: Line, pieces: Sequence[Any]):
        super().__init__(step, x, pieces)
        dtypes = (x.dtype, x.dtype, PLACE, PLACE, PLACE)
        self.keys, self.sorted, self.places, self.order, self.back = map(Line, pieces, dtypes)

    def begin(self, b: Any) -> None:
        copy_memory(b, self.keys.pointer, self.x.pointer, self.step.first * self.x.dtype.itemsize)
        with counted(b, self.step.first) as j:
            self.places.set(b, j, j)

    def add(self, b: Any, k: Any, place: Any) -> None:
        self.keys.set(b, k, self.x.get(b, place))
        self.places.set(b, k, place)

    def sort(self, b: Any, n: Any) -> None:
        self.step.quick_order(b, self.keys.pointer, self.order.pointer, n, self.x.dtype)
        with counted(b, n) as j:
            k = self.order.get(b, b.sub(b.sub(n, number(1)), j))
            self.back.set(b, j, k)
            self.sorted.set(b, j, self.keys.get(b, k))
        self.step.settle(b, self.sorted, self.back.pointer, n)
        with counted(b, self.step.k) as j:
            self.order.set(b, j, self.place(b, self.back.get(b, j)))
            self.keys.set(b, j, self.sorted.get(b, j))
        copy_memory(b, self.places.pointer, self.order.pointer, self.step.k * PLACE.itemsize)

    def place(self, b: Any, k: Any) -> Any:
        return self.places.get(b, k)
