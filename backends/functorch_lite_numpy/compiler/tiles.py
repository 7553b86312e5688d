"""Small products of matrices, in registers.

`rows`: the columns of z go along the lanes; a tile of z stays in registers while k runs. x may lie in any way.
`dots`: what is summed over goes along the lanes; x and y are contiguous along it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import processor
from .control import accumulated, counted, covered, displaced
from .intrinsics import call_named, intrinsic
from .products import Product
from .scalars import Context, emit
from .types import I32, I64, constant, memory_type, register_type, splat
from .vectors import load, run_mask, store
from .words import WORD, multiply

__all__ = ["Tiles", "cut", "dots", "panel", "rows", "tile"]

UNROLLED = 8
"""Sums of so few terms are written out."""
HIGHEST = 12
"""Rows of a tile: enough to keep the units busy, and not too much code."""


class Tiles:
    """What both ways share: dtypes, pointers, loading, multiplying and adding."""

    def __init__(self, b: Any, p: Product, dtypes: Sequence[np.dtype], pointers: Sequence[Any], along: int):
        self.b = b
        self.p = p
        self.given, self.wide, self.result = (WORD if p.words else dtypes[0], *dtypes[1:])
        self.x, self.y, self.z = pointers
        registers = processor.vector_bytes()
        self.width = registers // max(d.itemsize for d in (self.given, self.wide, self.result))
        while self.width > 1 and self.width // 2 >= along:
            self.width //= 2
        self.registers = 32 if registers == 64 else 16

    def at(self, pointer: Any, *places: tuple[Any, Any], dtype: np.dtype | None = None) -> Any:
        """The address of an element, by (index, stride) for each axis; one of each pair is a number."""
        size = (dtype or self.given).itemsize
        constants = 0
        for i, stride in places:
            if not isinstance(stride, int):
                pointer = displaced(self.b, pointer, stride, i * size)
            elif isinstance(i, int):
                constants += i * stride * size
            else:
                pointer = displaced(self.b, pointer, i, stride * size)
        return displaced(self.b, pointer, constant(I64, 1), constants)

    def convert(self, value: Any, source: np.dtype, target: np.dtype) -> Any:
        return value if source == target else emit("convert", Context(self.b, [source], target, {}), [value])

    def load(self, pointer: Any, width: int = 1, valid: int | None = None, dtype: np.dtype | None = None) -> Any:
        """`width` elements of an operand, or of a dtype, in that of the sums; zeros beyond the first `valid`."""
        dtype, mask = dtype or self.given, run_mask(0, width if valid is None else valid, width)
        return self.convert(load(self.b, pointer, memory_type(dtype, width), mask), dtype, self.wide)

    def store(self, pointer: Any, value: Any, width: int = 1, valid: int | None = None) -> None:
        mask = run_mask(0, width if valid is None else valid, width)
        store(self.b, self.convert(value, self.wide, self.result), pointer, mask)

    def multiply_add(self, x: Any, y: Any, total: Any) -> Any:
        if self.p.words:
            product = multiply(self.b, x, y)
            return product if total is None else self.b.add(product, total)
        if total is None:
            return self.b.fmul(x, y) if self.wide.kind == "f" else self.b.mul(x, y)
        if self.wide.kind == "f":
            return intrinsic(self.b, "fmuladd", x, y, total)
        return self.b.add(self.b.mul(x, y), total)

    def add(self, x: Any, y: Any) -> Any:
        return self.b.fadd(x, y) if self.wide.kind == "f" else self.b.add(x, y)

    def total(self, value: Any, width: int) -> Any:
        """The sum of the lanes."""
        if width == 1:
            return value
        element = value.type.element
        start: list[Any] = []
        if self.wide.kind == "f":
            name, start = f"llvm.vector.reduce.fadd.v{width}f{8 * self.wide.itemsize}", [constant(element, -0.0)]
        else:
            name = f"llvm.vector.reduce.add.v{width}i{element.width}"
        return call_named(self.b, name, element, [*start, value], ("reassoc",) if start else ())

    def summed(self, count: Any, tile: int, terms: Any) -> list[Any]:
        """Sums of `terms(k, totals)` for k below `count`; several at a time, if one tile keeps the units waiting."""
        type = register_type(self.wide, self.width)
        zero = constant(type, 0.0 if self.wide.kind == "f" else 0)
        if not isinstance(count, int):
            return list(accumulated(self.b, count, [zero] * tile, terms))
        if count <= UNROLLED:
            totals: list[Any] = [None] * tile
            for k in range(count):
                totals = terms(k, totals)
            return totals
        chains = 4 if tile <= 2 else 2 if tile <= 6 else 1

        def turn(i: Any, values: Sequence[Any]) -> Sequence[Any]:
            out: list[Any] = []
            for c in range(chains):
                k = self.b.add(self.b.mul(i, constant(I64, chains)), constant(I64, c))
                out += terms(k, values[c * tile : (c + 1) * tile])
            return out

        sums = list(accumulated(self.b, count // chains, [zero] * (tile * chains), turn))
        for c in range(count % chains):
            sums[c * tile : (c + 1) * tile] = terms(count - count % chains + c, sums[c * tile : (c + 1) * tile])
        while len(sums) > tile:
            half = len(sums) // 2
            sums = [self.add(u, v) for u, v in zip(sums[:half], sums[half:], strict=True)]
        return sums


def even(count: int, most: int) -> int:
    """A length of tiles, `most` or somewhat less, that leaves no or a large rest."""
    for n in range(min(most, count), max(1, most * 2 // 3) - 1, -1):
        if count % n == 0:
            return n
    return -(-count // -(-count // most))


def cut(b: Any, count: int, length: int) -> Iterator[tuple[Any, int]]:
    """(start, length) of tiles: a loop over whole ones, then the rest."""
    whole, rest = divmod(count, length)
    if whole:
        with counted(b, whole) as i:
            yield (b.mul(i, constant(I64, length)) if whole > 1 else 0), length
    if rest:
        yield whole * length, rest


def panel(p: Product, dtypes: Sequence[np.dtype]) -> tuple[int, int]:
    """Rows and columns of a tile that fits the registers."""
    t = Tiles(None, p, dtypes, (None,) * 3, p.n.length)
    vectors = -(-p.n.length // t.width)
    across = even(vectors, 4 if t.registers == 32 else 2) if p.m.length > 1 else min(vectors, 8)
    down = even(p.m.length, min(HIGHEST, max(1, (t.registers - 4) // across - (across > 2))))
    return down, across * t.width


def rows(b: Any, p: Product, dtypes: Sequence[np.dtype], pointers: Sequence[Any]) -> None:
    """Append one product, the lanes along n. Tiles may overlap: so one kind of tile is enough."""
    t = Tiles(b, p, dtypes, pointers, p.n.length)
    down, across = panel(p, dtypes)
    across = min(across, p.n.length)
    with covered(b, p.n.length, across) as j, covered(b, p.m.length, down) as i:
        tile(t, i, down, j, across, p.k.length)


def _times(b: Any, i: Any, n: int) -> Any:
    return i * n if isinstance(i, int) else b.mul(i, constant(I64, n))


def tile(
    t: Tiles, i: Any, height: int, j: Any, length: int, count: Any, first: Any = None, subtract: bool = False
) -> None:
    """z[i : i + height, j : j + length], a sum of `count` terms.

    It is stored if `first` holds, or is not given; else it is added to what is there, or always subtracted from it.
    """
    p, width, valid = t.p, t.width, min(t.width, length)
    x, y, z = t.at(t.x, (i, p.m.x)), t.at(t.y, (j, p.n.y)), t.at(t.z, (i, p.m.z), (j, 1), dtype=t.result)
    starts = [max(0, min(c, length - width)) for c in range(0, length, width)]  # the last vector may overlap

    def terms(k: Any, totals: Sequence[Any]) -> list[Any]:
        row = [_along(t, t.at(y, (k, p.k.y), (c, p.n.y)), valid) for c in starts]
        out = []
        for r in range(height):
            factor = splat(t.b, t.load(t.at(left[r], (k, p.k.x))), width)
            out += [t.multiply_add(factor, v, totals[r * len(starts) + c]) for c, v in enumerate(row)]
        return out

    left = [t.at(x, (r, p.m.x)) for r in range(height)]
    sums = t.summed(count, height * len(starts), terms)
    lines = [t.at(z, (r, p.m.z), dtype=t.result) for r in range(height)]
    places = [t.at(line, (c, 1), dtype=t.result) for line in lines for c in starts]
    before = [t.load(place, width, valid, t.result) for place in places] if first is not None or subtract else []
    if subtract:
        sums = [t.b.fsub(old, s) for s, old in zip(sums, before, strict=True)]
    elif first is not None:
        sums = [t.b.select(first, s, t.add(s, old)) for s, old in zip(sums, before, strict=True)]
    for place, s in zip(places, sums, strict=True):
        t.store(place, s, width, valid)


def _along(t: Tiles, pointer: Any, valid: int) -> Any:
    """A vector of y along n: one load, or one for each lane if it is not contiguous."""
    stride = t.p.n.y
    if stride == 1 or t.width == 1:
        return t.load(pointer, t.width, valid)
    out = constant(register_type(t.wide, t.width), 0.0 if t.wide.kind == "f" else 0)
    for lane in range(valid):
        out = t.b.insert_element(out, t.load(t.at(pointer, (lane, stride))), constant(I32, lane))
    return out


def dots(b: Any, p: Product, dtypes: Sequence[np.dtype], pointers: Sequence[Any]) -> None:
    """Append one product, the lanes along k."""
    t = Tiles(b, p, dtypes, pointers, p.k.length)
    down = even(p.m.length, 4)
    across = even(p.n.length, 4 if p.m.length > 1 else 8)
    for i, height in cut(b, p.m.length, down):
        for j, length in cut(b, p.n.length, across):
            _dots_tile(t, i, height, j, length)


def _dots_tile(t: Tiles, i: Any, height: int, j: Any, length: int) -> None:
    p, width = t.p, t.width
    x, y, z = t.at(t.x, (i, p.m.x)), t.at(t.y, (j, p.n.y)), t.at(t.z, (i, p.m.z), (j, p.n.z), dtype=t.result)
    vectors, rest = divmod(p.k.length, width)

    def terms(k: Any, totals: Sequence[Any], valid: int = width) -> list[Any]:
        k = _times(t.b, k, width)
        left = [t.load(t.at(x, (r, p.m.x), (k, 1)), width, valid) for r in range(height)]
        right = [t.load(t.at(y, (c, p.n.y), (k, 1)), width, valid) for c in range(length)]
        pairs = [(u, v) for u in left for v in right]
        return [t.multiply_add(u, v, total) for (u, v), total in zip(pairs, totals, strict=True)]

    sums = t.summed(vectors, height * length, terms) if vectors else [None] * (height * length)
    if rest:
        sums = terms(vectors, sums, rest)
    for n, value in enumerate(sums):
        place = t.at(z, (n // length, p.m.z), (n % length, p.n.z), dtype=t.result)
        t.store(place, t.total(value, width))
