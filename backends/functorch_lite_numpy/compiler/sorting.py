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
from .intrinsics import copy_memory, intrinsic
from .memory import aligned
from .ordering import ahead, around
from .outside import arg_sorter, sorter
from .pieces import turns_in_pieces
from .types import I1, I32, I64, PTR, constant, lanes, parts_of, real_dtype, register_type, splat

__all__ = ["SortStep", "TopKStep"]

PLACE = np.dtype(np.int64)
NANOSECONDS = 2.0
"""Of a comparison."""
FEW = 64
"""The largest so many are kept in order while a line is gone over; more are found by sorting."""


class _Line:
    """Elements a fixed distance apart; complex ones are vectors of two."""

    def __init__(self, pointer: Any, dtype: np.dtype, stride: int = 1):
        self.pointer, self.dtype, self.stride = pointer, dtype, stride

    def at(self, b: Any, j: Any) -> Any:
        stride = self.stride * parts_of(self.dtype)
        return at(b, self.pointer, j if stride == 1 else b.mul(j, number(stride)), real_dtype(self.dtype))

    def parts(self, b: Any) -> list[_Line]:
        """The lines of real numbers in it."""
        dtype, n = real_dtype(self.dtype), parts_of(self.dtype)
        return [_Line(at(b, self.pointer, k, dtype), dtype, n * self.stride) for k in range(n)]

    def get(self, b: Any, j: Any) -> Any:
        return load(b, self.at(b, j), real_dtype(self.dtype), parts_of(self.dtype))

    def set(self, b: Any, j: Any, value: Any) -> None:
        store(b, value, self.at(b, j), real_dtype(self.dtype))


@contextmanager
def _while(b: Any, test: Any) -> Iterator[None]:
    """Code that is repeated while `test()` gives true."""
    head, body, done = (b.function.append_basic_block(f"while.{part}") for part in ("head", "body", "done"))
    b.branch(head)
    b.position_at_end(head)
    b.cbranch(test(), body, done)
    b.position_at_end(body)
    yield
    b.branch(head)
    b.position_at_end(done)


class _Sorting(FunctionStep):
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

    def order(self, b: Any, keys: _Line, sorted_: Any, places: Any, n: int) -> None:
        """Fill `places` with the order that sorts the line `keys`, equal elements as they stand; `sorted_`: room for a line."""
        if keys.dtype.itemsize == 1 and n >= BYTES:
            put = lambda k, j: _Line(places, PLACE).set(b, k, j)  # noqa: E731
            in_order_of_bytes(b, lambda j: keys.get(b, j), keys.dtype.kind == "i", n, put)
            return
        if is_short(keys.dtype, n):
            self.order_words(b, keys, places, n)
            return
        self.quick_order(b, keys.pointer, places, n, keys.dtype)
        line = _Line(sorted_, keys.dtype)
        self.take(b, keys, _Line(places, PLACE), line, n)
        self.settle(b, line, places, n)

    def order_words(self, b: Any, keys: _Line, places: Any, n: int, descending: bool = False) -> None:
        """The same by words whose upper halves are the keys, and the lower ones their places."""
        width = min(2 * lanes_of(PLACE), 1 << (n.bit_length() - 1))
        half, low = number(32), number((1 << 32) - 1)
        with vectors(b, n, width) as (j, _):
            key = _as_unsigned(b, load(b, keys.at(b, j), keys.dtype, width), keys.dtype, width)
            key = b.not_(key) if descending else key
            type = register_type(PLACE, width)
            place = splat(b, j, width) if width == 1 else b.add(splat(b, j, width), lanes(type, range(width)))
            word = b.or_(b.shl(b.zext(key, type), splat(b, half, width)), place)
            store(b, word, at(b, places, j, PLACE), PLACE)
        self.sort_line(b, places, n, np.dtype(np.uint64))
        with vectors(b, n, width) as (j, _):
            here = at(b, places, j, PLACE)
            store(b, b.and_(load(b, here, PLACE, width), splat(b, low, width)), here, PLACE)

    def quick_order(self, b: Any, keys: Any, places: Any, n: int, dtype: np.dtype) -> None:
        """Fill `places` with the order that sorts the line `keys`, but for equal elements."""
        order = _Line(places, PLACE)
        with counted(b, n) as j:
            order.set(b, j, j)
        nothing = ir.Constant(PTR, None)
        self.unit.call_outside(b, f"argsort.{dtype.name}", I32, [keys, places, number(n), nothing])

    def take(self, b: Any, x: _Line, order: _Line, out: _Line, n: int) -> None:
        with counted(b, n) as j:
            out.set(b, j, x.get(b, order.get(b, j)))

    def settle(self, b: Any, keys: _Line, places: Any, n: int) -> None:
        """Sort the places of equal elements; `keys` are in order."""
        if n == 1:
            return
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
        finish(number(n))


