"""round_away, rem and nextafter: exact."""

from __future__ import annotations

from typing import Any

from ..types import any_lane
from .vector import Vector

__all__ = ["TABLE"]


def round_away(b: Any, x: Any) -> Any:
    """To the nearest whole number; halves away from zero."""
    return Vector(b, x).intrinsic("round", x)


def nextafter(b: Any, x: Any, y: Any) -> Any:
    """The neighbour of x towards y: one more or one less in its bits."""
    v = Vector(b, x)
    zero = v.const(0.0)
    grows = b.icmp_unsigned("==", v.less(x, y), v.greater(x, zero))
    neighbour = v.as_float(b.add(v.as_int(x), b.select(grows, v.iconst(1), v.iconst(-1))))
    least = v.with_sign_of(v.as_float(v.iconst(1)), y)
    out = v.select(v.equal(x, zero), least, neighbour)
    out = v.select(v.equal(x, y), y, out)
    return v.select(b.fcmp_unordered("uno", x, y), v.add(x, y), out)


def rem(b: Any, x: Any, y: Any) -> Any:
    """The remainder, with the sign of x, as C's fmod: x - q y for a quotient q that fits into the mantissa.

    Where that is too large, c = 2^k |y| is taken away first, with k such that the quotient fits, again and again.
    """
    v = Vector(b, x)
    zero, infinity = v.const(0.0), v.const(float("inf"))
    divisor, dividend = v.abs(y), v.abs(x)
    defined = b.and_(v.greater(divisor, zero), v.less(dividend, infinity))
    divisor = v.select(defined, divisor, infinity)
    low = _exponent(v, divisor)
    before, loop = b.block, b.append_basic_block("rem")
    done = b.append_basic_block("rem.done")
    b.branch(loop)
    b.position_at_end(loop)
    rest = b.phi(v.type)
    rest.add_incoming(dividend, before)
    k = b.sub(b.sub(_exponent(v, rest), low), v.iconst(v.mantissa - 1))
    c = v.scaled(divisor, v.intrinsic("smax", k, v.iconst(0)))
    quotient = v.intrinsic("trunc", v.div(rest, c))
    smaller = v.select(v.less(rest, c), rest, v.fma(v.neg(quotient), c, rest))
    smaller = v.select(v.less(smaller, zero), v.add(smaller, c), smaller)
    rest.add_incoming(smaller, loop)
    again = b.and_(defined, b.fcmp_ordered(">=", smaller, divisor))
    b.cbranch(any_lane(b, again), loop, done)
    b.position_at_end(done)
    return v.select(b.or_(b.not_(defined), v.is_nan(y)), v.const(float("nan")), v.with_sign_of(smaller, x))


def _exponent(v: Vector, x: Any) -> Any:
    """The exponent of x >= 0, also of subnormal ones, plus a constant."""
    tiny = v.less(x, v.const(2.0 ** (1 - v.bias)))
    scaled = v.select(tiny, v.mul(x, v.const(2.0**v.mantissa)), x)
    exponent = v.b.lshr(v.as_int(scaled), v.iconst(v.mantissa))
    return v.b.select(tiny, v.b.sub(exponent, v.iconst(v.mantissa)), exponent)


TABLE = {"nextafter": nextafter, "rem": rem, "round_away": round_away}
