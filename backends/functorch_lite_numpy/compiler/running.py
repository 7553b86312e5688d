"""Running combinations along one long line, shared among threads.

    each block by itself, in vectors; then the totals of the blocks before each; then these into each block

The blocks do not depend on the number of threads, so neither do results. Sums are taken in another order than one after the other:
their bits differ, and they lose less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import ir
from .functions import Slot, at, counted, lanes_of, load, number, store
from .pieces import in_pieces, range_of
from .types import I32, constant, lanes, register_type, splat
from .unit import Unit

__all__ = ["BLOCK", "LONG", "scratch_of", "whole_line"]

BLOCK = 1 << 14
LONG = 4 * BLOCK
"""Elements of a line that is done so."""

Combine = Callable[[Any, Any, Any, np.dtype], Any]


def scratch_of(n: int, dtype: np.dtype) -> int:
    """Bytes of scratch memory."""
    return -(-n // BLOCK) * dtype.itemsize


class _Line:
    """A line, looked at in the order in which it is combined."""

    def __init__(self, combine: Combine, nothing: Any, dtype: np.dtype, n: int, back: bool):
        self.combine, self.nothing, self.dtype, self.n, self.back = combine, nothing, dtype, n, back
        self.width = 2 * lanes_of(dtype)

    def place(self, b: Any, i: Any, width: int = 1) -> Any:
        """Where the elements from the i-th on begin."""
        return b.sub(number(self.n - width), i) if self.back else i

    def turned(self, b: Any, x: Any) -> Any:
        """The lanes in order."""
        return self.shuffled(b, x, x, range(self.width)[::-1]) if self.back else x

    def shuffled(self, b: Any, x: Any, y: Any, picks: Sequence[int]) -> Any:
        return b.shuffle_vector(x, y, lanes(ir.VectorType(I32, self.width), picks))

    def block(self, b: Any, values: Sequence[Any], k: Any) -> None:
        """One block by itself."""
        x, out = values
        begin, end = range_of(b, k, BLOCK, self.n)
        whole = b.add(begin, b.and_(b.sub(end, begin), number(-self.width)))
        total = Slot(b, constant(register_type(self.dtype), self.nothing))
        with counted(b, whole, begin, self.width) as i:
            place = self.place(b, i, self.width)
            new = self.turned(b, load(b, at(b, x, place, self.dtype), self.dtype, self.width))
            run = self.combine(b, splat(b, total.get(), self.width), self.along(b, new), self.dtype)
            total.set(b.extract_element(run, constant(I32, self.width - 1)))
            store(b, self.turned(b, run), at(b, out, place, self.dtype), self.dtype)
        with counted(b, end, whole) as i:
            place = self.place(b, i)
            total.set(self.combine(b, total.get(), load(b, at(b, x, place, self.dtype), self.dtype), self.dtype))
            store(b, total.get(), at(b, out, place, self.dtype), self.dtype)

    def along(self, b: Any, x: Any) -> Any:
        """The running combination of the lanes: with those one before, two before, four before."""
        nothing = constant(register_type(self.dtype, self.width), self.nothing)
        step = 1
        while step < self.width:
            picks = [self.width + i if i < step else i - step for i in range(self.width)]
            x = self.combine(b, self.shuffled(b, x, nothing, picks), x, self.dtype)
            step *= 2
        return x

    def totals(self, b: Any, out: Any, scratch: Any) -> None:
        """What comes before each block."""
        total = Slot(b, constant(register_type(self.dtype), self.nothing))
        with counted(b, -(-self.n // BLOCK), 1) as k:
            last = self.place(b, b.sub(b.mul(k, number(BLOCK)), number(1)))
            total.set(self.combine(b, total.get(), load(b, at(b, out, last, self.dtype), self.dtype), self.dtype))
            store(b, total.get(), at(b, scratch, k, self.dtype), self.dtype)

    def shift(self, b: Any, values: Sequence[Any], k: Any) -> None:
        """Combine what comes before a block into it; nothing comes before the first."""
        out, scratch = values
        k = b.add(k, number(1))
        begin, end = range_of(b, k, BLOCK, self.n)
        before = load(b, at(b, scratch, k, self.dtype), self.dtype)
        whole = b.add(begin, b.and_(b.sub(end, begin), number(-self.width)))
        for first, last, width in ((begin, whole, self.width), (whole, end, 1)):
            with counted(b, last, first, width) as i:
                here = at(b, out, self.place(b, i, width), self.dtype)
                x = load(b, here, self.dtype, width)
                store(b, self.combine(b, splat(b, before, width), x, self.dtype), here, self.dtype)


def whole_line(
    unit: Unit, b: Any, combine: Combine, nothing: Any, dtype: np.dtype, n: int, back: bool, pointers: Sequence[Any]
) -> None:
    """Append the code for one line.

    Args:
      combine: appends a combination of what came before and an element.
      nothing: what changes no element that it is combined with.
      back: whether it goes from the end to the beginning.
      pointers: the line, the result, and scratch memory.
    """
    x, out, scratch = pointers
    line, blocks = _Line(combine, nothing, dtype, n, back), -(-n // BLOCK)
    in_pieces(unit, b, blocks, [x, out], line.block)
    line.totals(b, out, scratch)
    in_pieces(unit, b, blocks - 1, [out, scratch], line.shift)
