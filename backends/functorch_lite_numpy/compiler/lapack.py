"""Factorisations of matrices by LAPACK, and triangular systems by BLAS, called by pointer from native code.

LAPACK's matrices lie column by column, ours row by row: what it sees is the transpose. Where that will not do, or would
give vectors of other signs than in eager mode, a copy is turned around. A matrix that has no factorisation gives NaN, and
does not spoil the others of its stack.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from functorch_lite.extend import Equation

from . import ir
from .control import counted, displaced
from .halves import AS_IS, GENERAL, LEFT, ROW_MAJOR, UPPER, Halves, System
from .intrinsics import copy_memory
from .memory import aligned
from .outside import blas, lapack
from .packing import pack
from .parts import hurried_if_straight
from .pieces import turns_in_pieces
from .steps import Step
from .types import I32, I64, PTR, constant, memory_type, parts_of, real_dtype
from .unit import Unit

__all__ = ["CholeskyStep", "EighStep", "LUStep", "OfMatrices", "QRStep", "SVDStep", "TriangularSolveStep"]

_LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
_OF_COMPLEX = {"orgqr": "ungqr", "syevd": "heevd"}
"""What LAPACK calls the same of complex matrices."""
CONJUGATED = 2
"""To CBLAS, behind `AS_IS`: transposed and conjugated."""
PANEL = 64
"""Columns that LAPACK takes at a time, at most: its work space."""
CALL = 500
"""Nanoseconds that the smallest matrix takes."""
NO_THREADS = 32**3
"""For matrices of so few elements times rows, OpenBLAS starts no threads."""
OWN_THREADS = 512**3
"""From so many on, LAPACK is left OpenBLAS's threads: below, waiting for each other takes them longer than the work."""


