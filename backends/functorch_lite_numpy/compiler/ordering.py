"""What goes along an axis in order: running sums and their kin, and the place of the largest element.

An array is looked at as [outer, length, inner], the axis in the middle. Running results are made one after the other,
as the eager kernels do: the same bits; but for long lines of floats, which threads share (`running.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import ArrayType, Equation

from . import scalars
from .functions import (
    FunctionStep,
    Slot,
    at,
    chunks,
    combined,
    combined_pairs,
    counted,
    lanes_of,
    load,
    load_pair,
    number,
    store,
    store_pair,
    stored_as,
)
from .intrinsics import copy_memory, intrinsic
from .memory import aligned
from .pieces import turns_in_pieces
from .running import LONG, scratch_of, whole_line
from .types import constant, is_vector, lanes, memory_type, parts_of, real_dtype, register_type, splat
from .vectors import load_apart

__all__ = [
    "ArgExtremeStep",
    "ArgMinStep",
    "CumulativeMaxStep",
    "CumulativeMinStep",
    "CumulativeProductStep",
    "CumulativeStep",
    "CumulativeSumStep",
    "LogSumExpStep",
    "ahead",
    "around",
]

NANOSECONDS = 0.5
"""Of an element of a running combination."""
CHAINS = 4
"""So many lines at a time, where each element waits for the one before."""
SHORT = 16
"""Lines of up to so many elements have their largest elements found several at a time."""


def around(t: ArrayType, axis: int) -> tuple[int, int, int]:
    """The shape [outer, length, inner]."""
    return math.prod(t.shape[:axis]), t.shape[axis], math.prod(t.shape[axis + 1 :])


def ahead(b: Any, x: Any, y: Any, dtype: np.dtype, largest: bool = True) -> Any:
    """Whether x is larger (smaller) than y; NaN is ahead of all numbers, and of no other NaN."""
    op = ">" if largest else "<"
    if dtype.kind == "f":
        return b.and_(b.fcmp_unordered(op, x, y), b.fcmp_ordered("ord", y, y))
    return (b.icmp_signed if dtype.kind == "i" else b.icmp_unsigned)(op, x, y)


class CumulativeStep(FunctionStep):
    """A running combination by an instruction. Complex numbers are one axis more, of their two parts, if these do not mix."""

    kinds = "biufc"
    op: str

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        t = equation.operands[0].type
        _, n, inner = around(t, equation.params["axis"])
        self.is_long = n >= LONG and inner == 1 and t.dtype.kind in "iuf" and not scalars.is_dear(self.op)
        self.scratch = scratch_of(n, t.dtype) if self.is_long else 0

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = equation.operands[0].type.dtype
        return scalars.supports(cls.op, (dtype, dtype), dtype)

    def nothing(self, dtype: np.dtype) -> Any:
        """What changes no element that it is combined with."""
        return -0.0 if self.op == "add" and dtype.kind == "f" else scalars.identity(self.op, dtype)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        t = self.equation.operands[0].type
        if not scalars.reduces(self.op, t.dtype):
            self.write_pairs(b, operands, results, scratch)
            return
        outer, n, inner = around(t, self.equation.params["axis"])
        dtype, inner = real_dtype(t.dtype), inner * parts_of(t.dtype)
        back = self.equation.params["reverse"]
        pointers, nothing = [operands[0], results[0]], (scratch, 0)

        def rows(b: Any, pointers: Sequence[Any], scratch: Any, o: Any) -> None:
            x, out = (at(b, p, b.mul(o, number(n * inner)), dtype) for p in pointers)
            self.rows(b, x, out, dtype, n, inner, back)

        def chains(b: Any, pointers: Sequence[Any], scratch: Any, o: Any) -> None:
            lines = [b.mul(b.add(b.mul(o, number(CHAINS)), number(k)), number(n)) for k in range(CHAINS)]
            self.lines(b, pointers[0], pointers[1], lines, dtype, n, back)

        if self.is_long:
            with counted(b, outer) as o:
                line = [at(b, p, b.mul(o, number(n)), dtype) for p in pointers]
                whole_line(self.unit, b, self.combine, self.nothing(dtype), dtype, n, back, [*line, scratch])
            return
        if inner > 1:
            turns_in_pieces(self.unit, b, outer, NANOSECONDS * t.size, pointers, nothing, rows)
            return
        whole, rest = divmod(outer, CHAINS)
        if whole:
            turns_in_pieces(self.unit, b, whole, NANOSECONDS * t.size, pointers, nothing, chains)
        if rest:
            with counted(b, outer, whole * CHAINS) as o:
                self.lines(b, operands[0], results[0], [b.mul(o, number(n))], dtype, n, back)

    def combine(self, b: Any, before: Any, x: Any, dtype: np.dtype) -> Any:
        return combined(b, self.op, dtype, before, x)

    def write_pairs(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        """Complex numbers, line by line."""
        t = self.equation.operands[0].type
        outer, n, inner = around(t, self.equation.params["axis"])
        dtype, back = real_dtype(t.dtype), self.equation.params["reverse"]

        def lines(b: Any, pointers: Sequence[Any], scratch: Any, o: Any) -> None:
            with counted(b, inner) as i:
                line = b.add(b.mul(o, number(n * inner)), i)

                def at_row(j: Any) -> list[Any]:
                    row = b.sub(number(n - 1), j) if back else j
                    place = b.mul(b.add(line, b.mul(row, number(inner))), number(2))
                    return [at(b, p, place, dtype) for p in pointers]

                x, out = at_row(number(0))
                value = load_pair(b, x, dtype)
                store_pair(b, value, out, dtype)
                real, imag = (Slot(b, part) for part in value)
                if n > 1:
                    with counted(b, n, 1) as j:
                        x, out = at_row(j)
                        value = combined_pairs(b, self.op, (real.get(), imag.get()), load_pair(b, x, dtype), dtype)
                        store_pair(b, value, out, dtype)
                        real.set(value[0])
                        imag.set(value[1])

        turns_in_pieces(self.unit, b, outer, 4 * NANOSECONDS * t.size, [operands[0], results[0]], (scratch, 0), lines)

    def rows(self, b: Any, source: Any, target: Any, dtype: np.dtype, n: int, inner: int, back: bool) -> None:
        """Each row from the one before."""
        first = number((n - 1) * inner if back else 0)
        copy_memory(b, at(b, target, first, dtype), at(b, source, first, dtype), inner * dtype.itemsize)
        if n == 1:
            return
        with counted(b, n, 1) as j:
            row = b.sub(number(n - 1), j) if back else j
            place = b.mul(row, number(inner))
            before = b.add(place, number(inner if back else -inner))
            old, x, out = (at(b, p, q, dtype) for p, q in ((target, before), (source, place), (target, place)))
            for i, width in chunks(b, inner, 2 * lanes_of(dtype)):
                value = self.combine(
                    b, load(b, at(b, old, i, dtype), dtype, width), load(b, at(b, x, i, dtype), dtype, width), dtype
                )
                store(b, value, at(b, out, i, dtype), dtype)

    def lines(
        self, b: Any, source: Any, target: Any, lines: Sequence[Any], dtype: np.dtype, n: int, back: bool
    ) -> None:
        """Several lines at a time, element by element."""
        last: list[Slot] = []
        for line in lines:
            place = b.add(line, number(n - 1 if back else 0))
            value = load(b, at(b, source, place, dtype), dtype)
            store(b, value, at(b, target, place, dtype), dtype)
            last.append(Slot(b, value))
        if n == 1:
            return
        with counted(b, n, 1) as j:
            k = b.sub(number(n - 1), j) if back else j
            for line, slot in zip(lines, last, strict=True):
                place = b.add(line, k)
                slot.set(self.combine(b, slot.get(), load(b, at(b, source, place, dtype), dtype), dtype))
                store(b, slot.get(), at(b, target, place, dtype), dtype)


class LogSumExpStep(CumulativeStep):
    """A running log(exp a + exp b)."""

    kinds = "f"
    op = "log1p"

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = equation.operands[0].type.dtype
        return all(scalars.supports(op, (dtype,), dtype) for op in ("exp", "log1p"))

    def combine(self, b: Any, before: Any, x: Any, dtype: np.dtype) -> Any:
        top, low = combined(b, "max", dtype, before, x), combined(b, "min", dtype, before, x)
        sum_ = b.fadd(top, combined(b, "log1p", dtype, combined(b, "exp", dtype, b.fsub(low, top))))
        equal = b.fcmp_ordered("==", before, x)  # infinities among them
        return b.select(equal, b.fadd(x, constant(x.type, math.log(2))), sum_)


class ArgExtremeStep(FunctionStep):
    """The place of the first largest (smallest) element, in one pass."""

    largest = True

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        t = equation.operands[0].type
        self.dtype, self.index_dtype = stored_as(t.dtype), equation.results[0].type.dtype
        self.outer, self.n, self.inner = around(t, equation.params["axis"])
        self.place_dtype = np.dtype(np.int64 if self.dtype.itemsize == 8 or self.n >= 1 << 31 else np.int32)
        lanes = lanes_of(self.dtype)
        self.width = min(4 * lanes, 1 << (self.inner.bit_length() - 1)) if self.inner > 1 else 2 * lanes
        self.scratch = 0 if self.inner > 1 else (self.width + 64) * (self.dtype.itemsize + self.place_dtype.itemsize)

    @property
    def duration(self) -> float:
        elements = self.outer * self.n * self.inner
        return elements * (NANOSECONDS if self.inner > 1 or self.n > SHORT else 2 * NANOSECONDS)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        values, scratch = [operands[0], results[0]], (scratch, self.scratch)
        if self.inner > 1:
            turns, turn = self.outer * -(-self.inner // self.width), self.lines
        elif self.n <= SHORT and self.outer >= lanes_of(self.dtype):
            turns, turn = -(-self.outer // lanes_of(self.dtype)), self.short_lines
        else:
            turns, turn = self.outer, self.line
        turns_in_pieces(self.unit, b, turns, self.duration, values, scratch, turn)

    def short_lines(self, b: Any, pointers: Sequence[Any], scratch: Any, i: Any) -> None:
        """As many lines as there are lanes, each in a lane; the last ones overlap those before."""
        width = lanes_of(self.dtype)
        o = intrinsic(b, "smin", b.mul(i, number(width)), number(self.outer - width))
        x = at(b, pointers[0], b.mul(o, number(self.n)), self.dtype)
        value = where = None
        for j in range(self.n):
            new = load_apart(b, at(b, x, j, self.dtype), memory_type(self.dtype, width), self.n)
            place = constant(register_type(self.place_dtype, width), j)
            won = None if value is None else ahead(b, new, value, self.dtype, self.largest)
            value = new if won is None else b.select(won, new, value)
            where = place if won is None else b.select(won, place, where)
        self.put(b, where, at(b, pointers[1], o, self.index_dtype))

    def place(self, b: Any, j: Any, width: int) -> Any:
        """The index j in each lane."""
        narrow = j if self.place_dtype.itemsize == 8 else b.trunc(j, register_type(self.place_dtype))
        return splat(b, narrow, width)

    def put(self, b: Any, places: Any, pointer: Any) -> None:
        """Store places in the dtype that was asked for."""
        type = register_type(self.index_dtype, places.type.count if is_vector(places) else 1)
        bits = self.index_dtype.itemsize - self.place_dtype.itemsize
        value = b.zext(places, type) if bits > 0 else b.trunc(places, type) if bits < 0 else places
        store(b, value, pointer, self.index_dtype)

    def lines(self, b: Any, pointers: Sequence[Any], scratch: Any, i: Any) -> None:
        """Some lines side by side, row by row, each in a lane; the last ones overlap those before."""
        blocks = number(-(-self.inner // self.width))
        o, i = b.udiv(i, blocks), b.urem(i, blocks)
        i = intrinsic(b, "smin", b.mul(i, number(self.width)), number(self.inner - self.width))
        first = b.add(b.mul(o, number(self.n * self.inner)), i)
        value = Slot(b, load(b, at(b, pointers[0], first, self.dtype), self.dtype, self.width))
        where = Slot(b, constant(register_type(self.place_dtype, self.width), 0))
        with counted(b, self.n, 1) as j:
            place = b.add(first, b.mul(j, number(self.inner)))
            new = load(b, at(b, pointers[0], place, self.dtype), self.dtype, self.width)
            won = ahead(b, new, value.get(), self.dtype, self.largest)
            self.choose(b, won, value, new, where, self.place(b, j, self.width))
        self.put(b, where.get(), at(b, pointers[1], b.add(b.mul(o, number(self.inner)), i), self.index_dtype))

    def line(self, b: Any, pointers: Sequence[Any], scratch: Any, o: Any) -> None:
        """One line: its lanes first, then the best of these, then the rest."""
        best, places = scratch, at(b, scratch, aligned(self.width * self.dtype.itemsize), np.dtype(np.uint8))
        x = at(b, pointers[0], b.mul(o, number(self.n)), self.dtype)
        whole = self.n // self.width * self.width
        value = Slot(b, load(b, x, self.dtype))
        where = Slot(b, constant(register_type(self.place_dtype), 0))
        if whole:
            self.by_lanes(b, x, whole, best, places)
            with counted(b, self.width) as k:
                new = load(b, at(b, best, k, self.dtype), self.dtype)
                place = load(b, at(b, places, k, self.place_dtype), self.place_dtype)
                won, lost = (
                    ahead(b, *pair, self.dtype, self.largest) for pair in ((new, value.get()), (value.get(), new))
                )
                earlier = b.and_(b.not_(lost), b.icmp_signed("<", place, where.get()))
                self.choose(b, b.or_(won, earlier), value, new, where, place)
        if whole < self.n:
            with counted(b, self.n, whole) as j:
                new = load(b, at(b, x, j, self.dtype), self.dtype)
                won = ahead(b, new, value.get(), self.dtype, self.largest)
                self.choose(b, won, value, new, where, self.place(b, j, 1))
        self.put(b, where.get(), at(b, pointers[1], o, self.index_dtype))

    def choose(self, b: Any, won: Any, value: Slot, new: Any, where: Slot, place: Any) -> None:
        value.set(b.select(won, new, value.get()))
        where.set(b.select(won, place, where.get()))

    def by_lanes(self, b: Any, x: Any, whole: int, best: Any, places: Any) -> None:
        value = Slot(b, load(b, x, self.dtype, self.width))
        numbers = register_type(self.place_dtype, self.width)
        first = lanes(numbers, range(self.width))
        where = Slot(b, first)
        if whole > self.width:
            with counted(b, whole, self.width, self.width) as j:
                new = load(b, at(b, x, j, self.dtype), self.dtype, self.width)
                won = ahead(b, new, value.get(), self.dtype, self.largest)
                self.choose(b, won, value, new, where, b.add(self.place(b, j, self.width), first))
        store(b, value.get(), best, self.dtype)
        store(b, where.get(), places, self.place_dtype)


class ArgMinStep(ArgExtremeStep):
    largest = False


class CumulativeMaxStep(CumulativeStep):
    op = "max"


class CumulativeMinStep(CumulativeStep):
    op = "min"


class CumulativeProductStep(CumulativeStep):
    op = "mul"


class CumulativeSumStep(CumulativeStep):
    op = "add"
