"""Functions over whole buffers: filling one with what changes nothing, combining one into another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import ir, processor, scalars
from .grids import counted
from .types import I64, PTR, constant, memory_type
from .unit import Unit

__all__ = ["clear", "combine", "fill"]


def _over(unit: Unit, name: str, dtype: np.dtype, pointers: int, write: Callable[..., None]) -> Any:
    """A function `void name(ptr ..., i64 n)` that does `write(b, places, width)` for all of n elements."""
    function = unit.function(unit.name(name), ir.VoidType(), [PTR] * pointers + [I64])
    b = ir.IRBuilder(function.append_basic_block("entry"))
    *buffers, n = function.args
    width = 4 * processor.vector_bytes() // dtype.itemsize
    whole = b.and_(n, constant(I64, -width))
    for first, last, step in ((constant(I64, 0), whole, width), (whole, n, 1)):
        with counted(b, last, first, step) as i:
            write(b, [b.gep(p, [i], source_etype=memory_type(dtype)) for p in buffers], step)
    b.ret_void()
    return function


def fill(unit: Unit, b: Any, type: tuple[np.dtype, int], op: str, buffer: Any) -> None:
    """Fill a buffer, of a (dtype, size), with what changes nothing when combined by `op`."""
    dtype, size = type

    def write(b: Any, places: Any, width: int) -> None:
        b.store(constant(memory_type(dtype, width), scalars.identity(op, dtype)), places[0], align=dtype.itemsize)

    function = unit.shared(("fill", dtype, op), lambda: _over(unit, "fill", dtype, 1, write))
    b.call(function, [buffer, constant(I64, size)])


def clear(unit: Unit, b: Any, buffer: Any, size: Any) -> None:
    """Set so many bytes to zero. What the C library does for large memory (`rep stosb`) leaves less of it in the caches."""
    byte = np.dtype(np.uint8)

    def write(b: Any, places: Any, width: int) -> None:
        b.store(constant(memory_type(byte, width), 0), places[0], align=1)

    b.call(unit.shared(("clear",), lambda: _over(unit, "clear", byte, 1, write)), [buffer, size])


def combine(unit: Unit, b: Any, type: tuple[np.dtype, int], op: str, into: Any, other: Any) -> None:
    """Combine the elements of a buffer into those of another one."""
    dtype, size = type
    stored = np.dtype(np.uint8) if dtype.kind == "b" else dtype

    def write(b: Any, places: Any, width: int) -> None:
        x, y = (b.load(p, typ=memory_type(dtype, width), align=dtype.itemsize) for p in places)
        out = scalars.emit(op, scalars.Context(b, (stored, stored), stored, {}), (x, y))
        b.store(out, places[0], align=dtype.itemsize)

    function = unit.shared(("combine", dtype, op), lambda: _over(unit, "combine", dtype, 2, write))
    b.call(function, [into, other, constant(I64, size)])