class OfMatrices(Step):
    """The matrices of a stack, by several threads if there are many; equal equations share the function.

    Attributes:
      lapack, blas: what is called, without the letter of the dtype.
      pace: about how many nanoseconds it takes for an element times the rows, or the columns if these are fewer.
      by_halves: whether what is large of it is products of our own.
      real, parts: the dtype of a number's parts, and how many it has.
      size: of a matrix: its elements times its rows, or its columns if these are fewer.
    """

    kinds = "biufc"
    lapack: ClassVar[tuple[str, ...]] = ()
    blas: ClassVar[tuple[str, ...]] = ()
    pace: ClassVar[float] = 0.1

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = equation.operands[0].type.dtype
        letter = _LETTERS.get(dtype.name)
        if letter is None:
            return False
        return all(lapack(_full_name(dtype, name)) for name in cls.lapack) and all(
            blas(letter + name) for name in cls.blas
        )

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        self.types = [a.type for a in (*equation.operands, *equation.results)]
        self.dtype = self.types[0].dtype
        self.letter = _LETTERS[self.dtype.name]
        self.real, self.parts = real_dtype(self.dtype), parts_of(self.dtype)
        self.params = equation.params
        *self.lead, self.n, self.m = self.types[0].shape
        self.size = self.n * self.m * min(self.n, self.m)
        self.by_halves = False
        self.pieces: list[int] = []
        self.plan()
        self.scratch = sum(self.pieces)
        key = (equation.primitive.name, tuple((t.shape, t.dtype) for t in self.types), tuple(equation.params.items()))
        self.function = unit.shared(key, self.make_function)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.function, [*operands, *results, scratch])

    @property
    def duration(self) -> float:
        return math.prod(self.lead) * (CALL + self.size * self.parts * self.pace)

    def make_function(self) -> Any:
        function = self.unit.function(self.unit.name("matrices"), ir.VoidType(), [PTR] * (len(self.types) + 1))
        b = ir.IRBuilder(function.append_basic_block("entry"))
        *pointers, scratch = function.args
        with self.own_threads(b):
            count, own = math.prod(self.lead), (scratch, self.scratch)
            turns_in_pieces(self.unit, b, count, self.duration, pointers, own, self.turn_of_stack)
        b.ret_void()
        return hurried_if_straight(function)

    @contextmanager
    def own_threads(self, b: Any) -> Iterator[None]:
        """Code during which OpenBLAS uses no threads, where those that it would use do not pay."""
        pays = self.size >= OWN_THREADS and not self.by_halves and not self.lead
        held = self.size > NO_THREADS and not pays
        if held:
            self.unit.call_outside(b, "pool.hold_blas", ir.VoidType(), [])
        yield
        if held:
            self.unit.call_outside(b, "pool.free_blas", ir.VoidType(), [])

    def turn_of_stack(self, b: Any, pointers: Sequence[Any], scratch: Any, i: Any) -> None:
        with b.goto_entry_block():
            self.info = b.alloca(I64)
        sizes = [math.prod(t.shape[len(self.lead) :]) * t.dtype.itemsize for t in self.types]
        places = [sum(self.pieces[:k]) for k in range(len(self.pieces))]
        at = [displaced(b, p, i, size) for p, size in zip(pointers, sizes, strict=True)]
        self.matrix(b, at, [displaced(b, scratch, constant(I64, 1), place) for place in places])

    def plan(self) -> None:
        """Ask for scratch memory, by `piece`."""

    def piece(self, count: int, size: int | None = None) -> None:
        """Scratch memory for so many numbers."""
        self.pieces.append(aligned(count * (size or self.dtype.itemsize)))

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        """Append the code for one matrix: pointers to operands and results, and to the pieces of scratch memory."""
        raise NotImplementedError

    def call(self, b: Any, name: str, *args: Any) -> Any:
        """Call LAPACK: integers and letters by reference, the letters' lengths behind all. Whether it failed."""
        full = _full_name(self.dtype, name)
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

    def turn(self, b: Any, target: Any, source: Any, rows: int, columns: int) -> None:
        """The transpose of a matrix of rows x columns that lies row by row."""
        axes = [(columns, self.parts), (rows, self.parts * columns), (self.parts, 1)]
        pack(self.unit, b, self.real, axes, source, target)

    def nan_if(self, b: Any, failed: Any, *results: tuple[Any, int]) -> None:
        """NaN in place of results: so many real numbers."""
        type, size = memory_type(self.real), self.real.itemsize
        with b.if_then(failed):
            for target, count in results:
                with counted(b, count) as i:
                    b.store(constant(type, math.nan), displaced(b, target, i, size), align=size)

    def conjugate(self, b: Any, target: Any, count: int) -> None:
        """In place."""
        type, size = memory_type(self.real), self.real.itemsize
        with counted(b, count) as i:
            place = displaced(b, displaced(b, target, i, 2 * size), constant(I64, 1), size)
            b.store(b.fneg(b.load(place, typ=type, align=size)), place, align=size)

    def triangle(
        self, b: Any, target: Any, source: Any, rows: int, columns: int, steps: tuple[int, int], lower: bool
    ) -> None:
        """The triangle of a matrix, whose rows and columns are so many elements apart; zeros in the other one."""
        type, size, whole = memory_type(self.real), self.real.itemsize, self.dtype.itemsize
        with counted(b, rows) as i, counted(b, columns) as j:
            here = displaced(b, displaced(b, source, i, steps[0] * whole), j, steps[1] * whole)
            there = displaced(b, displaced(b, target, i, columns * whole), j, whole)
            inside = b.icmp_unsigned(">=" if lower else "<=", i, j)
            for part in range(self.parts):
                x = b.load(displaced(b, here, constant(I64, part), size), typ=type, align=size)
                b.store(
                    b.select(inside, x, constant(type, 0.0)), displaced(b, there, constant(I64, part), size), align=size
                )


def _full_name(dtype: np.dtype, name: str) -> str:
    """What LAPACK calls a function of matrices of a dtype."""
    return _LETTERS[dtype.name] + (_OF_COMPLEX.get(name, name) if dtype.kind == "c" else name)


class CholeskyStep(OfMatrices):
    """In place: the rows below the diagonal of a copy. To LAPACK that is the upper triangle of the conjugate, and its factor
    the conjugate transpose of ours, which is ours as it lies."""

    lapack = ("potrf",)
    blas = ("trsm",)
    pace = 0.05

    def plan(self) -> None:
        self.factorise = None
        if self.parts == 1:
            self.by_halves = True
            self.factorise, scratch = Halves(self.unit, self.dtype).cholesky(self.n, self.n)
            self.piece(scratch, 1)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, z = pointers
        n = self.n
        self.copy(b, z, x, n * n)
        if self.factorise is not None:
            b.store(constant(I64, 0), self.info)
            b.call(self.factorise, [z, self.info, *pieces])
            failed = b.icmp_signed("!=", b.load(self.info, typ=I64), constant(I64, 0))
        else:
            failed = self.call(b, "potrf", "U", n, z, n)
        self.triangle(b, z, z, n, n, (n, 1), lower=True)
        self.nan_if(b, failed, (z, n * n * self.parts))


