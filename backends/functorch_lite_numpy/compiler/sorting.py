"""Sorts by NumPy's own, called by their addresses: they are vector code, need nothing of Python, and give eager's bits.

Orders of keys of up to 32 bits: words of a key and its place are sorted, but keys of a byte are counted. For longer ones
NumPy's quick argsort, which is not stable; it is made so behind it: the places of equal elements are sorted.
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
from .buckets import is_long, room_for, sort_in_buckets
from .counting import BYTES, in_order_of_bytes
from .functions import FunctionStep, Slot, at, counted, lanes_of, load, number, store, stored_as, vectors
from .intrinsics import copy_memory
from .memory import aligned
from .ordering import around
from .outside import arg_sorter, sorter
from .pieces import turns_in_pieces
from .types import I32, PTR, constant, is_vector, lanes, parts_of, real_dtype, register_type, splat

__all__ = [
    "NANOSECONDS",
    "PLACE",
    "Line",
    "SortStep",
    "Sorting",
    "fill_with_words",
    "is_short",
    "place_of",
    "while_",
    "word",
]

PLACE = np.dtype(np.int64)
NANOSECONDS = 2.0
"""Of a comparison."""


class Line:
    """Elements a fixed distance apart; complex ones are vectors of two."""

    def __init__(self, pointer: Any, dtype: np.dtype, stride: int = 1):
        self.pointer, self.dtype, self.stride = pointer, dtype, stride

    def at(self, b: Any, j: Any) -> Any:
        stride = self.stride * parts_of(self.dtype)
        return at(b, self.pointer, j if stride == 1 else b.mul(j, number(stride)), real_dtype(self.dtype))

    def parts(self, b: Any) -> list[Line]:
        """The lines of real numbers in it."""
        dtype, n = real_dtype(self.dtype), parts_of(self.dtype)
        return [Line(at(b, self.pointer, k, dtype), dtype, n * self.stride) for k in range(n)]

    def get(self, b: Any, j: Any) -> Any:
        return load(b, self.at(b, j), real_dtype(self.dtype), parts_of(self.dtype))

    def set(self, b: Any, j: Any, value: Any) -> None:
        store(b, value, self.at(b, j), real_dtype(self.dtype))


@contextmanager
def while_(b: Any, test: Any) -> Iterator[None]:
    """Code that is repeated while `test()` gives true."""
    head, body, done = (b.function.append_basic_block(f"while.{part}") for part in ("head", "body", "done"))
    b.branch(head)
    b.position_at_end(head)
    b.cbranch(test(), body, done)
    b.position_at_end(body)
    yield
    b.branch(head)
    b.position_at_end(done)


class Sorting(FunctionStep):
    """Code that sorts lines."""

    room: Any = None
    """Memory for another line, while the code of a long one is written, which threads share; None: there are many lines."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtypes = [stored_as(real_dtype(a.type.dtype)) for a in equation.operands]
        return all(sorter(d) and arg_sorter(d) for d in (*dtypes, PLACE))

    def sort(self, b: Any, pointer: Any, n: Any, dtype: np.dtype) -> None:
        nothing = ir.Constant(PTR, None)
        self.unit.call_outside(b, f"sort.{dtype.name}", I32, [pointer, n, nothing])

    def sort_line(self, b: Any, pointer: Any, n: int, dtype: np.dtype) -> None:
        """Sort a line that may be long."""
        if self.room is None:
            self.sort(b, pointer, number(n), dtype)
        else:
            sort = lambda b, pointer, n: self.sort(b, pointer, n, dtype)  # noqa: E731
            sort_in_buckets(self.unit, b, pointer, self.room, n, dtype, sort)

    def order(self, b: Any, keys: Line, sorted_: Any, places: Any, n: int) -> None:
        """Fill `places` with the order that sorts the line `keys`, equal elements as they stand; `sorted_`: room for a line."""
        if keys.dtype.itemsize == 1 and n >= BYTES:
            put = lambda k, j: Line(places, PLACE).set(b, k, j)  # noqa: E731
            in_order_of_bytes(b, lambda j: keys.get(b, j), keys.dtype.kind == "i", n, put)
            return
        if is_short(keys.dtype, n):
            self.order_words(b, keys, places, n)
            return
        self.quick_order(b, keys.pointer, places, number(n), keys.dtype)
        line = Line(sorted_, keys.dtype)
        self.take(b, keys, Line(places, PLACE), line, n)
        self.settle(b, line, places, number(n))

    def order_words(self, b: Any, keys: Line, places: Any, n: int) -> None:
        """The same by words whose upper halves are the keys, and the lower ones their places."""
        fill_with_words(b, keys, places, n)
        self.sort_line(b, places, n, np.dtype(np.uint64))
        with vectors(b, n, words_at_a_time(n)) as (j, width):
            here = at(b, places, j, PLACE)
            store(b, place_of(b, load(b, here, PLACE, width), width), here, PLACE)

    def quick_order(self, b: Any, keys: Any, places: Any, n: Any, dtype: np.dtype) -> None:
        """Fill `places` with the order that sorts n elements, `keys`, but for equal ones."""
        order = Line(places, PLACE)
        with counted(b, n) as j:
            order.set(b, j, j)
        nothing = ir.Constant(PTR, None)
        self.unit.call_outside(b, f"argsort.{dtype.name}", I32, [keys, places, n, nothing])

    def take(self, b: Any, x: Line, order: Line, out: Line, n: int) -> None:
        with counted(b, n) as j:
            out.set(b, j, x.get(b, order.get(b, j)))

    def settle(self, b: Any, keys: Line, places: Any, n: Any) -> None:
        """Sort the places of equal elements; the n `keys` are in order."""
        start = Slot(b, number(0))

        def finish(end: Any) -> None:
            length = b.sub(end, start.get())
            with b.if_then(b.icmp_signed(">", length, number(1))):
                self.sort(b, at(b, places, start.get(), PLACE), length, PLACE)
            start.set(end)

        with counted(b, n, 1) as j:
            x, y = keys.get(b, b.sub(j, number(1))), keys.get(b, j)
            with b.if_then(b.not_(_alike(b, x, y, keys.dtype))):
                finish(j)
        finish(n)