def is_short(dtype: np.dtype, n: int) -> bool:
    """Whether an element, and a place among so many, are half a word."""
    return dtype.itemsize <= 4 and n <= 1 << 32


def _as_unsigned(b: Any, x: Any, dtype: np.dtype, width: int) -> Any:
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


class SortStep(_Sorting):
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
                [_Line(at(b, p, start, d), d, inner) for p, d in zip(ps, dtypes, strict=True)]
                for ps in (operands, results)
            )
            if not self.by_order:
                self.alone(b, given[0], out[0], pieces[0], n)
            else:
                self.together(b, given, out, pieces, n)

    def alone(self, b: Any, x: _Line, out: _Line, piece: Any, n: int) -> None:
        whole = self.lay_out(b, x, out.pointer if out.stride == 1 else piece, n)
        self.sort_line(b, whole.pointer, n, x.dtype)
        if x.dtype.kind == "f" and self.equation.params["is_stable"]:
            self.settle_zeros(b, x, whole, n)
        if whole.pointer is not out.pointer:
            with counted(b, n) as j:
                out.set(b, j, whole.get(b, j))

    def lay_out(self, b: Any, x: _Line, target: Any, n: int) -> _Line:
        """A copy of a line without gaps."""
        line = _Line(target, x.dtype)
        if x.stride == 1:
            copy_memory(b, target, x.pointer, n * x.dtype.itemsize)
        else:
            with counted(b, n) as j:
                line.set(b, j, x.get(b, j))
        return line

    def settle_zeros(self, b: Any, x: _Line, out: _Line, n: int) -> None:
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

    def bound(self, b: Any, line: _Line, n: int, op: str) -> Any:
        """How many elements of a sorted line are < 0, or <= 0."""
        low, high = Slot(b, number(0)), Slot(b, number(n))
        with _while(b, lambda: b.icmp_signed("<", low.get(), high.get())):
            middle = b.lshr(b.add(low.get(), high.get()), number(1))
            below = b.fcmp_ordered(op, line.get(b, middle), constant(register_type(line.dtype), 0.0))
            low.set(b.select(below, b.add(middle, number(1)), low.get()))
            high.set(b.select(below, high.get(), middle))
        return low.get()

    def together(self, b: Any, given: Sequence[_Line], out: Sequence[_Line], pieces: Sequence[Any], n: int) -> None:
        """The least significant key first; each pass leaves equal elements as the one before had them."""
        rows, sorted_, *places = pieces
        if not self.pieces[1]:
            sorted_ = out[0].pointer
        order: _Line | None = None
        keys = [part for key in given[: self.equation.params["num_keys"]] for part in key.parts(b)]
        for key in reversed(keys):
            step = _Line(places[0], PLACE)
            if order is None and key.stride == 1:
                line = key
            elif order is None:
                line = self.lay_out(b, key, rows, n)
            else:
                line = _Line(rows, key.dtype)
                self.take(b, key, order, line, n)
            self.order(b, line, sorted_, step.pointer, n)
            if order is None:
                order, places = step, places[::-1]
            else:
                both = _Line(rows, PLACE)
                self.take(b, order, step, both, n)
                copy_memory(b, order.pointer, both.pointer, n * PLACE.itemsize)
        assert order is not None
        for x, y in zip(given, out, strict=True):
            self.take(b, x, order, y, n)


