"""The parts of numbers, elementwise: real and imaginary part, sign bit, mantissa and exponent, the next number."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import DTypeError
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote
from .division import floor_divide
from .operands import ARRAYS, floating_pair, inexact_operand, like, real_operand, small_integers, with_methods, zeros_of
from .transcendental import rad2deg

__all__ = [
    "angle",
    "conj",
    "conjugate",
    "copysign",
    "frexp",
    "imag",
    "ldexp",
    "nan_to_num",
    "nextafter",
    "real",
    "signbit",
    "spacing",
]


def real(val: Any, /) -> Any:
    """The real part, elementwise."""
    x = as_operand(val)
    return e.real(x) if dtypes.is_complex(x.dtype) else x


def imag(val: Any, /) -> Any:
    """The imaginary part, elementwise; zeros for real numbers."""
    x = as_operand(val)
    return e.imag(x) if dtypes.is_complex(x.dtype) else zeros_of(x)


@with_methods
def conj(x: Any, /) -> Any:
    """The complex conjugate, elementwise; real numbers are their own."""
    x = as_operand(x)
    return e.conj(x) if dtypes.is_complex(x.dtype) else x


conjugate = conj


def angle(z: Any, deg: bool = False) -> Any:
    """The argument of complex numbers in (-pi, pi], elementwise.

    Args:
      z: an array.
      deg: whether to give degrees.
    """
    z = inexact_operand(z)
    x, y = real(z), imag(z)
    out = e.atan2(y, x)
    return rad2deg(out) if deg else out


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`x` with NaN and infinities replaced.

    Args:
      x: an array.
      copy: taken for NumPy's sake; arrays never change.
      nan: for NaN.
      posinf: for infinity; None: the largest number of the dtype.
      neginf: for minus infinity; None: the least number of the dtype.
    """
    x = as_operand(x)
    if dtypes.is_complex(x.dtype):
        return e.complex_(
            nan_to_num(e.real(x), copy, nan, posinf, neginf), nan_to_num(e.imag(x), copy, nan, posinf, neginf)
        )
    if not dtypes.is_floating(x.dtype):
        return x
    info = dtypes.finfo(x.dtype)
    high, low = info.max if posinf is None else posinf, info.min if neginf is None else neginf
    for where_, value in (
        (e.ne(x, x), nan),
        (e.eq(x, like(x, np.inf)), high),
        (e.eq(x, like(x, -np.inf)), low),
    ):
        x = e.select(where_, x, _stretched(value, x))
    return x


def _stretched(value: Any, x: Any) -> Any:
    """A value in the dtype and shape of `x`, or of rank 0."""
    if not isinstance(value, ARRAYS):
        value = np.asarray(value)
        if not value.shape:
            return like(x, value)
    value = cast(as_operand(value), x.dtype)
    return value if not value.shape else promote("nan_to_num", value, x)[0]


@with_methods
def signbit(x: Any, /) -> Any:
    """Whether the sign bit is set, elementwise: true for negative numbers and for -0."""
    x = as_operand(x)
    if dtypes.is_bool(x.dtype) or dtypes.is_unsigned(x.dtype):
        return e.ne(x, x)
    if dtypes.is_integer(x.dtype):
        return e.lt(x, like(x, 0))
    bits = np.dtype(f"int{8 * x.dtype.itemsize}")
    return e.lt(e.bitcast_convert(x, dtype=bits), bits.type(0))


@with_methods
def copysign(x1: Any, x2: Any, /) -> Any:
    """|x1| with the sign of x2, elementwise, as floats."""
    x, y = floating_pair("copysign", x1, x2)
    size = e.abs_(x)
    return cast(e.select(signbit(y), size, e.neg(size)), x.dtype, type_of(x).weak and type_of(y).weak)


@with_methods
def nextafter(x: Any, y: Any, /) -> Any:
    """The number next to x towards y that its dtype can hold, elementwise."""
    return e.nextafter(*floating_pair("nextafter", x, y))


@with_methods
def spacing(x: Any, /) -> Any:
    """The distance from x to the number next to it, away from zero (of halves, above it, as in NumPy), elementwise."""
    x = inexact_operand(x)
    away = like(x, np.inf)
    if x.dtype != np.float16:
        away = e.select(signbit(x), away, like(x, -np.inf))
    return e.sub(e.nextafter(x, away), x)


@with_methods
def ldexp(x1: Any, x2: Any, /) -> Any:
    """x1 2**x2, elementwise.

    Args:
      x1: an array; integers become floats.
      x2: an array of integers.
    """
    x, n = inexact_operand(real_operand("ldexp", x1)), as_operand(x2)
    if not (dtypes.is_integer(n.dtype) or dtypes.is_bool(n.dtype)):
        raise DTypeError(f"ldexp needs exponents of integer dtype, got {type_of(n)}: cast with astype(int).")
    n = small_integers(n, 3 * dtypes.finfo(x.dtype).maxexp)  # which is beyond all that makes a difference
    # In four steps, each of which has a power of 2 that the dtype can hold.
    out, steps = x, 4
    for left in range(steps, 0, -1):
        part = floor_divide(n, left)
        out, factor = promote("ldexp", out, e.exp2(cast(part, x.dtype, True)))
        out, n = e.mul(out, factor), e.sub(n, part)
    return out


@with_methods
def frexp(x: Any, /) -> tuple[Any, Any]:
    """(m, n) with x = m 2**n and 1/2 <= |m| < 1, elementwise; n of dtype int32."""
    x = inexact_operand(x)
    size = e.abs_(x)
    usual = e.and_(e.is_finite(x), e.ne(x, like(x, 0)))
    safe = cast(e.select(usual, like(x, 1), size), dtypes.accumulator_dtype(x.dtype))
    tiny = e.lt(safe, like(safe, dtypes.finfo(safe.dtype).smallest_normal))
    shift = dtypes.finfo(safe.dtype).nmant + 1
    lifted = e.select(tiny, safe, e.mul(safe, like(safe, 2.0**shift)))
    bits = np.dtype(f"int{8 * safe.dtype.itemsize}")
    mantissa_bits = dtypes.finfo(safe.dtype).nmant
    raw = e.shift_right_logical(e.bitcast_convert(lifted, dtype=bits), bits.type(mantissa_bits))
    n = cast(e.sub(raw, bits.type(dtypes.finfo(safe.dtype).maxexp - 2)), np.dtype(np.int32))
    n = e.select(tiny, n, e.sub(n, np.int32(shift)))
    n = e.select(usual, np.int32(0), n)
    return e.select(usual, x, ldexp(x, e.neg(n))), n
