"""Squares of vectors transposed: rows become lanes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ir
from .grids import counted
from .types import I1, I32, I64, PTR, constant, lanes, splat
from .unit import Unit
from .vectors import first_lanes, load, store

__all__ = ["exchange", "square"]


def square(unit: Unit, type: Any) -> Any:
    """The function that transposes a square of as many rows as lanes, shared by all that needs it.

        void square(ptr from, i64 step, i64 rows, i64 columns, ptr to, i64 to_step)

    Only so many rows and columns are read; the rest are zeros. Only so many columns are written, as rows, whole.
    """
    key = ("square", str(type))
    return unit.shared(key, lambda: _emit_square(unit, type))


def _emit_square(unit: Unit, type: Any) -> Any:
    """Blocks of rows and lanes change places, ever larger ones; two sizes in each pass over the rows."""
    f = unit.function(unit.name("square"), ir.VoidType(), [PTR, I64, I64, I64, PTR, I64])
    source, step, rows, columns, target, target_step = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    n = type.count
    kept: Any = b.alloca(type, n)
    kept.align = 64
    buffer = b.bitcast(kept, PTR)
    steps = [1 << i for i in range(n.bit_length() - 1)]
    passes = [steps[i : i + 2] for i in range(0, len(steps), 2)]
    mask, all_or_none = first_lanes(b, columns, n), ir.VectorType(I1, n)
    for k, sizes in enumerate(passes):
        first, count = sizes[0], 1 << len(sizes)
        with counted(b, n // count) as g:
            base = b.add(b.mul(b.udiv(g, constant(I64, first)), constant(I64, first * (count - 1))), g)
            at = [b.add(base, constant(I64, i * first)) for i in range(count)]
            if k == 0:
                there = [b.select(b.icmp_signed("<", i, rows), mask, constant(all_or_none, 0)) for i in at]
                values = [
                    load(b, b.gep(source, [b.mul(step, i)], source_etype=type.element), type, m)
                    for i, m in zip(at, there, strict=True)
                ]
            else:
                values = [b.load(b.gep(buffer, [i], source_etype=type), typ=type) for i in at]
            for j, size in enumerate(sizes):
                exchange(b, values, 1 << j, size)
            for i, v in zip(at, values, strict=True):
                if k + 1 < len(passes):
                    b.store(v, b.gep(buffer, [i], source_etype=type))
                else:
                    written = splat(b, b.icmp_signed("<", i, columns), n)
                    store(b, v, b.gep(target, [b.mul(target_step, i)], source_etype=type.element), written)
    b.ret_void()
    return f


def exchange(b: Any, rows: list[Any], apart: int, size: int) -> None:
    """Exchange blocks of lanes between rows: the upper of one with the lower of the row `apart` rows further."""
    n = rows[0].type.count
    index = np.arange(n)
    low = np.where(index & size, index - size + n, index)  # lanes n .. 2n - 1 are those of the second row
    high = np.where(index & size, index + n, index + size)
    mask = ir.VectorType(I32, n)
    for i in range(len(rows)):
        if not i & apart:
            x, y = rows[i], rows[i + apart]
            rows[i] = b.shuffle_vector(x, y, lanes(mask, low))
            rows[i + apart] = b.shuffle_vector(x, y, lanes(mask, high))