def is_short(dtype: np.dtype, n: int) -> bool:
    """Whether an element, and a place among so many, are half a word."""
    return dtype.itemsize <= 4 and n <= 1 << 32


def words_at_a_time(n: int) -> int:
    """Lanes for a line of n words."""
    return min(2 * lanes_of(PLACE), 1 << (n.bit_length() - 1))


def fill_with_words(b: Any, keys: Line, words: Any, n: int, descending: bool = False) -> None:
    """Make words of the first n keys."""
    with vectors(b, n, words_at_a_time(n)) as (j, width):
        numbers = lanes(register_type(PLACE, width), range(width)) if width > 1 else number(0)
        places = b.add(splat(b, j, width), numbers)
        store(
            b,
            word(b, load(b, keys.at(b, j), keys.dtype, width), keys.dtype, places, descending),
            at(b, words, j, PLACE),
            PLACE,
        )


def word(b: Any, x: Any, dtype: np.dtype, place: Any, descending: bool = False) -> Any:
    """Elements in the upper halves of words, which are in the same (the other) order, and their places in the lower ones."""
    width = place.type.count if is_vector(place) else 1
    key = as_unsigned(b, x, dtype, width)
    key = b.zext(b.not_(key) if descending else key, place.type)
    return b.or_(b.shl(key, splat(b, number(32), width)), place)


def place_of(b: Any, word: Any, width: int = 1) -> Any:
    """The lower halves of words."""
    return b.and_(word, splat(b, number((1 << 32) - 1), width))


def as_unsigned(b: Any, x: Any, dtype: np.dtype, width: int) -> Any:
    """Elements as unsigned integers of 32 bits in the same order: zeros are one, NaNs are one, and the largest."""
    type = register_type(np.dtype(np.int32), width)
    top = splat(b, constant(I32, -(1 << 31)), width)
    if dtype.kind == "f":
        zero = b.fadd(x, splat(b, constant(register_type(dtype), 0.0), width))
        bits = b.bitcast(zero, type)
        flipped = b.xor(bits, b.or_(b.ashr(bits, splat(b, constant(I32, 31), width)), top))
        return b.select(b.fcmp_unordered("uno", x, x), splat(b, constant(I32, -1), width), flipped)
    if dtype.kind == "i":
        return b.xor(x if dtype.itemsize == 4 else b.sext(x, type), top)
    return x if dtype.itemsize == 4 else b.zext(x, type)


def _alike(b: Any, x: Any, y: Any, dtype: np.dtype) -> Any:
    """Whether neither comes before the other."""
    if dtype.kind != "f":
        return b.icmp_signed("==", x, y)
    nan = b.and_(b.fcmp_unordered("uno", x, x), b.fcmp_unordered("uno", y, y))
    return b.or_(b.fcmp_ordered("==", x, y), nan)


