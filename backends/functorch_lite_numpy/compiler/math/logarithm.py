"""log, log1p, and the inverse hyperbolic functions made of them.

log(x) = e ln 2 + log(1 + f), 1 + f in [1/sqrt 2, sqrt 2). With s = f / (2 + f), log(1 + f) = 2 artanh(s) = f - f^2/2 + s (f^2/2 + R(s^2) s^2 ...):
the form of FreeBSD's msun, which loses nothing for small f; R is the minimax polynomial (Remez) of (2 artanh(s) - 2 s) / s^3 in s^2.
"""

from __future__ import annotations

from typing import Any

from .vector import Vector

__all__ = ["TABLE", "log"]

# Errors 2^-36 and 2^-65 of R, relative to 1.
R32 = (0.6666666567794725, 0.40000330366486286, 0.2853752320279802, 0.2357923692904658)
R64 = (
    0.6666666666666666, 0.4000000000000377, 0.2857142856969542, 0.22222222572438233, 0.18181780653646867,
    0.15386903400406235, 0.13253813701304598, 0.13221517268123162,
)  # fmt: skip
LN2_HIGH = (0.693145751953125, 0.6931471803691238)
LN2_LOW = (1.428606765330187e-06, 1.9082149292705877e-10)


def split(v: Vector, x: Any) -> tuple[Any, Any]:
    """E, as a float, and f with x = 2^e (1 + f); x positive and normal."""
    bits = v.as_int(x)
    # The bits of sqrt(1/2): what is subtracted so that the exponent field changes there.
    root = v.iconst(v.pick(0x3F3504F3, 0x3FE6A09E667F3BCD))
    offset = v.b.sub(bits, root)
    e = v.b.ashr(offset, v.iconst(v.mantissa))
    mantissa = v.b.sub(bits, v.b.shl(e, v.iconst(v.mantissa)))
    return v.to_float(e), v.sub(v.as_float(mantissa), v.const(1.0))


def of_parts(v: Vector, e: Any, f: Any, low: Any = None) -> Any:
    """E ln 2 + log(1 + f) + low."""
    s = v.div(f, v.add(f, v.const(2.0)))
    z = v.mul(s, s)
    half = v.mul(v.mul(f, f), v.const(0.5))
    rest = v.mul(z, v.polynomial(z, v.pick(R32, R64)))
    correction = v.mul(s, v.add(half, rest))
    small = v.fma(e, v.const(v.pick(*LN2_LOW)), correction)
    small = small if low is None else v.add(small, low)
    return v.fma(e, v.const(v.pick(*LN2_HIGH)), v.sub(f, v.sub(half, small)))


def _ends(v: Vector, x: Any, out: Any) -> Any:
    """log of infinity, zero, negative numbers, NaN."""
    infinity = v.const(float("inf"))
    out = v.select(v.equal(x, infinity), infinity, out)
    out = v.select(v.equal(x, v.const(0.0)), v.const(float("-inf")), out)
    bad = v.b.or_(v.less(x, v.const(0.0)), v.is_nan(x))
    return v.select(bad, v.const(float("nan")), out)


def log(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    least = v.const(v.pick(1.1754943508222875e-38, 2.2250738585072014e-308))
    tiny = v.less(x, least)
    power = v.pick(25, 54)
    y = v.select(tiny, v.mul(x, v.const(2.0**power)), x)
    e, f = split(v, y)
    e = v.select(tiny, v.sub(e, v.const(float(power))), e)
    return _ends(v, x, of_parts(v, e, f))


def log1p(b: Any, x: Any) -> Any:
    """log(u) with u = 1 + x rounded, plus what was lost in rounding, over u."""
    v = Vector(b, x)
    one = v.const(1.0)
    u = v.add(one, x)
    big = v.greater(x, one)
    lost = v.select(big, v.sub(one, v.sub(u, x)), v.sub(x, v.sub(u, one)))
    e, f = split(v, u)
    low = v.div(lost, u)
    out = of_parts(v, e, f, low)
    out = v.select(v.less(v.abs(x), v.const(v.pick(2.0**-25, 2.0**-54))), x, out)
    infinity = v.const(float("inf"))
    out = v.select(v.equal(x, infinity), infinity, out)
    out = v.select(v.equal(x, v.const(-1.0)), v.const(float("-inf")), out)
    bad = b.or_(v.less(x, v.const(-1.0)), v.is_nan(x))
    return v.select(bad, v.const(float("nan")), out)


def asinh(b: Any, x: Any) -> Any:
    """log1p(a + a^2 / (1 + sqrt(1 + a^2))); of large a, log(a) + ln 2."""
    v = Vector(b, x)
    a = v.abs(x)
    large = v.greater(a, v.const(v.pick(1e8, 1e9)))
    c = v.select(large, v.const(1.0), a)
    square = v.mul(c, c)
    inner = v.add(c, v.div(square, v.add(v.const(1.0), v.sqrt(v.add(square, v.const(1.0))))))
    small = log1p(b, inner)
    beyond = v.add(log(b, v.select(large, a, v.const(1.0))), v.const(0.6931471805599453))
    return v.with_sign_of(v.select(large, beyond, small), x)


def acosh(b: Any, x: Any) -> Any:
    """log1p(t + sqrt(2 t + t^2)) with t = x - 1; of large x, log(x) + ln 2."""
    v = Vector(b, x)
    large = v.greater(x, v.const(v.pick(1e8, 1e9)))
    t = v.select(large, v.const(1.0), v.sub(x, v.const(1.0)))
    small = log1p(b, v.add(t, v.sqrt(v.fma(t, t, v.add(t, t)))))
    beyond = v.add(log(b, v.select(large, x, v.const(1.0))), v.const(0.6931471805599453))
    return v.select(v.less(x, v.const(1.0)), v.const(float("nan")), v.select(large, beyond, small))


def atanh(b: Any, x: Any) -> Any:
    """log1p(2 a / (1 - a)) / 2."""
    v = Vector(b, x)
    a = v.abs(x)
    out = v.mul(log1p(b, v.div(v.add(a, a), v.sub(v.const(1.0), a))), v.const(0.5))
    return v.with_sign_of(out, x)


TABLE = {"acosh": acosh, "asinh": asinh, "atanh": atanh, "log": log, "log1p": log1p}
