"""Vectors of elements in memory: whole, the first lanes only, apart by a stride; squares of them transposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ir
from .grids import counted
from .types import I1, I32, I64, PTR, constant, lanes, splat
from .unit import Unit

__all__ = ["first_lanes", "fma", "intrinsic", "load", "load_apart", "load_pattern", "run_mask", "square", "store"]


def _suffix(type: Any) -> str:
    scalar = type.element if isinstance(type, ir.VectorType) else type
    short = (
        f"i{scalar.width}" if isinstance(scalar, ir.IntType) else "f64" if isinstance(scalar, ir.DoubleType) else "f32"
    )
    return f"v{type.count}{short}" if isinstance(type, ir.VectorType) else short


def _alignment(type: Any) -> int:
    scalar = type.element if isinstance(type, ir.VectorType) else type
    return (
        min(scalar.width // 8, 8) if isinstance(scalar, ir.IntType) else 8 if isinstance(scalar, ir.DoubleType) else 4
    )


def _zero(type: Any) -> Any:
    return ir.Constant(type, None)


def intrinsic(b: Any, name: str, result: Any, args: Sequence[Any]) -> Any:
    """A call of a function that LLVM knows."""
    function = b.module.globals.get(name)
    if function is None:
        function = ir.Function(b.module, ir.FunctionType(result, [a.type for a in args]), name)
    return b.call(function, args)


def fma(b: Any, x: Any, y: Any, z: Any) -> Any:
    """X y + z, rounded once."""
    return intrinsic(b, f"llvm.fma.{_suffix(x.type)}", x.type, [x, y, z])


def run_mask(first: int, n: int, width: int) -> Any:
    """The mask of n lanes from the first; None for all."""
    if n == width:
        return None
    return lanes(ir.VectorType(I1, width), [int(first <= i < first + n) for i in range(width)])


def first_lanes(b: Any, n: Any, width: int) -> Any:
    """The mask of the lanes below n, a value."""
    type = ir.VectorType(I64, width)
    return b.icmp_signed("<", lanes(type, range(width)), splat(b, n, width))


def load(b: Any, pointer: Any, type: Any, mask: Any = None, other: Any = None) -> Any:
    """A vector; zero, or another vector's lanes, where the mask says no."""
    if mask is None:
        return b.load(pointer, typ=type, align=_alignment(type))
    args = [pointer, constant(I32, _alignment(type)), mask, _zero(type) if other is None else other]
    return intrinsic(b, f"llvm.masked.load.{_suffix(type)}.p0", type, args)


def store(b: Any, value: Any, pointer: Any, mask: Any = None) -> None:
    if mask is None:
        b.store(value, pointer, align=_alignment(value.type))
        return
    name = f"llvm.masked.store.{_suffix(value.type)}.p0"
    intrinsic(b, name, ir.VoidType(), [value, pointer, constant(I32, _alignment(value.type)), mask])


def load_apart(b: Any, pointer: Any, type: Any, stride: int, mask: Any = None) -> Any:
    """A vector of elements that are `stride` apart; zero where the mask says no."""
    if stride == 1:
        return load(b, pointer, type, mask)
    places = lanes(ir.VectorType(I64, type.count), [i * stride for i in range(type.count)])
    pointers = b.gep(pointer, [places], source_etype=type.element)
    mask = mask if mask is not None else constant(ir.VectorType(I1, type.count), 1)
    args = [pointers, constant(I32, _alignment(type)), mask, _zero(type)]
    return intrinsic(b, f"llvm.masked.gather.{_suffix(type)}.v{type.count}p0", type, args)


def load_pattern(b: Any, pointer: Any, type: Any, places: Sequence[int | None], other: Any) -> Any:
    """A vector whose lanes come from the given places, known beforehand; from another vector where None.

    Places that follow each other are one load; those within a few vectors, loads and shuffles; else it is a gather.
    """
    n = type.count
    known = [(i, p) for i, p in enumerate(places) if p is not None]
    first, last = min(p for _, p in known), max(p for _, p in known)
    if len({p - i for i, p in known}) == 1:
        start = known[0][1] - known[0][0]
        kept = [p is not None for p in places]
        mask = None if all(kept) else lanes(ir.VectorType(I1, n), kept)
        return load(b, b.gep(pointer, [constant(I64, start)], source_etype=type.element), type, mask, other)
    if last - first >= 4 * n:
        indices = lanes(ir.VectorType(I64, n), [p or 0 for p in places])
        pointers = b.gep(pointer, [indices], source_etype=type.element)
        args = [
            pointers,
            constant(I32, _alignment(type)),
            lanes(ir.VectorType(I1, n), [p is not None for p in places]),
            other,
        ]
        return intrinsic(b, f"llvm.masked.gather.{_suffix(type)}.v{n}p0", type, args)
    out = other
    for start in range(first, last + 1, n):
        wanted = [p is not None and start <= p < start + n for p in places]
        if any(wanted):
            part = load(
                b,
                b.gep(pointer, [constant(I64, start)], source_etype=type.element),
                type,
                run_mask(0, min(n, last + 1 - start), n),
            )
            picks = [n + (p or 0) - start if w else i for i, (p, w) in enumerate(zip(places, wanted, strict=True))]
            out = b.shuffle_vector(out, part, lanes(ir.VectorType(I32, n), picks))
    return out


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
                _exchange(b, values, 1 << j, size)
            for i, v in zip(at, values, strict=True):
                if k + 1 < len(passes):
                    b.store(v, b.gep(buffer, [i], source_etype=type))
                else:
                    written = splat(b, b.icmp_signed("<", i, columns), n)
                    store(b, v, b.gep(target, [b.mul(target_step, i)], source_etype=type.element), written)
    b.ret_void()
    return f


def _exchange(b: Any, rows: list[Any], apart: int, size: int) -> None:
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