class TopKStep(_Sorting):
    """`top_k`: few are kept in order while the line is gone over; many are found by sorting all."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return equation.results[1].type.dtype == np.int32 and super().accepts(equation)

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        t = equation.operands[0].type
        self.k, self.n, self.lines = equation.params["k"], t.shape[-1], t.size // t.shape[-1]
        self.dtype = stored_as(t.dtype)
        self.scratch = 0 if self.k <= FEW else 3 * aligned(self.n * 8)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        with counted(b, self.lines) as i:
            x = _Line(at(b, operands[0], b.mul(i, number(self.n)), self.dtype), self.dtype)
            first = b.mul(i, number(self.k))
            values = _Line(at(b, results[0], first, self.dtype), self.dtype)
            places = _Line(at(b, results[1], first, np.dtype(np.int32)), np.dtype(np.int32))
            (self.few if self.k <= FEW else self.many)(b, x, values, places, scratch)

    def few(self, b: Any, x: _Line, values: _Line, places: _Line, scratch: Any) -> None:
        values.set(b, number(0), x.get(b, number(0)))
        places.set(b, number(0), constant(I32, 0))
        with counted(b, self.k, 1) as j:
            self.insert(b, x.get(b, j), j, j, values, places)
        last = number(self.k - 1)

        def consider(j: Any) -> None:
            value = x.get(b, j)
            with b.if_then(ahead(b, value, values.get(b, last), self.dtype)):
                self.insert(b, value, j, last, values, places)

        width = min(2 * lanes_of(self.dtype), 64)
        whole = (self.n - self.k) // width * width
        if whole:
            with counted(b, self.k + whole, self.k, width) as start:
                some = load(b, x.at(b, start), self.dtype, width)
                better = ahead(b, some, splat(b, values.get(b, last), width), self.dtype)
                left = Slot(b, b.bitcast(better, ir.IntType(width)))
                none, one = constant(ir.IntType(width), 0), constant(ir.IntType(width), 1)
                with _while(b, lambda: b.icmp_unsigned("!=", left.get(), none)):
                    lane = intrinsic(b, "cttz", left.get(), constant(I1, 1))
                    left.set(b.and_(left.get(), b.sub(left.get(), one)))
                    consider(b.add(start, b.zext(lane, I64) if width < 64 else lane))
        if self.k + whole < self.n:
            with counted(b, self.n, self.k + whole) as j:
                consider(j)

    def insert(self, b: Any, value: Any, place: Any, gap: Any, values: _Line, places: _Line) -> None:
        """Put an element where it belongs: those behind it move up to `gap`."""
        here = Slot(b, gap)

        def smaller() -> Any:
            inside = b.icmp_signed(">", here.get(), number(0))
            before = b.select(inside, b.sub(here.get(), number(1)), number(0))
            return b.and_(inside, ahead(b, value, values.get(b, before), self.dtype))

        with _while(b, smaller):
            before = b.sub(here.get(), number(1))
            for line in (values, places):
                line.set(b, here.get(), line.get(b, before))
            here.set(before)
        values.set(b, here.get(), value)
        places.set(b, here.get(), b.trunc(place, I32))

    def many(self, b: Any, x: _Line, values: _Line, places: _Line, scratch: Any) -> None:
        n, piece = self.n, aligned(self.n * 8)
        order, back, keys = (
            _Line(at(b, scratch, k * piece, np.dtype(np.uint8)), d) for k, d in enumerate((PLACE, PLACE, self.dtype))
        )
        if is_short(self.dtype, n):
            self.order_words(b, x, back.pointer, n, descending=True)
        else:
            self.quick_order(b, x.pointer, order.pointer, n, self.dtype)
            with counted(b, n) as j:
                place = order.get(b, b.sub(number(n - 1), j))
                back.set(b, j, place)
                keys.set(b, j, x.get(b, place))
            self.settle(b, keys, back.pointer, n)
        with counted(b, self.k) as j:
            place = back.get(b, j)
            values.set(b, j, x.get(b, place))
            places.set(b, j, b.trunc(place, I32))
