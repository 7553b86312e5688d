"""Factorisations of matrices by LAPACK, and triangular systems by BLAS, called by pointer from native code.

LAPACK's matrices lie column by column, ours row by row: what it sees is the transpose. Where that will not do, or would
give vectors of other signs than in eager mode, a copy is turned around. A matrix that has no factorisation gives NaN, and
does not spoil the others of its stack.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from functorch_lite.extend import Equation

from . import ir
from .control import counted, displaced
from .halves import AS_IS, GENERAL, ROW_MAJOR, UPPER, Halves, System
from .intrinsics import copy_memory
from .outside import blas, lapack
from .packing import pack
from .parts import hurried_if_straight
from .steps import Step
from .types import I32, I64, PTR, constant, memory_type
from .unit import Unit

__all__ = ["CholeskyStep", "EighStep", "LUStep", "OfMatrices", "QRStep", "SVDStep", "TriangularSolveStep"]

_LETTERS = {"float32": "s", "float64": "d"}
PANEL = 64
"""Columns that LAPACK takes at a time, at most: its work space."""


class OfMatrices(Step):
    """One matrix after the other; equal equations share the function.

    Attributes:
      lapack, blas: what is called, without the letter of the dtype.
    """

    lapack: ClassVar[tuple[str, ...]] = ()
    blas: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        letter = _LETTERS.get(equation.operands[0].type.dtype.name)
        if letter is None:
            return False
        return all(lapack(letter + name) for name in cls.lapack) and all(blas(letter + name) for name in cls.blas)

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        self.types = [a.type for a in (*equation.operands, *equation.results)]
        self.dtype = self.types[0].dtype
        self.letter = _LETTERS[self.dtype.name]
        self.params = equation.params
        *self.lead, self.n, self.m = self.types[0].shape
        self.pieces: list[int] = []
        self.plan()
        self.scratch = sum(self.pieces)
        key = (equation.primitive.name, tuple((t.shape, t.dtype) for t in self.types), tuple(equation.params.items()))
        self.function = unit.shared(key, self.make_function)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.function, [*operands, *results, scratch])

    def make_function(self) -> Any:
        function = self.unit.function(self.unit.name("matrices"), ir.VoidType(), [PTR] * (len(self.types) + 1))
        b = ir.IRBuilder(function.append_basic_block("entry"))
        self.info = b.alloca(I64)
        *pointers, scratch = function.args
        places = [sum(self.pieces[:i]) for i in range(len(self.pieces))]
        with counted(b, math.prod(self.lead)) as i:
            sizes = [math.prod(t.shape[len(self.lead) :]) * t.dtype.itemsize for t in self.types]
            at = [displaced(b, p, i, size) for p, size in zip(pointers, sizes, strict=True)]
            self.matrix(b, at, [displaced(b, scratch, constant(I64, 1), place) for place in places])
        b.ret_void()
        return hurried_if_straight(function)

    def plan(self) -> None:
        """Ask for scratch memory, by `piece`."""

    def piece(self, count: int, size: int | None = None) -> None:
        """Scratch memory for so many numbers."""
        self.pieces.append(-(-count * (size or self.dtype.itemsize) // 64) * 64)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        """Append the code for one matrix: pointers to operands and results, and to the pieces of scratch memory."""
        raise NotImplementedError

    def call(self, b: Any, name: str, *args: Any) -> Any:
        """Call LAPACK: integers and letters by reference, the letters' lengths behind all. Whether it failed."""
        full = self.letter + name
        given = [self.reference(a) for a in args]
        lengths = [constant(I64, 1) for a in args if isinstance(a, str)]
        b.store(constant(I64, 0), self.info)
        self.unit.call_outside(b, f"lapack.{full}", ir.VoidType(), [*given, self.info, *lengths])
        return b.icmp_signed("!=", b.load(self.info, typ=I64), constant(I64, 0))

    def reference(self, a: Any) -> Any:
        if isinstance(a, str):
            return self.unit.constant(np.frombuffer(a.encode(), np.uint8))
        return self.unit.constant(np.asarray(a, np.int64)) if isinstance(a, int) else a

    def copy(self, b: Any, target: Any, source: Any, count: int) -> None:
        copy_memory(b, target, source, count * self.dtype.itemsize)

    def turn(self, b: Any, target: Any, source: Any, rows: int, columns: int, ld: int | None = None) -> None:
        """The transpose of a matrix of rows x columns that lies row by row, `ld` apart."""
        pack(self.unit, b, self.dtype, [(columns, 1), (rows, ld or columns)], source, target)

    def fill(self, b: Any, target: Any, count: int, value: float) -> None:
        type, size = memory_type(self.dtype), self.dtype.itemsize
        with counted(b, count) as i:
            b.store(constant(type, value), displaced(b, target, i, size), align=size)

    def nan_if(self, b: Any, failed: Any, *results: tuple[Any, int]) -> None:
        with b.if_then(failed):
            for target, count in results:
                self.fill(b, target, count, math.nan)

    def triangle(
        self, b: Any, target: Any, source: Any, rows: int, columns: int, steps: tuple[int, int], lower: bool
    ) -> None:
        """The triangle of a matrix, whose rows and columns are so many elements apart; zeros in the other one."""
        type, size = memory_type(self.dtype), self.dtype.itemsize
        with counted(b, rows) as i, counted(b, columns) as j:
            x = b.load(displaced(b, displaced(b, source, i, steps[0] * size), j, steps[1] * size), typ=type, align=size)
            inside = b.icmp_unsigned(">=" if lower else "<=", i, j)
            place = displaced(b, displaced(b, target, i, columns * size), j, size)
            b.store(b.select(inside, x, constant(type, 0.0)), place, align=size)