class SortStep(Sorting):
    """`sort`: lines along an axis, by one or several keys."""

    kinds = "biufc"

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        t = equation.operands[0].type
        self.shape = around(t, equation.params["dimension"])
        self.is_shared = t.size == self.shape[1] and is_long(t.size) and t.dtype.itemsize >= 4 and t.dtype.kind != "c"
        self.by_order = len(equation.operands) > 1 or t.dtype.kind == "c"
        """Whether the order is found first. Complex numbers are two keys."""
        self.pieces = self.find_pieces()
        self.scratch = sum(self.pieces)

    def find_pieces(self) -> list[int]:
        """The bytes of lines that are needed: for rows, for sorted keys, for two orders, and for merging."""
        _, n, inner = self.shape
        sizes = [a.type.dtype.itemsize for a in self.equation.operands]
        keys = [a.type.dtype for a in self.equation.operands[: self.equation.params["num_keys"]]]
        n_keys = sum(map(parts_of, keys))
        if not self.by_order:
            needed = [sizes[0] if inner > 1 else 0]
        elif n_keys == 1 and inner > 1:
            needed = [sizes[0], sizes[0], PLACE.itemsize]
        elif n_keys == 1:  # the key's line is whole, the sorted keys are the first result
            needed = [0, 0, PLACE.itemsize]
        else:
            widest = max(real_dtype(d).itemsize for d in keys)
            needed = [max(widest, PLACE.itemsize), widest, PLACE.itemsize, PLACE.itemsize]
        room = room_for(n, PLACE.itemsize if self.by_order else sizes[0]) if self.is_shared else 0
        return [aligned(size) for size in (*(n * size for size in needed), room)]

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        outer, n, inner = self.shape
        duration = NANOSECONDS * outer * n * inner * math.log2(n + 1)

        def turn(b: Any, pointers: Sequence[Any], scratch: Any, o: Any) -> None:
            self.sort_lines(b, pointers[: len(operands)], pointers[len(operands) :], scratch, o)

        turns_in_pieces(self.unit, b, outer, duration, [*operands, *results], (scratch, self.scratch), turn)

    def sort_lines(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any, o: Any) -> None:
        """The lines of one of the outer places."""
        _, n, inner = self.shape
        dtypes = [stored_as(a.type.dtype) for a in self.equation.operands]
        *pieces, room = (at(b, scratch, start, np.dtype(np.uint8)) for start in accumulate(self.pieces[:-1], initial=0))
        self.room = room if self.is_shared else None
        with counted(b, inner) as i:
            start = b.add(b.mul(o, number(n * inner)), i)
            given, out = (
                [Line(at(b, p, start, d), d, inner) for p, d in zip(ps, dtypes, strict=True)]
                for ps in (operands, results)
            )
            if not self.by_order:
                self.alone(b, given[0], out[0], pieces[0], n)
            else:
                self.together(b, given, out, pieces, n)

    def alone(self, b: Any, x: Line, out: Line, piece: Any, n: int) -> None:
        whole = self.lay_out(b, x, out.pointer if out.stride == 1 else piece, n)
        self.sort_line(b, whole.pointer, n, x.dtype)
        if x.dtype.kind == "f" and self.equation.params["is_stable"]:
            self.settle_zeros(b, x, whole, n)
        if whole.pointer is not out.pointer:
            with counted(b, n) as j:
                out.set(b, j, whole.get(b, j))

    def lay_out(self, b: Any, x: Line, target: Any, n: int) -> Line:
        """A copy of a line without gaps."""
        line = Line(target, x.dtype)
        if x.stride == 1:
            copy_memory(b, target, x.pointer, n * x.dtype.itemsize)
        else:
            with counted(b, n) as j:
                line.set(b, j, x.get(b, j))
        return line

    def settle_zeros(self, b: Any, x: Line, out: Line, n: int) -> None:
        """Zeros of both signs are equal: they stand as they stood before."""
        zero = constant(register_type(x.dtype), 0.0)
        first, after = (self.bound(b, out, n, op) for op in ("<", "<="))
        with b.if_then(b.icmp_signed("<", b.add(first, number(1)), after)):
            place = Slot(b, first)
            with counted(b, n) as j:
                value = x.get(b, j)
                with b.if_then(b.fcmp_ordered("==", value, zero)):
                    out.set(b, place.get(), value)
                    place.set(b.add(place.get(), number(1)))

    def bound(self, b: Any, line: Line, n: int, op: str) -> Any:
        """How many elements of a sorted line are < 0, or <= 0."""
        low, high = Slot(b, number(0)), Slot(b, number(n))
        with while_(b, lambda: b.icmp_signed("<", low.get(), high.get())):
            middle = b.lshr(b.add(low.get(), high.get()), number(1))
            below = b.fcmp_ordered(op, line.get(b, middle), constant(register_type(line.dtype), 0.0))
            low.set(b.select(below, b.add(middle, number(1)), low.get()))
            high.set(b.select(below, high.get(), middle))
        return low.get()

    def together(self, b: Any, given: Sequence[Line], out: Sequence[Line], pieces: Sequence[Any], n: int) -> None:
        """The least significant key first; each pass leaves equal elements as the one before had them."""
        rows, sorted_, *places = pieces
        if not self.pieces[1]:
            sorted_ = out[0].pointer
        order: Line | None = None
        keys = [part for key in given[: self.equation.params["num_keys"]] for part in key.parts(b)]
        for key in reversed(keys):
            step = Line(places[0], PLACE)
            if order is None and key.stride == 1:
                line = key
            elif order is None:
                line = self.lay_out(b, key, rows, n)
            else:
                line = Line(rows, key.dtype)
                self.take(b, key, order, line, n)
            self.order(b, line, sorted_, step.pointer, n)
            if order is None:
                order, places = step, places[::-1]
            else:
                both = Line(rows, PLACE)
                self.take(b, order, step, both, n)
                copy_memory(b, order.pointer, both.pointer, n * PLACE.itemsize)
        assert order is not None
        for x, y in zip(given, out, strict=True):
            self.take(b, x, order, y, n)
