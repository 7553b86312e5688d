"""`dot_general`: small products by code of our own, large ones by BLAS.

One function goes over the loops around the products (the batch, and what cannot be seen as one axis of a matrix),
copies into scratch memory what does not lie as a matrix, and does the products. Equal equations share the function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Equation

from . import ir, processor
from .blocks import STREAMS, blocked, drafted_of, duration_of, scratch_of
from .control import displaced
from .grids import counted
from .memory import aligned
from .outside import blas
from .packing import pack
from .parts import hurried
from .pieces import WORTH_SHARING, in_pieces, memory, range_of, turns_of
from .products import Axis, Product, product
from .steps import Step
from .tiles import dots, rows
from .types import I32, I64, PTR, constant, register_type
from .unit import Unit
from .words import in_words

__all__ = ["DotStep", "Products"]

_GEMM = {np.dtype(code): name for code, name in zip("fdFD", ("sgemm", "dgemm", "cgemm", "zgemm"), strict=True)}
ROW_MAJOR, AS_IS, TRANSPOSED = 101, 111, 112

SMALL = 96**3
"""Up to so many multiplications, a product is done by our own code."""
MIDDLING = 256**3
"""Up to so many, our own blocks are as quick as BLAS with registers of 32 bytes too."""
NO_THREADS = 32**3
"""For so few, OpenBLAS starts no threads."""
NO_THREADS_OF_VECTOR = 9000
"""And for so few where one operand is a vector."""
LEAST_ROWS = 128
"""Rows or columns of a product that BLAS does at a time; fewer make it copy the other operand too often."""
MOST_BLAS_PIECES = 16
FAR = 1 << 17
"""From so many elements of a matrix, a vector is multiplied by some of its rows at a time, which lie in a row."""
WRITTEN_OUT = 64
"""Up to so many elements of y, they are read one by one rather than copied."""
FEW_TURNS = 4
"""Fewer turns of the outermost loop are not shared among threads; large products are by themselves."""


def _dtypes(equation: Equation) -> tuple[np.dtype, np.dtype, np.dtype] | None:
    """Of the operands, the sums and the result; None if that is not for us."""
    given, other = (a.type.dtype for a in equation.operands)
    result = equation.results[0].type.dtype
    if given != other or given.kind not in "iufc" or result.kind != given.kind:
        return None
    if given.kind == "c" and not _has_blas((given, given, result)):
        return None
    return given, np.promote_types(given, result), result


def planned(p: Product, dtypes: Sequence[np.dtype]) -> tuple[str, Product]:
    """How the products are done, with operands copied where they must be. Complex ones are always BLAS's."""
    pairs = in_words(p, dtypes)
    if pairs is not None:
        return "blocked", pairs
    along_n = p.n.length == 1 or p.n.y == 1
    y_along_k, x_along_k = p.k.length == 1 or p.k.y == 1, p.k.length == 1 or p.k.x == 1
    own = processor.vector_bytes() == 64 or p.size <= MIDDLING or not _has_blas(dtypes)
    blocks = own and dtypes[1] == dtypes[2] and dtypes[0].kind != "c"
    ours = p.m.length == 1 or p.size <= SMALL or not (blocks or _has_blas(dtypes))
    if ours and dtypes[0].kind != "c":
        if p.n.length > 1 and along_n and p.copy_y is None:
            far = p.m.length == 1 and p.k.length > STREAMS and p.size > FAR and dtypes[1] == dtypes[2]
            return "blocked" if far else "rows", p
        if p.m.length <= 2 and y_along_k and p.copy_y is None and p.k.length > 4:
            return "dots", p if x_along_k else p.copying_x()
        if p.n.length * p.k.length <= WRITTEN_OUT and p.copy_y is None:
            return "rows", p
        if p.n.length == 1:
            p = p if x_along_k else p.copying_x()
            return "dots", p if y_along_k else p.copying_y()
        return "rows", p if p.copy_y is not None else p.copying_y()
    if blocks:
        return "blocked", p
    p = p if x_along_k or p.m.x == 1 else p.copying_x()
    return "blas", p if y_along_k or along_n else p.copying_y()


