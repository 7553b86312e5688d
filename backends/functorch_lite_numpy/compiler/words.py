"""Products of short integers with 32-bit sums: two terms at a time.

    sums[i] + x[k] y[k, i] + x[k + 1] y[k + 1, i]

Processors of x86 have an instruction for words of two 16-bit integers. Both operands are copied into such words: x along its
rows, y from two of its rows each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ir, processor
from .control import counted, covered, displaced
from .intrinsics import call_named
from .products import Axis, Product
from .types import I16, I32, I64, PTR, constant, lanes, memory_type
from .unit import Unit

__all__ = ["WORD", "has_words", "in_words", "multiply", "words_of_columns", "words_of_rows"]

WORD = np.dtype(np.int32)

FEWEST = (3, 4, 8)
"""Rows, columns and terms that are worth the copies."""
WORTH = 24**3
"""So are so many multiplications."""
_X86 = {4: "sse2.pmadd.wd", 8: "avx2.pmadd.wd", 16: "avx512.pmaddw.d.512"}
"""By the words of a vector."""


def in_words(p: Product, dtypes: Sequence[np.dtype]) -> Product | None:
    """The product with words for pairs of terms, the operands copied where they do not lie so; None if it is not for that."""
    given, *others = dtypes
    short = given.kind in "iu" and np.can_cast(given, np.int16) and {d.itemsize for d in others} == {WORD.itemsize}
    enough = all(axis.length >= n for axis, n in zip((p.m, p.n, p.k), FEWEST, strict=True)) and p.size >= WORTH
    if not (short and enough):
        return None
    p = p if p.k.x == 1 or p.copy_x is not None else p.copying_x()
    p = p if p.n.y == 1 or p.copy_y is not None else p.copying_y()
    k = Axis(-(-p.k.length // 2), 2 * p.k.x, 2 * p.k.y, 0)
    return p._replace(k=k, words=True, odd=bool(p.k.length % 2))


def has_words() -> bool:
    """Whether the processor multiplies words."""
    return processor.processor_family() == "x86_64"


def multiply(b: Any, x: Any, y: Any) -> Any:
    """For each word, the sum of the two products."""
    n = x.type.count
    if has_words() and n in _X86:
        short = ir.VectorType(I16, 2 * n)
        return call_named(b, f"llvm.x86.{_X86[n]}", x.type, [b.bitcast(x, short), b.bitcast(y, short)])
    half = constant(x.type, 16)
    low, high = (b.mul(*(b.ashr(f(v), half) for v in (x, y))) for f in (lambda v: b.shl(v, half), lambda v: v))
    return b.add(low, high)


def words_of_rows(
    unit: Unit, b: Any, dtype: np.dtype, rows: tuple[int, int], terms: int, source: Any, target: Any
) -> None:
    """Rows (count, stride), in which terms lie side by side, as rows of words without gaps; an odd term is one with zero."""
    count, stride = rows

    def make() -> Any:
        function = unit.function(unit.name("words"), ir.VoidType(), [PTR, PTR])
        b, (source, target) = ir.IRBuilder(function.append_basic_block("entry")), function.args
        width = _width(terms, processor.vector_bytes() // 2)
        with counted(b, count) as i:
            row, to = displaced(b, source, i, stride * dtype.itemsize), displaced(b, target, i, -(-terms // 2) * 4)
            if terms == 1:
                b.store(b.zext(_short(b, dtype, row, 1), I32), to, align=4)
            else:
                with covered(b, terms, width) as k:
                    b.store(
                        _short(b, dtype, displaced(b, row, k, dtype.itemsize), width), displaced(b, to, k, 2), align=2
                    )
        b.ret_void()
        return function

    b.call(unit.shared(("words of rows", dtype, rows, terms), make), [source, target])


def words_of_columns(
    unit: Unit, b: Any, dtype: np.dtype, terms: tuple[int, int], columns: int, source: Any, target: Any
) -> None:
    """Rows of terms (count, stride), two of which make one of words, a word for each column; an odd one, with zeros."""
    count, stride = terms
    size = dtype.itemsize

    def make() -> Any:
        function = unit.function(unit.name("words"), ir.VoidType(), [PTR, PTR])
        b, (source, target) = ir.IRBuilder(function.append_basic_block("entry")), function.args
        width = _width(columns, 16)
        type = memory_type(dtype, width)
        picks = lanes(ir.VectorType(I32, 2 * width), [i // 2 + i % 2 * width for i in range(2 * width)])
        with counted(b, -(-count // 2)) as k, covered(b, columns, width) as j:
            first = displaced(b, displaced(b, source, k, 2 * stride * size), j, size)
            second = displaced(b, first, constant(I64, 1), stride * size)
            x = b.load(first, typ=type, align=size)
            y = ir.Constant(type, None) if count == 1 else b.load(second, typ=type, align=size)
            pairs = _widened(b, dtype, b.shuffle_vector(x, y, picks))
            b.store(pairs, displaced(b, displaced(b, target, k, columns * 4), j, 4), align=4)
        b.ret_void()
        return function

    b.call(unit.shared(("words of columns", dtype, terms, columns), make), [source, target])


def _width(n: int, most: int) -> int:
    """A power of two, no more than n or `most`."""
    return min(most, 1 << (n.bit_length() - 1))


def _short(b: Any, dtype: np.dtype, pointer: Any, width: int) -> Any:
    """Elements, as 16-bit integers."""
    return _widened(b, dtype, b.load(pointer, typ=memory_type(dtype, width), align=dtype.itemsize))


def _widened(b: Any, dtype: np.dtype, value: Any) -> Any:
    if dtype.itemsize == 2:
        return value
    type = ir.VectorType(I16, value.type.count) if isinstance(value.type, ir.VectorType) else I16
    return (b.sext if dtype.kind == "i" else b.zext)(value, type)
