"""Vectors of elements in memory: whole, the first lanes only, apart by a stride, anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import ir, processor
from .intrinsics import call_named, suffix
from .types import I1, I8, I32, I64, constant, is_vector, lanes, memory_type, register_type, splat, take_lanes

__all__ = [
    "both",
    "first_lanes",
    "gather",
    "load",
    "load_apart",
    "load_pattern",
    "mask_of",
    "read",
    "run_mask",
    "scatter",
    "store",
    "write",
]


FEW = 4
"""In vectors of so few lanes, some are loaded and stored without a mask: what loops carry can lie in registers then."""


def _alignment(type: Any) -> int:
    scalar = type.element if isinstance(type, ir.VectorType) else type
    if isinstance(scalar, ir.IntType):
        return min(scalar.width // 8, 8)
    return 8 if isinstance(scalar, ir.DoubleType) else 4


def _zero(type: Any) -> Any:
    return ir.Constant(type, None)


def run_mask(first: int, n: int, width: int) -> Any:
    """The mask of n lanes from the first; None for all."""
    if n == width:
        return None
    return mask_of([first <= i < first + n for i in range(width)])


def mask_of(truths: Sequence[bool]) -> Any:
    """The mask of the lanes for which that holds."""
    return lanes(ir.VectorType(I1, len(truths)), [int(t) for t in truths])


def both(b: Any, x: Any, y: Any) -> Any:
    """The mask of the lanes that two masks have; one that is known now of known ones."""
    known = [m.constant for m in (x, y) if isinstance(m, ir.Constant) and isinstance(m.constant, Sequence)]
    if len(known) < 2:
        return b.and_(x, y)
    return mask_of([one and other for one, other in zip(*known, strict=True)])


def first_lanes(b: Any, n: Any, width: int) -> Any:
    """The mask of the lanes below n, a value."""
    type = ir.VectorType(I64, width)
    return b.icmp_signed("<", lanes(type, range(width)), splat(b, n, width))


def load(b: Any, pointer: Any, type: Any, mask: Any = None, other: Any = None) -> Any:
    """A vector; zero, or another vector's lanes, where the mask says no."""
    if mask is None:
        return b.load(pointer, typ=type, align=_alignment(type))
    other = _zero(type) if other is None else other
    run = _run_of(mask)
    if run is not None and (run[1] == 1 or type.count <= FEW):
        return _load_run(b, pointer, type, *run, other)
    args = [pointer, constant(I32, _alignment(type)), mask, other]
    return call_named(b, f"llvm.masked.load.{suffix(type)}.p0", type, args)


def _load_run(b: Any, pointer: Any, type: Any, first: int, n: int, out: Any) -> Any:
    """Some lanes that follow each other, by vectors of half as many each time; the others are those of `out`."""
    while n:
        width = 1 << (n.bit_length() - 1)
        place = b.gep(pointer, [constant(I64, first)], source_etype=type.element)
        if width == 1:
            out = b.insert_element(out, load(b, place, type.element), constant(I32, first))
        else:
            part = load(b, place, ir.VectorType(type.element, width))
            wide = lanes(ir.VectorType(I32, type.count), [min(i, width - 1) for i in range(type.count)])
            part = b.shuffle_vector(part, part, wide)
            picks = [i + type.count - first if first <= i < first + width else i for i in range(type.count)]
            out = b.shuffle_vector(out, part, lanes(ir.VectorType(I32, type.count), picks))
        first, n = first + width, n - width
    return out


def store(b: Any, value: Any, pointer: Any, mask: Any = None) -> None:
    if mask is None:
        b.store(value, pointer, align=_alignment(value.type))
        return
    run = _run_of(mask)
    slow = processor.vector_bytes() < 64  # without masks of its own, a processor is slow to store by one
    if run is not None and (slow or value.type.count <= FEW):
        _store_run(b, value, pointer, *run)
        return
    name = f"llvm.masked.store.{suffix(value.type)}.p0"
    call_named(b, name, ir.VoidType(), [value, pointer, constant(I32, _alignment(value.type)), mask])


def _run_of(mask: Any) -> tuple[int, int] | None:
    """The first of the lanes that a mask has, and how many there are; None if they do not follow each other, or are not known."""
    if not isinstance(mask, ir.Constant) or not isinstance(mask.constant, Sequence):
        return None
    kept = [i for i, counts in enumerate(mask.constant) if counts]
    return (kept[0], len(kept)) if kept and kept[-1] - kept[0] < len(kept) else None


def _store_run(b: Any, value: Any, pointer: Any, first: int, n: int) -> None:
    """Store some lanes that follow each other, by vectors of half as many each time."""
    type = value.type.element
    while n:
        width = 1 << (n.bit_length() - 1)
        part = b.extract_element(value, constant(I32, first)) if width == 1 else take_lanes(b, value, first, width)
        b.store(part, b.gep(pointer, [constant(I64, first)], source_etype=type), align=_alignment(type))
        first, n = first + width, n - width


def read(b: Any, pointer: Any, dtype: np.dtype, width: int = 1, mask: Any = None) -> Any:
    """Elements of a dtype as registers hold them; in memory booleans are bytes."""
    value = load(b, pointer, memory_type(dtype, width), mask)
    return b.trunc(value, register_type(dtype, width)) if dtype.kind == "b" else value


def write(b: Any, pointer: Any, value: Any, mask: Any = None) -> None:
    """Store what `read` gives; a mask does not count for a single value."""
    if not is_vector(value):
        store(b, b.zext(value, I8) if value.type == I1 else value, pointer)
        return
    if value.type.element == I1:
        value = b.zext(value, ir.VectorType(I8, value.type.count))
    store(b, value, pointer, mask)


def gather(b: Any, pointers: Any, type: Any, mask: Any = None, other: Any = None) -> Any:
    """A vector of elements from anywhere; zero, or another vector's lanes, where the mask says no."""
    mask = constant(ir.VectorType(I1, type.count), 1) if mask is None else mask
    args = [pointers, constant(I32, _alignment(type)), mask, _zero(type) if other is None else other]
    return call_named(b, f"llvm.masked.gather.{suffix(type)}.v{type.count}p0", type, args)


def scatter(b: Any, value: Any, pointers: Any, mask: Any = None) -> None:
    """Store each lane somewhere else; not where the mask says no."""
    mask = constant(ir.VectorType(I1, value.type.count), 1) if mask is None else mask
    name = f"llvm.masked.scatter.{suffix(value.type)}.v{value.type.count}p0"
    call_named(b, name, ir.VoidType(), [value, pointers, constant(I32, _alignment(value.type)), mask])


def load_apart(b: Any, pointer: Any, type: Any, stride: int, mask: Any = None) -> Any:
    """A vector of elements that are `stride` apart; zero where the mask says no."""
    if stride == 1:
        return load(b, pointer, type, mask)
    places = lanes(ir.VectorType(I64, type.count), [i * stride for i in range(type.count)])
    pointers = b.gep(pointer, [places], source_etype=type.element)
    return gather(b, pointers, type, mask)


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
        return gather(b, pointers, type, lanes(ir.VectorType(I1, n), [p is not None for p in places]), other)
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