def _has_blas(dtypes: Sequence[np.dtype]) -> bool:
    name = _GEMM.get(dtypes[0])
    return name is not None and dtypes[0] == dtypes[2] and blas(name) is not None


class DotStep(Step):
    """`dot_general`."""

    kinds = "biufc"

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return _dtypes(equation) is not None

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        dtypes = _dtypes(equation)
        assert dtypes is not None
        self.products = Products(unit, product(equation), dtypes)
        self.drafted, self.scratch = self.products.drafted, self.products.scratch

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        x, y = operands[::-1] if self.products.product.swapped else operands
        b.call(self.products.function, [x, y, *results, scratch])

    @property
    def duration(self) -> float:
        return self.products.duration


class Products:
    """Products of matrices, with loops around them.

    Attributes:
      function: `void product(ptr x, ptr y, ptr z, ptr scratch)`.
      scratch: how many bytes it needs.
      drafted: how much longer it takes in a draft, times its duration.
    """

    def __init__(self, unit: Unit, p: Product, dtypes: tuple[np.dtype, np.dtype, np.dtype]):
        self.unit, self.dtypes = unit, dtypes
        self.how, self.product = planned(p, dtypes)
        self.drafted = 0.0 if self.how == "blas" else drafted_of(self.product)
        p, size = self.product, self.dtypes[0].itemsize
        self.x_bytes, self.y_bytes = (_bytes(axes, size) for axes in (p.copy_x, p.copy_y))
        self.needed = self.x_bytes + self.y_bytes + (sum(scratch_of(p, self.dtypes)) if self.how == "blocked" else 0)
        self.turns = self.turns_of_a_piece()
        self.scratch = self.needed if self.turns is None else self.x_bytes + self.y_bytes
        self.function = unit.shared(("dot_general", self.how, p, self.dtypes), self.make_function)

    @property
    def duration(self) -> float:
        """About how many nanoseconds one thread takes."""
        return duration_of(self.product, self.dtypes) * math.prod(a.length for a in self.product.loops)

    def make_function(self) -> Any:
        function = self.marked(self.unit.function(self.unit.name("product"), ir.VoidType(), [PTR] * 4))
        for argument in function.args:
            argument.add_attribute("noalias")
        b = ir.IRBuilder(function.append_basic_block("entry"))
        *pointers, scratch = function.args
        pointers = self.copied(b, pointers, scratch, 0)
        if self.turns is None:
            self.around(b, pointers, scratch, 0)
        else:
            self.share(b, pointers, self.turns)
        b.ret_void()
        return function

    def marked(self, function: Any) -> Any:
        """Blocks, and BLAS, are functions of their own."""
        return hurried(function) if self.how in ("blocked", "blas") else function

    def turns_of_a_piece(self) -> int | None:
        """How many turns of the outermost loop threads do at a time; None if they do not share them."""
        loops = self.product.loops
        if not loops or loops[0].length < FEW_TURNS:
            return None
        turns = turns_of(loops[0].length, self.duration)
        return turns if turns < loops[0].length else None

    def share(self, b: Any, pointers: Sequence[Any], turns: int) -> None:
        """The outermost loop, in pieces."""
        n = self.product.loops[0].length

        def piece(b: Any, pointers: Sequence[Any], k: Any) -> None:
            begin, end = range_of(b, k, turns, n)
            with memory(self.unit, b, self.needed) as own:
                self.loop(b, pointers, own, 0, begin, b.sub(end, begin))

        in_pieces(self.unit, b, -(-n // turns), pointers, piece, self.marked)

    def around(self, b: Any, pointers: Sequence[Any], scratch: Any, depth: int) -> None:
        """The loops from one on, and the product inside."""
        if depth < len(self.product.loops):
            self.loop(b, pointers, scratch, depth, constant(I64, 0), self.product.loops[depth].length)
        else:
            rest = displaced(b, scratch, constant(I64, 1), self.x_bytes + self.y_bytes)
            _WAYS[self.how](self, b, pointers, rest)

    def loop(self, b: Any, pointers: Sequence[Any], scratch: Any, depth: int, first: Any, count: Any) -> None:
        """So many turns of a loop, from the first on."""
        pointers = self.moved(b, pointers, depth, first)
        with counted(b, count) as i:
            here = self.copied(b, self.moved(b, pointers, depth, i), scratch, depth + 1)
            self.around(b, here, scratch, depth + 1)

    def moved(self, b: Any, pointers: Sequence[Any], depth: int, i: Any) -> list[Any]:
        sizes = (self.dtypes[0].itemsize, self.dtypes[0].itemsize, self.dtypes[2].itemsize)
        strides = self.product.loops[depth][1:]
        return [displaced(b, x, i, s * n) for x, s, n in zip(pointers, strides, sizes, strict=True)]

    def copied(self, b: Any, pointers: Sequence[Any], scratch: Any, depth: int) -> list[Any]:
        """The pointers within so many loops; operands are copied where the innermost loop that moves them begins."""
        p, (x, y, z) = self.product, pointers
        depths = [max((d + 1 for d, a in enumerate(p.loops) if stride(a)), default=0) for stride in (_x, _y)]
        if p.copy_x is not None and depths[0] == depth:
            pack(self.unit, b, self.dtypes[0], [(a.length, a.x) for a in p.copy_x], x, scratch)
            x = scratch
        if p.copy_y is not None and depths[1] == depth:
            target = displaced(b, scratch, constant(I64, 1), self.x_bytes)
            pack(self.unit, b, self.dtypes[0], [(a.length, a.y) for a in p.copy_y], y, target)
            y = target
        return [x, y, z]

    def by_blas(self, b: Any, pointers: Sequence[Any]) -> None:
        """By BLAS, on our threads rather than its own: cut along the longer axis, so the smaller operand is copied by each."""
        vector = self.product.m.length == 1 or self.product.n.length == 1
        call = self.gemv if vector else self.gemm
        if self.product.size <= (NO_THREADS_OF_VECTOR if vector else NO_THREADS):
            call(b, pointers, {})
            return
        name, axis = max((("m", self.product.m), ("n", self.product.n)), key=lambda pair: pair[1].length)
        length = self.length_of_a_piece(axis.length)

        def piece(b: Any, pointers: Sequence[Any], k: Any) -> None:
            begin, end = range_of(b, k, length, axis.length)
            sizes = (self.dtypes[0].itemsize, self.dtypes[0].itemsize, self.dtypes[2].itemsize)
            steps = [stride * length * size for stride, size in zip(axis[1:], sizes, strict=True)]
            here = [displaced(b, x, k, step) for x, step in zip(pointers, steps, strict=True)]
            call(b, here, {name: b.sub(end, begin)})

        self.unit.call_outside(b, "pool.hold_blas", ir.VoidType(), [])
        in_pieces(self.unit, b, -(-axis.length // length), pointers, piece, hurried)
        self.unit.call_outside(b, "pool.free_blas", ir.VoidType(), [])

    def length_of_a_piece(self, n: int) -> int:
        """How many rows or columns of a product a thread does at a time, all if it is small."""
        if duration_of(self.product, self.dtypes) < WORTH_SHARING:
            return n
        length = min(max(LEAST_ROWS, -(-n // MOST_BLAS_PIECES)), -(-n // 2))
        return min(n, -(-length // 16) * 16)

    def gemm(self, b: Any, pointers: Sequence[Any], lengths: Mapping[str, Any]) -> None:
        """One call; `lengths` are those of axes that are cut."""
        p, dtype = self.product, self.dtypes[0]
        name = _GEMM[dtype]
        one, zero = (self.factor(x) for x in (1, 0))
        args: list[Any] = [constant(I32, ROW_MAJOR)]
        x_as_is, x_lead = _stored((p.m.length, p.m.x), (p.k.length, p.k.x))
        y_as_is, y_lead = _stored((p.k.length, p.k.y), (p.n.length, p.n.y))
        args += [constant(I32, AS_IS if as_is else TRANSPOSED) for as_is in (x_as_is, y_as_is)]
        args += [lengths.get(n, constant(I64, axis.length)) for n, axis in (("m", p.m), ("n", p.n), ("k", p.k))]
        x, y, z = pointers
        args += [one, x, constant(I64, x_lead), y, constant(I64, y_lead)]
        args += [zero, z, constant(I64, max(p.m.z, p.n.length))]
        self.unit.call_outside(b, f"blas.{name}", ir.VoidType(), args)

    def gemv(self, b: Any, pointers: Sequence[Any], lengths: Mapping[str, Any]) -> None:
        """The same where one operand is a vector: the other one, a matrix, is read once."""
        p = self.product
        x, y, z = pointers
        if p.n.length == 1:
            name, matrix, rows, columns = "m", x, (p.m.length, p.m.x), (p.k.length, p.k.x)
            vector, step, z_step = y, p.k.y, p.m.z
        else:
            name, matrix, rows, columns = "n", y, (p.n.length, p.n.y), (p.k.length, p.k.y)
            vector, step, z_step = x, p.k.x, 1
        as_is, lead = _stored(rows, columns)
        n, k = lengths.get(name, constant(I64, rows[0])), constant(I64, p.k.length)
        args: list[Any] = [constant(I32, ROW_MAJOR), constant(I32, AS_IS if as_is else TRANSPOSED)]
        args += [n, k] if as_is else [k, n]
        args += [self.factor(1), matrix, constant(I64, lead), vector, constant(I64, max(step, 1))]
        args += [self.factor(0), z, constant(I64, max(z_step, 1))]
        function = _GEMM[self.dtypes[0]].replace("gemm", "gemv")
        self.unit.call_outside(b, f"blas.{function}", ir.VoidType(), args)

    def factor(self, x: int) -> Any:
        """A number as BLAS takes it: complex ones by pointer."""
        dtype = self.dtypes[0]
        if dtype.kind == "c":
            return self.unit.constant(np.asarray(x, dtype))
        return constant(register_type(dtype), x)


def _stored(rows: tuple[int, int], columns: tuple[int, int]) -> tuple[bool, int]:
    """Whether a matrix, of so many rows and columns so far apart, is as it is, for its last axis is contiguous, or transposed; and
    how far apart the rows of what is stored are. Of an axis of length 1, any stride may be said."""
    (n, far), (m, near) = rows, columns
    as_is = m == 1 or (near == 1 and (far >= m or n == 1))
    return as_is, max(far, m) if as_is else max(near, n)


def _x(a: Axis) -> int:
    return a.x


def _y(a: Axis) -> int:
    return a.y


def _bytes(axes: Sequence[Axis] | None, size: int) -> int:
    return 0 if axes is None else aligned(math.prod(a.length for a in axes) * size)


_WAYS: dict[str, Callable[[Products, Any, Sequence[Any], Any], None]] = {
    "rows": lambda these, b, pointers, scratch: rows(b, these.product, these.dtypes, pointers),
    "dots": lambda these, b, pointers, scratch: dots(b, these.product, these.dtypes, pointers),
    "blas": lambda these, b, pointers, scratch: these.by_blas(b, pointers),
    "blocked": lambda these, b, pointers, scratch: blocked(
        these.unit, b, these.product, these.dtypes, pointers, scratch
    ),
}
