"""Operations on the bits of integers and booleans: elementwise, a statement each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .base import Elementwise, kind

__all__ = [
    "and_",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "clz",
    "not_",
    "or_",
    "population_count",
    "shift_left",
    "shift_right_arithmetic",
    "shift_right_logical",
    "xor",
]


def _bits(name: str, namespace: str, operands: str = "x y") -> Elementwise:
    return Elementwise(name, accepts="biu", operands=operands, namespace=namespace)


bitwise_and = and_ = _bits("and", "bitwise_and")
bitwise_or = or_ = _bits("or", "bitwise_or")
bitwise_xor = xor = _bits("xor", "bitwise_xor")
bitwise_not = not_ = _bits("not", "bitwise_invert", operands="x")


def _width(x: Any) -> int:
    return x.dtype.itemsize * 8


def _split_count(xp: Any, x: Any, n: Any) -> tuple[Any, Any]:
    """Whether the shift is by less than the width, and a count that is. Counts are taken as unsigned."""
    inside = (n >= 0) & (n < _width(x))
    return inside, xp.where(inside, n, xp.zeros_like(n))


def _left(xp: Any, x: Any, n: Any) -> Any:
    inside, n = _split_count(xp, x, n)
    return xp.where(inside, xp.bitwise_left_shift(x, n), xp.zeros_like(x))


def _right(xp: Any, x: Any, n: Any) -> Any:
    """Copies of the sign come in."""
    inside, n = _split_count(xp, x, n)
    rest = xp.astype(x < 0, x.dtype)
    return xp.where(inside, xp.bitwise_right_shift(x, n), xp.subtract(xp.zeros_like(x), rest))


def _as_signed(xp: Any, x: Any, n: Any) -> Any:
    """The first bit is the sign, also of unsigned integers."""
    if kind(x.dtype) == "i":
        return _right(xp, x, n)
    signed = np.dtype(x.dtype.name.removeprefix("u"))
    return xp.astype(_right(xp, xp.astype(x, signed), xp.astype(n, signed)), x.dtype)


def _as_unsigned(logical: Callable[..., Any]) -> Callable[..., Any]:
    """`logical` on the bits of the operands as unsigned integers."""

    def impl(xp: Any, *buffers: Any) -> Any:
        dtype = buffers[0].dtype
        if kind(dtype) == "u":
            return logical(xp, *buffers)
        unsigned = np.dtype(f"u{dtype.name}")
        return xp.astype(logical(xp, *(xp.astype(x, unsigned) for x in buffers)), dtype)

    return impl


def _population_count(xp: Any, x: Any) -> Any:
    """Sums of the bits in pairs, then of these in fours, and so on, within each element."""
    width, step = _width(x), 1
    while step < width:
        low = xp.full_like(x, sum(((1 << step) - 1) << i for i in range(0, width, 2 * step)))
        high = xp.bitwise_right_shift(x, xp.full_like(x, step))
        x = xp.add(xp.bitwise_and(x, low), xp.bitwise_and(high, low))
        step *= 2
    return x


def _clz(xp: Any, x: Any) -> Any:
    """The zeros left after the first set bit was copied into all places below it."""
    width, step = _width(x), 1
    while step < width:
        x = xp.bitwise_or(x, xp.bitwise_right_shift(x, xp.full_like(x, step)))
        step *= 2
    return _population_count(xp, xp.bitwise_invert(x))


shift_left = Elementwise("shift_left", accepts="iu", operands="x y", impl=_left)
"""Zeros come in; a shift by the width or more leaves 0."""
shift_right_arithmetic = Elementwise("shift_right_arithmetic", accepts="iu", operands="x y", impl=_as_signed)
"""Copies of the first bit come in (of unsigned integers too); a shift by the width or more leaves 0 or all bits set."""
shift_right_logical = Elementwise("shift_right_logical", accepts="iu", operands="x y", impl=_as_unsigned(_right))
"""Zeros come in; a shift by the width or more leaves 0."""
population_count = Elementwise("population_count", accepts="iu", impl=_as_unsigned(_population_count))
"""The number of bits that are set."""
clz = Elementwise("clz", accepts="iu", impl=_as_unsigned(_clz))
"""The number of zeros before the first bit that is set."""
