"""Triangular systems and Cholesky's factorisation by halves: all but small blocks is products of matrices.

[L00 0; L10 L11] [X0; X1] = [B0; B1] is a system for X0, a product, and a system for X1. What is small goes to BLAS and
LAPACK. A function for each size: there are few, as halves are whole blocks where they can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import ir
from .blocks import blocked, scratch_of
from .control import displaced
from .parts import hurried_if_straight
from .products import Axis, Product
from .types import I32, I64, PTR, constant, memory_type
from .unit import Unit

__all__ = ["AS_IS", "GENERAL", "LEFT", "ROW_MAJOR", "UPPER", "Halves", "System"]

ROW_MAJOR, COLUMN_MAJOR, AS_IS, UPPER, GENERAL, LEFT = 101, 102, 111, 121, 131, 141
"""CBLAS's numbers; the next one each is: column by column, transposed, lower, of unit diagonal, right."""
BLOCK = 64
"""Matrices of up to so many rows are not halved."""


class System(NamedTuple):
    """t x = z, or x t = z unless `left`, in place of z.

    t is of n rows, lower or upper triangular, its rows and columns `row` and `column` elements apart; z's rows lie
    `lead` apart, and it has `length` columns (or rows, unless `left`).
    """

    n: int
    length: int
    left: bool
    lower: bool
    row: int
    column: int
    lead: int
    unit_diagonal: bool


