"""Exact operations of floats that look at their bits, or take as many turns as the bits demand."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from . import ir
from .intrinsics import call_named, intrinsic, suffix
from .types import I32, any_lane, constant, is_half, is_vector, register_type, width_of

__all__ = [
    "from_half",
    "from_order",
    "next_after",
    "reduced",
    "remainder",
    "round_away",
    "rounded_to_odd",
    "to_half",
    "to_integer",
    "to_order",
]


def _dtype(x: Any) -> np.dtype:
    scalar = x.type.element if is_vector(x) else x.type
    return np.dtype(np.float64 if isinstance(scalar, ir.DoubleType) else np.float32)


def _bits(b: Any, x: Any) -> Any:
    """As an integer; 16-bit floats are such already."""
    scalar = x.type.element if is_vector(x) else x.type
    if isinstance(scalar, ir.IntType):
        return x
    return b.bitcast(x, register_type(np.dtype(f"u{_dtype(x).itemsize}"), width_of(x)))


def to_order(b: Any, x: Any, op: str) -> Any:
    """Unsigned integers in the order of floats, -0.0 below 0.0; the extremes by `op` (max, min) are NaNs of either sign.

    Bits of numbers without their sign are in order; those of negative ones are turned around. What comes beyond infinity at one
    end of the integers is moved to the other end.
    """
    dtype, bits = _dtype(x), _bits(b, x)
    return b.add(_turned(b, dtype, bits), _shift(bits.type, dtype, op))


def from_order(b: Any, dtype: np.dtype, n: Any, op: str) -> Any:
    """The floats that `to_order` gave such integers for."""
    return b.bitcast(_turned(b, dtype, b.sub(n, _shift(n.type, dtype, op))), register_type(dtype, width_of(n)))


def _turned(b: Any, dtype: np.dtype, bits: Any) -> Any:
    """All bits but the sign changed, if that is set."""
    sign = b.ashr(bits, constant(bits.type, 8 * dtype.itemsize - 1))
    return b.xor(bits, b.lshr(sign, constant(bits.type, 1)))


def _shift(type: Any, dtype: np.dtype, op: str) -> Any:
    infinity = int(np.asarray(np.inf, dtype).view(f"i{dtype.itemsize}"))
    return constant(type, infinity + 1 if op == "max" else -infinity - 1)


def round_away(b: Any, x: Any) -> Any:
    """To the nearest integer, halves away from zero."""
    whole = intrinsic(b, "trunc", x)
    rest = intrinsic(b, "fabs", b.fsub(x, whole))
    further = b.fadd(whole, intrinsic(b, "copysign", constant(x.type, 1.0), x))
    return b.select(b.fcmp_ordered(">=", rest, constant(x.type, 0.5)), further, whole)


# 16-bit floats are integers in registers.


def from_half(b: Any, dtype: np.dtype, x: Any) -> Any:
    """A 16-bit float as a float32."""
    width = width_of(x)
    single = register_type(np.dtype(np.float32), width)
    if dtype == np.float16:
        half = ir.HalfType()
        return b.fpext(b.bitcast(x, half if width == 1 else ir.VectorType(half, width)), single)
    bits = b.zext(x, register_type(np.dtype(np.uint32), width))
    return b.bitcast(b.shl(bits, constant(bits.type, 16)), single)


def to_half(b: Any, dtype: np.dtype, x: Any) -> Any:
    """The 16-bit float nearest to a float32, ties to even."""
    width = width_of(x)
    type = register_type(dtype, width)
    if dtype == np.float16:
        half = ir.HalfType()
        # LLVM would make one rounding of two where a sign was copied before, by a function that is not there.
        x = intrinsic(b, "arithmetic.fence", x)
        return b.bitcast(b.fptrunc(x, half if width == 1 else ir.VectorType(half, width)), type)
    bits = _bits(b, x)
    number = lambda n: constant(bits.type, n)  # noqa: E731
    odd = b.and_(b.lshr(bits, number(16)), number(1))
    rounded = b.add(bits, b.add(odd, number(0x7FFF)))
    rounded = b.select(b.fcmp_unordered("uno", x, x), b.or_(bits, number(0x400000)), rounded)
    return b.trunc(b.lshr(rounded, number(16)), type)


def rounded_to_odd(b: Any, x: Any) -> Any:
    """A float64 as a float32 that rounds to the same 16-bit float: towards zero, with the last bit set if that is not exact."""
    near = b.fptrunc(x, register_type(np.dtype(np.float32), width_of(x)))
    back = b.fpext(near, x.type)
    bits = _bits(b, near)
    further = b.fcmp_ordered(">", intrinsic(b, "fabs", back), intrinsic(b, "fabs", x))
    cut = b.or_(b.sub(bits, b.zext(further, bits.type)), constant(bits.type, 1))
    return b.bitcast(b.select(b.fcmp_ordered("!=", back, x), cut, bits), near.type)


def next_after(b: Any, dtype: np.dtype, x: Any, y: Any) -> Any:
    """The number next to x in the direction of y; x and y may be 16-bit floats."""
    u, v = (from_half(b, dtype, z) if is_half(dtype) else z for z in (x, y))
    zero = constant(u.type, 0.0)
    bits, target = _bits(b, x), _bits(b, y)
    number = lambda n: constant(bits.type, n)  # noqa: E731
    outwards = b.icmp_unsigned("==", b.fcmp_ordered("<", u, v), b.fcmp_ordered(">", u, zero))
    moved = b.add(bits, b.select(outwards, number(1), number(-1)))
    smallest = b.or_(b.and_(target, number(1 << (8 * dtype.itemsize - 1))), number(1))
    moved = b.select(b.fcmp_ordered("==", u, zero), smallest, moved)
    moved = b.select(b.fcmp_ordered("==", u, v), target, moved)
    nan = number(int(np.asarray(np.nan).astype(dtype).view(f"u{dtype.itemsize}")))
    return b.bitcast(b.select(b.fcmp_unordered("uno", u, v), nan, moved), x.type)


def reduced(b: Any, dtype: np.dtype, x: Any, exponent_bits: int, mantissa_bits: int) -> Any:
    """The nearest number with so few bits, ties to even; too large: infinity, too small for a normal number: zero."""
    info = ml_dtypes.finfo(dtype)
    mantissa, exponent = int(info.nmant), int(info.bits) - 1 - int(info.nmant)
    bits = _bits(b, x)
    number = lambda n: constant(bits.type, n)  # noqa: E731
    sign = b.and_(bits, number(1 << (info.bits - 1)))
    size = b.xor(bits, sign)
    infinity = number(((1 << exponent) - 1) << mantissa)
    nan = b.icmp_unsigned(">", size, infinity)
    if mantissa_bits < mantissa:
        dropped = mantissa - mantissa_bits
        odd = b.and_(b.lshr(size, number(dropped)), number(1))
        size = b.add(b.add(size, number((1 << (dropped - 1)) - 1)), odd)
        size = b.and_(size, number(-1 << dropped))
    if exponent_bits < exponent:
        bias, new_bias = (1 << (exponent - 1)) - 1, (1 << (exponent_bits - 1)) - 1
        large = b.icmp_unsigned(">", size, number(((bias + new_bias + 1) << mantissa) - 1))
        small = b.icmp_unsigned("<", size, number((bias - new_bias + 1) << mantissa))
        size = b.select(small, number(0), size)
        size = b.select(large, infinity, size)
    return b.select(nan, x, b.bitcast(b.or_(size, sign), x.type))


# The remainder, by quotients of at most 51 bits: each turn takes off as much of a multiple of the divisor as is exact.

_TURN = 51


def remainder(b: Any, x: Any, y: Any) -> Any:
    """The exact remainder of the truncated quotient, with the sign of x (C's fmod)."""
    type = x.type
    if _dtype(x).itemsize == 4:
        wide = register_type(np.dtype(np.float64), width_of(x))
        return b.fptrunc(remainder(b, b.fpext(x, wide), b.fpext(y, wide)), type)
    zero, infinity = constant(type, 0.0), constant(type, float("inf"))
    size, divisor = intrinsic(b, "fabs", x), intrinsic(b, "fabs", y)
    valid = b.and_(b.fcmp_ordered("<", size, infinity), b.fcmp_ordered(">", divisor, zero))
    low = _exponent(b, divisor)
    head, body, done = (b.function.append_basic_block(f"remainder.{part}") for part in ("head", "body", "done"))
    before = b.block
    b.branch(head)
    b.position_at_end(head)
    rest = b.phi(type)
    rest.add_incoming(size, before)
    more = b.and_(valid, b.fcmp_ordered(">=", rest, divisor))
    b.cbranch(any_lane(b, more), body, done)
    b.position_at_end(body)
    shift = b.sub(b.sub(_exponent(b, rest), low), constant(low.type, _TURN))
    multiple = _scaled(b, divisor, intrinsic(b, "smax", shift, constant(low.type, 0)))
    quotient = intrinsic(b, "trunc", b.fdiv(rest, multiple))
    left = intrinsic(b, "fma", b.fneg(quotient), multiple, rest)
    left = b.select(b.fcmp_ordered("<", left, zero), b.fadd(left, multiple), left)
    rest.add_incoming(b.select(more, left, rest), b.block)
    b.branch(head)
    b.position_at_end(done)
    undefined = b.or_(b.fcmp_unordered("uno", x, y), b.not_(valid))
    return b.select(undefined, constant(type, float("nan")), intrinsic(b, "copysign", rest, x))


def _exponent(b: Any, x: Any) -> Any:
    """The biased exponent of a positive double; below 1 for subnormal numbers."""
    small = b.fcmp_ordered("<", x, constant(x.type, float(np.finfo(np.float64).tiny)))
    x = b.select(small, b.fmul(x, constant(x.type, 2.0**54)), x)
    bits = b.lshr(_bits(b, x), constant(_bits(b, x).type, 52))
    return b.select(small, b.sub(bits, constant(bits.type, 54)), bits)


def _scaled(b: Any, x: Any, n: Any) -> Any:
    """X 2^n for 0 <= n < 2100 where that is finite: exact."""
    for _ in range(3):
        part = intrinsic(b, "smin", n, constant(n.type, 1000))
        factor = b.shl(b.add(part, constant(n.type, 1023)), constant(n.type, 52))
        x = b.fmul(x, b.bitcast(factor, x.type))
        n = b.sub(n, part)
    return x


def to_integer(b: Any, target: np.dtype, x: Any) -> Any:
    """The integers towards zero, ends included; NaN to 0. Vectors are clamped first: LLVM would convert them lane by lane."""
    type = register_type(target, width_of(x))
    if not is_vector(x) or target.itemsize == 8:
        sign = "s" if target.kind == "i" else "u"
        return call_named(b, f"llvm.fpto{sign}i.sat.{suffix(type)}.{suffix(x.type)}", type, [x])
    low, high = (int(n) for n in (np.iinfo(target).min, np.iinfo(target).max))
    ends = [constant(x.type, n) for n in (float(low), _largest(_dtype(x), high))]
    y = b.select(b.fcmp_unordered("uno", x, x), constant(x.type, 0.0), x)
    y = b.select(b.fcmp_ordered("<", y, ends[0]), ends[0], y)
    y = b.select(b.fcmp_ordered(">", y, ends[1]), ends[1], y)
    out = _to_words(b, y, high)
    if _largest(_dtype(x), high) < high:
        out = b.select(b.fcmp_ordered(">", x, ends[1]), constant(out.type, high), out)
    return b.trunc(out, type) if target.itemsize < 4 else out


def _largest(dtype: np.dtype, n: int) -> float:
    """The largest float that is no more than an integer."""
    x = dtype.type(n)
    return float(x if int(x) <= n else np.nextafter(x, dtype.type(0)))


def _to_words(b: Any, x: Any, high: int) -> Any:
    """Integers of 32 bits; those from 2^31 on in two parts, for an instruction takes them as signed ones."""
    words = ir.VectorType(I32, width_of(x))
    if high < 1 << 31:
        return b.fptosi(x, words)
    half = constant(x.type, 2.0**31)
    beyond = b.fcmp_ordered(">=", x, half)
    rest = b.fptosi(b.fsub(x, b.select(beyond, half, constant(x.type, 0.0))), words)
    return b.xor(rest, b.select(beyond, constant(words, 1 << 31), constant(words, 0)))
