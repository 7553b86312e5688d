"""A sum of products of matrices.

    z[m, n] = sum over i of  sum over k of  x[i, m, k] y[i, k, n]

Threads share the outer sum: each piece has a z of its own, and these are added up in the end. So z is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ir
from .blocks import by_blocks, drafted_of, duration_of, own_scratch, total_of_rows
from .control import displaced
from .grids import counted
from .memory import aligned
from .pieces import in_pieces, memory, range_of, turns_of
from .products import Axis, Product
from .types import I64, PTR, constant
from .unit import Unit

__all__ = ["ProductSum", "sums_up"]

LARGEST = 1 << 18
"""Bytes of a z."""
MOST = 16
"""So many pieces there are at most."""


def sums_up(p: Product, dtype: np.dtype) -> bool:
    """Whether z is small, and one run of numbers."""
    return p.m.z == p.n.length and p.m.length * p.n.length * dtype.itemsize <= LARGEST


class ProductSum:
    """Such a sum.

    Attributes:
      function: `void sum(ptr x, ptr y, ptr z, ptr scratch)`.
      scratch: how many bytes it needs.
      drafted: how much longer it takes in a draft, times its duration.
      duration: about how many nanoseconds one thread takes.
    """

    def __init__(self, unit: Unit, p: Product, dtype: np.dtype, outer: Axis):
        self.unit, self.product, self.dtype, self.outer = unit, p, dtype, outer
        self.dtypes = (dtype, dtype, dtype)
        self.drafted, self.duration = drafted_of(p), duration_of(p, self.dtypes) * outer.length
        self.turns = max(turns_of(outer.length, self.duration), -(-outer.length // MOST))
        self.pieces = -(-outer.length // self.turns)
        self.numbers = p.m.length * p.n.length
        self.scratch = aligned(self.pieces * self.numbers * dtype.itemsize) if self.pieces > 1 else 0
        self.function = unit.shared(("product sum", p, dtype, outer), self.make)

    def make(self) -> Any:
        function = self.unit.function(self.unit.name("sum"), ir.VoidType(), [PTR] * 4)
        for argument in function.args:
            argument.add_attribute("noalias")
        b = ir.IRBuilder(function.append_basic_block("entry"))
        x, y, z, scratch = function.args
        sums = scratch if self.pieces > 1 else z
        in_pieces(self.unit, b, self.pieces, [x, y, sums], self.piece)
        if self.pieces > 1:
            b.call(total_of_rows(self.unit, self.pieces, self.numbers, self.dtype), [sums, z])
        b.ret_void()
        return function

    def piece(self, b: Any, pointers: Sequence[Any], k: Any) -> None:
        """Some turns of the outer sum, one after the other."""
        x, y, sums = pointers
        size = self.dtype.itemsize
        begin, end = range_of(b, k, self.turns, self.outer.length)
        own = displaced(b, sums, k, self.numbers * size)
        with (
            memory(self.unit, b, sum(own_scratch(self.product, self.dtypes))) as near,
            counted(b, b.sub(end, begin)) as i,
        ):
            at = b.add(begin, i)
            here = [displaced(b, x, at, self.outer.x * size), displaced(b, y, at, self.outer.y * size), own]
            is_first = b.icmp_unsigned("==", i, constant(I64, 0))
            by_blocks(self.unit, b, self.product, self.dtypes, here, near, first=is_first)
