"""Large products of matrices, by blocks that stay in the caches.

    for each block of rows of z and of terms of the sum:   x copied, if it does not lie row by row (second-level cache)
        for each panel of columns:                         that part of y is copied (first-level cache)
            for each tile of rows:                         a tile of z in registers

The tile's code is a function: it is there once for whole tiles, and once for each kind of rest. A large product is cut along
its columns or rows, and the pieces are shared among threads. That of a single row is cut along its terms, so that each piece reads
what lies in a row: sums of the pieces are added up in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import ir, processor
from .control import displaced
from .memory import aligned
from .packing import pack
from .parts import hurried
from .pieces import MOST_PIECES, WORTH_SHARING, in_pieces, memory
from .products import Axis, Product
from .tiles import Tiles, cut, panel, tile
from .types import I1, I64, PTR, constant, int64, register_type
from .unit import Unit
from .vectors import load, store
from .words import WORD, words_of_columns, words_of_rows

__all__ = ["STREAMS", "blocked", "by_blocks", "drafted_of", "duration_of", "own_scratch", "scratch_of", "total_of_rows"]

DEPTH = 128
"""Terms of the sum in a block."""
BLOCK_BYTES = 1 << 18
"""Of a block of x."""
STREAMS = 8
"""Rows of y that a row of x is multiplied by at a time."""
UNPACKED = 32
"""With so few rows of x, y is read where it lies: a copy would be used too seldom."""
NEAR, WAYS = 1 << 16, 256
"""So is y if it takes so few bytes, unless its rows lie so many apart, or multiples: they would drive each other from the cache."""
PIECE = 40e3
"""Nanoseconds of work that a piece has at least."""
LEAST_TERMS, MOST_SUMS = 64, 16
"""Where terms are shared: the fewest of a piece, and the most pieces."""
STRIPE = 1 << 13
"""Bytes of a row that are worth reading apart from the others."""
PACKING = 20
"""Copying an element takes as long as so many multiplications."""


def duration_of(p: Product, dtypes: Sequence[np.dtype]) -> float:
    """About how many nanoseconds one thread takes for one product."""
    speed = 80 * processor.vector_bytes() / 64 if p.m.length > 4 else 8
    return p.size * dtypes[0].itemsize / 4 / speed


def drafted_of(p: Product) -> float:
    """How much longer it takes in a draft, times its duration: there the sums of a tile stay in no register."""
    return 6.0 if p.m.length > 4 else 1.0


def _depth(p: Product) -> int:
    if p.m.length == 1:
        return STREAMS
    return -(-p.k.length // -(-p.k.length // DEPTH))


def _rows(p: Product, size: int) -> int:
    return min(p.m.length, max(64, BLOCK_BYTES // (_depth(p) * size) // 48 * 48))


def _lies_well(p: Product) -> bool:
    return p.m.length == 1 or p.k.x == 1


def _copies_y(p: Product, dtypes: Sequence[np.dtype]) -> bool:
    """Whether parts of y are copied before tiles read them."""
    if p.words or p.n.y != 1:
        return True
    row = p.k.y * dtypes[0].itemsize
    return p.m.length > UNPACKED and (p.k.length * row > NEAR or row % WAYS == 0)


def _size(p: Product, dtypes: Sequence[np.dtype]) -> int:
    """Bytes of what tiles read, copied or not: an element of x or y, or a word of two."""
    return WORD.itemsize if p.words else dtypes[0].itemsize


def _terms(b: Any, p: Product) -> Iterator[tuple[Any, int, int]]:
    """(first, length, terms) of blocks along k; a word of one term alone is a block."""
    for k, depth in cut(b, p.k.length - p.odd, _depth(p)):
        yield k, depth, 2 * depth if p.words else depth
    if p.odd:
        yield p.k.length - 1, 1, 1


def scratch_of(p: Product, dtypes: Sequence[np.dtype]) -> tuple[int, int]:
    """Bytes for the block of x, and for the part of y; of pieces, which have memory of their own, for their sums at most."""
    cut = _cut(p, dtypes)
    if cut is None:
        return own_scratch(p, dtypes)
    name, length = cut
    return 0, aligned(-(-p.k.length // length) * p.n.length * dtypes[2].itemsize) if name == "k" else 0


def own_scratch(p: Product, dtypes: Sequence[np.dtype]) -> tuple[int, int]:
    """The same where one thread does all of it."""
    size = _size(p, dtypes)
    _, columns = panel(p, dtypes)
    x = 0 if _lies_well(p) else _rows(p, size) * _depth(p) * size
    y = columns * _depth(p) * size if _copies_y(p, dtypes) else 0
    return aligned(x), aligned(y)


def _cut(p: Product, dtypes: Sequence[np.dtype]) -> tuple[str, int] | None:
    """The axis that threads share, and the length of a piece; None for a small product.

    Each piece along m copies all of y, each along n all of x: that costs the less, the longer the pieces are.
    """
    duration = duration_of(p, dtypes)
    if duration < WORTH_SHARING:
        return None
    pieces = min(MOST_PIECES, max(2, int(duration / PIECE)))
    if p.m.length == 1:
        return _cut_of_row(p, dtypes[0].itemsize, pieces)
    best, least = None, 1.0 * p.size
    for axis, grain in zip(("m", "n"), panel(p, dtypes), strict=True):
        n = getattr(p, axis).length
        length = -(-n // grain // pieces) * grain
        count = -(-n // length)
        copied = {
            "m": p.n.length * p.k.length,
            "n": 0 if _lies_well(p) else p.m.length * p.k.length,
        }
        cost = p.size / min(count, 8) + PACKING * copied[axis] * count / min(count, 8)
        if count > 1 and cost < least:
            best, least = (axis, length), cost
    return best


def _cut_of_row(p: Product, size: int, pieces: int) -> tuple[str, int] | None:
    """The same for a single row: it takes as long as reading y does, quickest whole rows, else wide stripes of them."""
    terms = -(-max(LEAST_TERMS, -(-p.k.length // min(pieces, MOST_SUMS))) // STREAMS) * STREAMS
    if p.k.length >= 2 * terms:
        return "k", terms
    columns = max(STRIPE // size, -(-p.n.length // pieces))
    return ("n", columns) if columns < p.n.length else None


def blocked(
    unit: Unit,
    b: Any,
    p: Product,
    dtypes: Sequence[np.dtype],
    pointers: Sequence[Any],
    scratch: Any,
    subtract: bool = False,
) -> None:
    """Append one product, of which the sums have the dtype of the result; stored in z, or subtracted from it."""
    cut = _cut(p, dtypes)
    if cut is None:
        by_blocks(unit, b, p, dtypes, pointers, scratch, subtract)
        return
    name, length = cut
    axis: Axis = getattr(p, name)
    whole, rest = divmod(axis.length, length)
    sizes = (dtypes[0].itemsize, dtypes[0].itemsize, dtypes[2].itemsize)
    steps = [stride * length * size for stride, size in zip(axis[1:], sizes, strict=True)]
    apart = name == "k"
    if apart:
        steps[2] = p.n.length * dtypes[2].itemsize

    def piece(b: Any, pointers: Sequence[Any], k: Any) -> None:
        here = [displaced(b, pointer, k, step) for pointer, step in zip(pointers, steps, strict=True)]

        def part(n: int) -> None:
            some = p._replace(**{name: axis._replace(length=n)})
            with memory(unit, b, sum(own_scratch(some, dtypes))) as own:
                by_blocks(unit, b, some, dtypes, here, own, subtract and not apart)

        if not rest:
            part(length)
            return
        with b.if_else(b.icmp_unsigned("<", k, constant(I64, whole))) as (then, otherwise):
            with then:
                part(length)
            with otherwise:
                part(rest)

    count = whole + (rest > 0)
    in_pieces(unit, b, count, [*pointers[:2], scratch if apart else pointers[2]], piece, hurried)
    if apart:
        b.call(total_of_rows(unit, count, p.n.length, dtypes[2], subtract), [scratch, pointers[2]])


def total_of_rows(unit: Unit, count: int, n: int, dtype: np.dtype, subtract: bool = False) -> Any:
    """A function (ptr sums, ptr z): rows of sums added up, in order; stored in z, or subtracted from it."""

    def make() -> Any:
        function = unit.function(unit.name("total"), ir.VoidType(), [PTR, PTR])
        b, (sums, z) = ir.IRBuilder(function.append_basic_block("entry")), function.args
        add, less = (b.fadd, b.fsub) if dtype.kind == "f" else (b.add, b.sub)
        for j, width in cut(b, n, processor.vector_bytes() // dtype.itemsize):
            type = register_type(dtype, width)
            here, place = (_at(b, pointer, (j, dtype.itemsize)) for pointer in (sums, z))
            total = load(b, here, type)
            for k in range(1, count):
                total = add(total, load(b, _at(b, here, (k, n * dtype.itemsize)), type))
            store(b, less(load(b, place, type), total) if subtract else total, place)
        b.ret_void()
        return function

    return unit.shared(("total", count, n, dtype, subtract), make)


def by_blocks(
    unit: Unit,
    b: Any,
    p: Product,
    dtypes: Sequence[np.dtype],
    pointers: Sequence[Any],
    scratch: Any,
    subtract: bool = False,
    first: Any = None,
) -> None:
    """Append one product, by one thread: stored in z, or subtracted from it, or added where `first` is given and does not hold."""
    x, y, z = pointers
    given, _, result = dtypes
    size, copied_size = given.itemsize, _size(p, dtypes)
    down, columns = panel(p, dtypes)
    in_one = p.k.length <= _depth(p) and not p.odd
    once = in_one and first is None
    near = in_one and not _copies_y(p, dtypes) and p.n.length * p.k.length * size <= NEAR
    stripe = p.n.length if near else columns  # of y near by, whole rows of z, so that these are written as they lie
    x_block, y_part = scratch, displaced(b, scratch, constant(I64, 1), own_scratch(p, dtypes)[0])
    for i0, rows in cut(b, p.m.length, _rows(p, copied_size)):
        for k0, depth, terms in _terms(b, p):
            begins = b.icmp_unsigned("==", int64(k0), constant(I64, 0))
            begins = begins if first is None else b.and_(begins, first)
            x_here, m, k = _at(b, x, (i0, p.m.x * size), (k0, p.k.x * size)), p.m, p.k
            if not _lies_well(p):
                if p.words:
                    words_of_rows(unit, b, given, (rows, m.x), terms, x_here, x_block)
                else:
                    pack(unit, b, given, [(rows, m.x), (depth, k.x)], x_here, x_block)
                x_here, m, k = x_block, m._replace(x=depth), k._replace(x=1)
            for j0, width in cut(b, p.n.length, stripe):
                y_here, n = _at(b, y, (k0, p.k.y * size), (j0, p.n.y * size)), p.n
                if _copies_y(p, dtypes):
                    if p.words:
                        words_of_columns(unit, b, given, (terms, p.k.y // 2), width, y_here, y_part)
                    else:
                        pack(unit, b, given, [(depth, p.k.y), (width, n.y)], y_here, y_part)
                    y_here, k, n = y_part, k._replace(y=width), n._replace(y=1)
                for i, height in cut(b, rows, down):
                    for j, across in cut(b, width, columns):
                        z_here = _at(b, z, (i0, m.z * result.itemsize), (i, m.z * result.itemsize))
                        places = [
                            _at(b, x_here, (i, m.x * copied_size)),
                            _at(b, y_here, (j, n.y * size)),
                            _at(b, z_here, (j0, result.itemsize), (j, result.itemsize)),
                        ]
                        whole = Product((), m._replace(length=height), n._replace(length=across), k, words=p.words)
                        strides = [constant(I64, stride) for stride in (depth, m.x, m.z)]
                        b.call(_tile(unit, whole, dtypes, subtract, once), [*places, *strides, begins])


def _at(b: Any, pointer: Any, *places: tuple[Any, int]) -> Any:
    for i, step in places:
        pointer = displaced(b, pointer, int64(i), step)
    return pointer


def _tile(unit: Unit, p: Product, dtypes: Sequence[np.dtype], subtract: bool, once: bool) -> Any:
    """A function (ptr x, ptr y, ptr z, i64 terms, i64 x_stride, i64 z_stride, i1 first).

    The first block of terms is stored, the others are added; if all terms are in it (`once`), what lies in z is not read.
    Strides are those of rows.
    """
    short = p.k.length if p.k.length <= STREAMS else None
    key = p._replace(m=p.m._replace(x=0, z=0), k=p.k._replace(length=short or 0))

    def make() -> Any:
        function = unit.function(unit.name("tile"), ir.VoidType(), [PTR, PTR, PTR, I64, I64, I64, I1])
        unit.losses.inner.add(function.name)
        for argument in function.args[:3]:
            argument.add_attribute("noalias")
        x, y, z, terms, x_stride, z_stride, first = function.args
        b = ir.IRBuilder(function.append_basic_block("entry"))
        anywhere = p._replace(m=p.m._replace(x=x_stride, z=z_stride))
        t = Tiles(b, anywhere, dtypes, (x, y, z), p.n.length)
        tile(t, 0, p.m.length, 0, p.n.length, short or terms, None if once else first, subtract)
        b.ret_void()
        return function

    return unit.shared(("tile", key, tuple(dtypes), subtract, once), make)