class TriangularSolveStep(OfMatrices):
    """In place."""

    blas = ("trsm", "trsv")

    def plan(self) -> None:
        p = self.params
        rows, columns = self.types[1].shape[-2:]
        self.length = columns if p["left_side"] else rows
        self.size = self.n * self.n * self.length
        self.solve = None
        if self.length > 1 and self.parts == 1:
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
            self.by_halves = True
            self.solve, scratch = Halves(self.unit, self.dtype).solve(system)
            self.piece(scratch, 1)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        a, y, z = pointers
        self.copy(b, z, y, self.n * self.length)
        if self.solve is not None:
            b.call(self.solve, [a, z, *pieces])
            return
        p = self.params
        conjugated = p["conjugate_a"] and self.parts > 1
        if conjugated and not p["transpose_a"]:  # the conjugate of what solves it for the conjugate of y
            self.conjugate(b, z, self.n * self.length)
        self.by_blas(b, a, z, CONJUGATED if conjugated and p["transpose_a"] else p["transpose_a"])
        if conjugated and not p["transpose_a"]:
            self.conjugate(b, z, self.n * self.length)

    def by_blas(self, b: Any, a: Any, z: Any, transposed: int) -> None:
        p, n, length = self.params, constant(I64, self.n), constant(I64, self.length)
        left, uplo, diagonal = p["left_side"], UPPER + p["lower"], GENERAL + p["unit_diagonal"]
        if self.parts > 1:
            one = self.unit.constant(np.ones((), self.dtype))
            flags = (ROW_MAJOR, LEFT + (not left), uplo, AS_IS + transposed, diagonal)
            sizes = (n, length) if left else (length, n)
            name, args = "trsm", [*sizes, one, a, n, z, length if left else n]
        else:
            flags = (ROW_MAJOR, uplo, AS_IS + (bool(transposed) == left), diagonal)
            name, args = "trsv", [n, a, n, z, constant(I64, 1)]
        given = [*(constant(I32, flag) for flag in flags), *args]
        self.unit.call_outside(b, f"blas.{self.letter}{name}", ir.VoidType(), given)


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
    pace = 0.6

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
    pace = 0.5

    def plan(self) -> None:
        n = self.n
        self.works = [1 + 6 * n + 2 * n * n + PANEL * n, *[1 + 5 * n + 2 * n * n] * (self.parts - 1), 3 + 5 * n]
        sizes = [self.dtype.itemsize, *[self.real.itemsize] * (self.parts - 1), 8]
        self.piece(n * n)
        for count, size in zip(self.works, sizes, strict=True):
            self.piece(count, size)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, w, v = pointers
        n, (vectors, *works) = self.n, pieces
        self.turn(b, vectors, x, n, n)
        side = "L" if self.params["lower"] else "U"
        sized = [x for pair in zip(works, self.works, strict=True) for x in pair]
        failed = self.call(b, "syevd", "V", side, n, vectors, n, w, *sized)
        self.turn(b, v, vectors, n, n)
        self.nan_if(b, failed, (w, n), (v, n * n * self.parts))


class SVDStep(OfMatrices):
    """Of a copy that is turned around, as `EighStep`; its vectors are turned back."""

    lapack = ("gesdd",)
    pace = 2.0

    def plan(self) -> None:
        n, m = self.n, self.m
        self.k, most = min(n, m), max(n, m)
        self.work = 3 * self.k**2 + max(most, 5 * self.k**2 + 4 * self.k) + 7 * self.k + PANEL * (n + m)
        self.piece(n * m)
        self.piece(self.work)
        self.piece(8 * self.k, 8)
        self.piece((self.parts - 1) * (5 * self.k**2 + 2 * most * self.k + 7 * self.k), self.real.itemsize)
        self.n_u, self.n_vh = (n, m) if self.params["full_matrices"] else (self.k, self.k)
        if self.params["compute_uv"]:
            self.piece(n * self.n_u)
            self.piece(self.n_vh * m)

    def matrix(self, b: Any, pointers: Sequence[Any], pieces: Sequence[Any]) -> None:
        x, s, *vectors = pointers
        n, m, (turned, work, integers, reals, *found) = self.n, self.m, pieces
        self.turn(b, turned, x, n, m)
        u, vh = found or (work, work)
        job = "N" if not vectors else "A" if self.params["full_matrices"] else "S"
        works = [work, self.work, *[reals] * (self.parts - 1), integers]
        failed = self.call(b, "gesdd", job, n, m, turned, n, s, u, n, vh, self.n_vh, *works)
        for target, source, rows, columns in zip(vectors, found, (self.n_u, m), (n, self.n_vh), strict=False):
            self.turn(b, target, source, rows, columns)
        sizes = (n * self.n_u * self.parts, self.n_vh * m * self.parts)
        self.nan_if(b, failed, (s, self.k), *zip(vectors, sizes, strict=False))
