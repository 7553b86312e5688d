"""log, log1p, and the inverse hyperbolic functions made of them.

log(x) = e ln 2 + log(1 + f), 1 + f in [1/sqrt 2, sqrt 2). With s = f / (2 + f), log(1 + f) = 2 artanh(s) is f - f^2/2
+ s (f^2/2 + s^2 R(s^2)): the form of FreeBSD's msun, which loses nothing for small f. R is the minimax polynomial
(Remez) of (2 artanh(s) - 2 s) / s^3 in s^2.
"""

from __future__ import annotations

from typing import Any

from .vector import Vector

__all__ = ["LN2_HIGH", "LN2_LOW", "R32", "R64", "TABLE", "asinh", "at_ends", "log", "log1p", "of_parts", "split"]

# Errors 2^-36 and 2^-65 of R, relative to 1.
R32 = (0.6666666567794725, 0.40000330366486286, 0.2853752320279802, 0.2357923692904658)
R64 = (
    0.6666666666666666, 0.4000000000000377, 0.2857142856969542, 0.22222222572438233, 0.18181780653646867,
    0.15386903400406235, 0.13253813701304598, 0.13221517268123162,
)  # fmt: skip
LN2_HIGH = (0.693145751953125, 0.6931471803691238)
LN2_LOW = (1.428606765330187e-06, 1.9082149292705877e-10)


def split(v: Vector, x: Any) -> tuple[Any, Any]:
    """E, as an integer, and f with x = 2^e (1 + f); x positive and normal."""
    bits = v.as_int(x)
    # The bits of sqrt(1/2): what is subtracted so that the exponent field changes there.
    offset = v.b.sub(bits, v.iconst(v.pick(0x3F3504F3, 0x3FE6A09E667F3BCD)))
    e = v.b.ashr(offset, v.iconst(v.mantissa))
    return e, v.sub(v.as_float(v.b.sub(bits, v.b.shl(e, v.iconst(v.mantissa)))), v.const(1.0))


def of_parts(v: Vector, e: Any, f: Any, low: Any = None) -> Any:
    """E ln 2 + log(1 + f) + low."""
    e = v.to_float(e)
    s = v.div(f, v.add(f, v.const(2.0)))
    z = v.mul(s, s)
    half = v.mul(v.mul(f, f), v.const(0.5))
    correction = v.mul(s, v.fma(z, v.polynomial(z, v.pick(R32, R64)), half))
    small = v.fma(e, v.const(v.pick(*LN2_LOW)), correction)
    small = small if low is None else v.add(small, low)
    return v.fma(e, v.const(v.pick(*LN2_HIGH)), v.sub(f, v.sub(half, small)))


def at_ends(v: Vector, x: Any, out: Any, pole: float = 0.0) -> Any:
    """`out`, but of infinity infinity, at the pole minus infinity, NaN below it and of NaN."""
    out = v.select(v.less(x, v.const(float("inf"))), out, x)
    out = v.select(v.equal(x, v.const(pole)), v.const(float("-inf")), out)
    return v.select(v.less(x, v.const(pole)), v.const(float("nan")), out)


def log(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    tiny = v.less(x, v.const(2.0 ** (1 - v.bias)))
    power = v.pick(25, 54)
    e, f = split(v, v.select(tiny, v.mul(x, v.const(2.0**power)), x))
    e = v.select(tiny, b.sub(e, v.iconst(power)), e)
    return at_ends(v, x, of_parts(v, e, f))


def log_of_sum(v: Vector, a: Any, c: Any, more: Any = None) -> Any:
    """log(a + c) + more ln 2 for a >= |c|, a + c positive and normal: of the sum as rounded, and what it lost."""
    total = v.add(a, c)
    lost = v.sub(c, v.sub(total, a))
    e, f = split(v, total)
    e = e if more is None else v.b.add(e, more)
    return of_parts(v, e, f, v.div(lost, total))


def log1p(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    one = v.const(1.0)
    big = v.greater(x, one)
    out = log_of_sum(v, v.select(big, x, one), v.select(big, one, x))
    out = v.select(v.less(v.abs(x), v.const(2.0 ** -(v.mantissa + 2))), x, out)
    return at_ends(v, x, out, -1.0)


def asinh(b: Any, x: Any) -> Any:
    """log1p(a + a^2 / (1 + sqrt(1 + a^2))); of large a, log(2 a)."""
    v = Vector(b, x)
    one = v.const(1.0)
    a = v.abs(x)
    large = v.greater(a, v.const(2.0 ** v.pick(14, 30)))
    square = v.mul(a, a)
    inner = v.add(a, v.div(square, v.add(one, v.sqrt(v.add(square, one)))))
    out = _log1p_or_log_twice(v, inner, a, large)
    out = v.select(v.less(a, v.const(2.0 ** v.pick(-13, -28))), x, v.with_sign_of(out, x))
    return v.select(v.less(a, v.const(float("inf"))), out, x)


def _log1p_or_log_twice(v: Vector, inner: Any, a: Any, large: Any) -> Any:
    """log(1 + inner), or log(2 a) where a is large."""
    one, zero = v.const(1.0), v.const(0.0)
    below = v.less(inner, one)
    first = v.select(large, a, v.select(below, one, inner))
    second = v.select(large, zero, v.select(below, inner, one))
    return log_of_sum(v, first, second, v.b.zext(large, v.int))


def acosh(b: Any, x: Any) -> Any:
    """log1p(t + sqrt(2 t + t^2)) with t = x - 1; of large x, log(2 x)."""
    v = Vector(b, x)
    t = v.sub(x, v.const(1.0))
    large = v.greater(x, v.const(2.0 ** v.pick(14, 30)))
    out = _log1p_or_log_twice(v, v.add(t, v.sqrt(v.fma(t, t, v.add(t, t)))), x, large)
    out = v.select(v.less(x, v.const(float("inf"))), out, x)
    return v.select(v.equal(t, v.const(0.0)), t, v.select(v.less(x, v.const(1.0)), v.const(float("nan")), out))


def atanh(b: Any, x: Any) -> Any:
    """log1p(2 a / (1 - a)) / 2."""
    v = Vector(b, x)
    a = v.abs(x)
    out = v.mul(log1p(b, v.div(v.add(a, a), v.sub(v.const(1.0), a))), v.const(0.5))
    return v.with_sign_of(out, x)


TABLE = {"acosh": acosh, "asinh": asinh, "atanh": atanh, "log": log, "log1p": log1p}