class CholeskyStep(OfMatrices):
    """In place: the rows below the diagonal of a copy."""

    lapack = ("potrf",)
    blas = ("trsm",)

    def plan(self) -> None:
        self.halves = Halves(self.unit, self.dtype)
        self.factorise, scratch = self.halves.cholesky(self.n, self.n)
        self.piece(scratch, 1)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, z = pointers
        n = self.n
        self.copy(b, z, x, n * n)
        b.store(constant(I64, 0), self.info)
        b.call(self.factorise, [z, self.info, *pieces])
        self.triangle(b, z, z, n, n, (n, 1), lower=True)
        failed = b.icmp_signed("!=", b.load(self.info, typ=I64), constant(I64, 0))
        self.nan_if(b, failed, (z, n * n))


class TriangularSolveStep(OfMatrices):
    """In place."""

    blas = ("trsm", "trsv")

    def plan(self) -> None:
        p = self.params
        rows, columns = self.types[1].shape[-2:]
        self.length = columns if p["left_side"] else rows
        self.solve = None
        if self.length > 1:
            strides = (1, self.n) if p["transpose_a"] else (self.n, 1)
            system = System(
                self.n,
                self.length,
                p["left_side"],
                p["lower"] != p["transpose_a"],
                *strides,
                columns,
                p["unit_diagonal"],
            )
            self.solve, scratch = Halves(self.unit, self.dtype).solve(system)
            self.piece(scratch, 1)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        a, y, z = pointers
        self.copy(b, z, y, self.n * self.length)
        if self.solve is not None:
            b.call(self.solve, [a, z, *pieces])
            return
        p, n = self.params, constant(I64, self.n)
        flags = [UPPER + p["lower"], AS_IS + (p["transpose_a"] == p["left_side"]), GENERAL + p["unit_diagonal"]]
        args = [constant(I32, flag) for flag in (ROW_MAJOR, *flags)]
        name = self.letter + "trsv"
        self.unit.call_outside(b, f"blas.{name}", ir.VoidType(), [*args, n, a, n, z, constant(I64, 1)])