def _halves(n: int) -> tuple[int, int]:
    first = -(-(n // 2) // BLOCK) * BLOCK
    return first, n - first


class Halves:
    """Functions of a unit, for a dtype; each comes with the bytes of scratch memory that it needs."""

    def __init__(self, unit: Unit, dtype: np.dtype):
        self.unit = unit
        self.dtype = dtype
        self.letter = "s" if dtype.itemsize == 4 else "d"

    def function(self, key: Any, arguments: int, emit: Any) -> tuple[Any, int]:
        def make() -> tuple[Any, int]:
            function = self.unit.function(self.unit.name("halves"), ir.VoidType(), [PTR] * arguments)
            b = ir.IRBuilder(function.append_basic_block("entry"))
            scratch = emit(b, *function.args)
            b.ret_void()
            return hurried_if_straight(function), scratch

        return self.unit.shared((*key, self.dtype), make)

    def at(self, b: Any, pointer: Any, offset: int) -> Any:
        return displaced(b, pointer, constant(I64, 1), offset * self.dtype.itemsize)

    def subtract(self, p: Product) -> tuple[Any, int]:
        """A function (ptr x, ptr y, ptr z, ptr scratch): z -= x y."""
        dtypes = (self.dtype,) * 3

        def emit(b: Any, x: Any, y: Any, z: Any, scratch: Any) -> int:
            blocked(self.unit, b, p, dtypes, (x, y, z), scratch, subtract=True)
            return sum(scratch_of(p, dtypes))

        return self.function(("subtract", p), 4, emit)

    def solve(self, s: System) -> tuple[Any, int]:
        """A function (ptr t, ptr z, ptr scratch)."""
        return self.function(("solve", s), 3, lambda b, t, z, scratch: self.solved(b, s, t, z, scratch))

    def solved(self, b: Any, s: System, t: Any, z: Any, scratch: Any) -> int:
        if s.n <= BLOCK:
            self.small_system(b, s, t, z)
            return 0
        sizes = _halves(s.n)
        order = (0, 1) if s.lower == s.left else (1, 0)
        starts = (0, sizes[0])
        step = s.lead if s.left else 1
        diagonal = s.row + s.column
        (n, m), (i, j) = [sizes[h] for h in order], [starts[h] for h in order]
        one, other = self.solve(s._replace(n=n)), self.solve(s._replace(n=m))
        if s.left:
            p = Product((), Axis(m, s.row, 0, s.lead), Axis(s.length, 0, 1, 1), Axis(n, s.column, s.lead, 0))
            x, y = self.at(b, t, j * s.row + i * s.column), self.at(b, z, i * step)
        else:
            p = Product((), Axis(s.length, s.lead, 0, s.lead), Axis(m, 0, s.column, 1), Axis(n, 1, s.row, 0))
            x, y = self.at(b, z, i * step), self.at(b, t, i * s.row + j * s.column)
        between = self.subtract(p)
        b.call(one[0], [self.at(b, t, i * diagonal), self.at(b, z, i * step), scratch])
        b.call(between[0], [x, y, self.at(b, z, j * step), scratch])
        b.call(other[0], [self.at(b, t, j * diagonal), self.at(b, z, j * step), scratch])
        return max(one[1], between[1], other[1])

    def small_system(self, b: Any, s: System, t: Any, z: Any) -> None:
        turned = s.column != 1 and s.n > 1
        # As columns lie: of rows, and from the left, OpenBLAS 0.3.31 solves other systems of float32 on AArch64.
        flags = [COLUMN_MAJOR, LEFT + s.left, UPPER + (s.lower == turned), AS_IS + turned, GENERAL + s.unit_diagonal]
        sizes = (s.length, s.n) if s.left else (s.n, s.length)
        args: list[Any] = [constant(I32, flag) for flag in flags]
        args += [constant(I64, n) for n in sizes]
        args += [
            constant(memory_type(self.dtype), 1.0),
            t,
            constant(I64, max(s.row, s.column)),
            z,
            constant(I64, s.lead),
        ]
        name = self.letter + "trsm"
        self.unit.call_outside(b, f"blas.{name}", ir.VoidType(), args)

    def cholesky(self, n: int, lead: int) -> tuple[Any, int]:
        """A function (ptr z, ptr info, ptr scratch): the lower triangle in place; info: 0, if there is one."""
        return self.function(
            ("cholesky", n, lead), 3, lambda b, z, info, scratch: self.factorised(b, n, lead, z, info, scratch)
        )

    def factorised(self, b: Any, n: int, lead: int, z: Any, info: Any, scratch: Any) -> int:
        if n <= BLOCK:
            self.small_factor(b, n, lead, z, info)
            return 0
        first, second = _halves(n)
        below, rest = self.at(b, z, first * lead), self.at(b, z, first * (lead + 1))
        one, other = self.cholesky(first, lead), self.cholesky(second, lead)
        solve = self.solve(System(first, second, False, False, 1, lead, lead, False))
        square = self.subtract_square(second, first, lead)
        b.call(one[0], [z, info, scratch])
        b.call(solve[0], [z, below, scratch])
        b.call(square[0], [below, rest, scratch])
        b.call(other[0], [rest, info, scratch])
        return max(f[1] for f in (one, other, solve, square))

    def subtract_square(self, n: int, k: int, lead: int) -> tuple[Any, int]:
        """A function (ptr x, ptr z, ptr scratch): z -= x x^T, or its lower half; x has n rows and k columns."""
        return self.function(
            ("square", n, k, lead), 3, lambda b, x, z, scratch: self.squared(b, n, k, lead, x, z, scratch)
        )

    def squared(self, b: Any, n: int, k: int, lead: int, x: Any, z: Any, scratch: Any) -> int:
        if n <= 2 * BLOCK:
            parts: Sequence[tuple[int, int, int, int]] = [(0, n, 0, n)]
            halves = []
        else:
            first, second = _halves(n)
            parts = [(first, second, 0, first)]
            halves = [(0, self.subtract_square(first, k, lead)), (first, self.subtract_square(second, k, lead))]
        needs = [f[1] for _, f in halves]
        for start, f in halves:
            b.call(f[0], [self.at(b, x, start * lead), self.at(b, z, start * (lead + 1)), scratch])
        for i, rows, j, columns in parts:
            p = Product((), Axis(rows, lead, 0, lead), Axis(columns, 0, lead, 1), Axis(k, 1, 1, 0))
            product = self.subtract(p)
            needs.append(product[1])
            b.call(product[0], [self.at(b, x, i * lead), self.at(b, x, j * lead), self.at(b, z, i * lead + j), scratch])
        return max(needs)

    def small_factor(self, b: Any, n: int, lead: int, z: Any, info: Any) -> None:
        """Our lower triangle is the upper one of what LAPACK sees."""
        here = b.alloca(I64)
        b.store(constant(I64, 0), here)
        size, apart = (self.unit.constant(np.asarray(i, np.int64)) for i in (n, lead))
        upper = self.unit.constant(np.frombuffer(b"U", np.uint8))
        name = self.letter + "potrf"
        self.unit.call_outside(b, f"lapack.{name}", ir.VoidType(), [upper, size, z, apart, here, constant(I64, 1)])
        b.store(b.or_(b.load(info, typ=I64), b.load(here, typ=I64)), info)