class LUStep(OfMatrices):
    """Of a copy that is turned around; then LAPACK's pivots, counted from 1, in our ways."""

    lapack = ("getrf",)

    def plan(self) -> None:
        self.piece(self.n * self.m)
        self.piece(min(self.n, self.m), 8)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, packed, pivots, permutation = pointers
        turned, exchanged = pieces
        n, m = self.n, self.m
        self.turn(b, turned, x, n, m)
        self.call(b, "getrf", n, m, turned, n, exchanged)
        self.turn(b, packed, turned, m, n)
        with counted(b, n) as i:
            b.store(b.trunc(i, I32), displaced(b, permutation, i, 4), align=4)
        with counted(b, min(n, m)) as i:
            j = b.sub(b.load(displaced(b, exchanged, i, 8), typ=I64), constant(I64, 1))
            b.store(b.trunc(j, I32), displaced(b, pivots, i, 4), align=4)
            here, there = displaced(b, permutation, i, 4), displaced(b, permutation, j, 4)
            first, second = b.load(here, typ=I32, align=4), b.load(there, typ=I32, align=4)
            b.store(second, here, align=4)
            b.store(first, there, align=4)


class QRStep(OfMatrices):
    """Householder's reflections of a copy that is turned around; then their product."""

    lapack = ("geqrf", "orgqr")

    def plan(self) -> None:
        self.k = min(self.n, self.m)
        self.columns = self.n if self.params["full_matrices"] else self.k
        self.work = PANEL * max(self.n, self.m)
        self.piece(self.n * max(self.m, self.columns))
        self.piece(self.k)
        self.piece(self.work)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, q, r = pointers
        turned, tau, work = pieces
        n, m = self.n, self.m
        self.turn(b, turned, x, n, m)
        self.call(b, "geqrf", n, m, turned, n, tau, work, self.work)
        self.triangle(b, r, turned, self.columns, m, (1, n), lower=False)
        self.call(b, "orgqr", n, self.columns, self.k, turned, n, tau, work, self.work)
        self.turn(b, q, turned, self.columns, n)


class EighStep(OfMatrices):
    """Of a copy that is turned around, so that LAPACK reads the triangle, and chooses the signs, that it does in eager mode."""

    lapack = ("syevd",)

    def plan(self) -> None:
        n = self.n
        self.works = 1 + 6 * n + 2 * n * n + PANEL * n, 3 + 5 * n
        self.piece(n * n)
        self.piece(self.works[0])
        self.piece(self.works[1], 8)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, w, v = pointers
        n, (vectors, work, integers) = self.n, pieces
        self.turn(b, vectors, x, n, n)
        side = "L" if self.params["lower"] else "U"
        failed = self.call(b, "syevd", "V", side, n, vectors, n, w, work, self.works[0], integers, self.works[1])
        self.turn(b, v, vectors, n, n)
        self.nan_if(b, failed, (w, n), (v, n * n))


class SVDStep(OfMatrices):
    """Of a copy that is turned around, as `EighStep`; its vectors are turned back."""

    lapack = ("gesdd",)

    def plan(self) -> None:
        n, m = self.n, self.m
        self.k, most = min(n, m), max(n, m)
        self.work = 3 * self.k**2 + max(most, 5 * self.k**2 + 4 * self.k) + 7 * self.k + PANEL * (n + m)
        self.piece(n * m)
        self.piece(self.work)
        self.piece(8 * self.k, 8)
        self.n_u, self.n_vh = (n, m) if self.params["full_matrices"] else (self.k, self.k)
        if self.params["compute_uv"]:
            self.piece(n * self.n_u)
            self.piece(self.n_vh * m)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, s, *vectors = pointers
        n, m, (turned, work, integers, *found) = self.n, self.m, pieces
        self.turn(b, turned, x, n, m)
        u, vh = found or (work, work)
        job = "N" if not vectors else "A" if self.params["full_matrices"] else "S"
        failed = self.call(b, "gesdd", job, n, m, turned, n, s, u, n, vh, self.n_vh, work, self.work, integers)
        for target, source, rows, columns in zip(vectors, found, (self.n_u, m), (n, self.n_vh), strict=False):
            self.turn(b, target, source, rows, columns)
        self.nan_if(b, failed, (s, self.k), *zip(vectors, (n * self.n_u, self.n_vh * m), strict=False))
