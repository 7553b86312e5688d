"""rsqrt, cbrt and pow.

x^y = exp(y log |x|), with the sign and the exceptions that C has. Of float32 this is done in double precision; of
float64 with the logarithm as a sum of two numbers, good to 2^-64: log(1 + f) = s (2 + z (2/3 + z P(z))), s = f / (2 +
f), z = s^2, where all but P is in two parts.
"""

from __future__ import annotations

from typing import Any

from .. import ir
from .exponential import EXP32, EXP64, parts
from .logarithm import LN2_HIGH, LN2_LOW, R32, R64, split
from .vector import Vector

__all__ = ["TABLE", "power"]

# (1 + f)^(-1/3), 2^-14.
INVERSE_CUBE_ROOT = (
    0.9999765853414433, -0.332901592070518, 0.2243626755777284, -0.18890897402096088, 0.12836945637663538,
)  # fmt: skip
TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)


def rsqrt(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    return v.div(v.const(1.0), v.sqrt(x))


def power(b: Any, x: Any, y: Any) -> Any:
    v = Vector(b, x)
    half = half_of(v, y)
    if half is not None:
        return by_roots(v, x, half)
    size = v.abs(x)
    out = _of_double(v, size, y) if v.double else _of_single(v, size, y)
    return _with_exceptions(v, x, size, y, out)


def _of_single(v: Vector, x: Any, y: Any) -> Any:
    b = v.b
    double = v.shaped(ir.DoubleType())
    y = v.clamp(y, -(2.0**40), 2.0**40)  # beyond, no y makes a difference
    x, y = b.fpext(x, double), b.fpext(y, double)
    w = Vector(b, x)
    e, f = split(w, x)
    s = w.div(f, w.add(f, w.const(2.0)))
    z = w.mul(s, s)
    log = w.fma(w.mul(s, z), w.horner(z, R32), w.fma(w.to_float(e), w.const(0.6931471805599453), w.add(s, s)))
    n, s = parts(w, w.clamp(w.mul(y, log), -160.0, 130.0), EXP32)
    unit = w.power_of_two(n)
    return b.fptrunc(w.fma(unit, s, unit), v.type)


def _of_double(v: Vector, x: Any, y: Any) -> Any:
    tiny = v.less(x, v.const(2.0**-1022))
    e, f = split(v, v.select(tiny, v.mul(x, v.const(2.0**54)), x))
    e = v.to_float(v.select(tiny, v.b.sub(e, v.iconst(54)), e))
    high, low = _log_of_one_plus(v, f)
    whole = v.mul(e, v.const(LN2_HIGH[1]))  # exact
    high, low = _sum(v, whole, high, v.fma(e, v.const(LN2_LOW[1]), low))
    y = v.clamp(y, -(2.0**65), 2.0**65)  # beyond, no y makes a difference, but products overflow
    high, low = _product(v, y, v.const(0.0), high, low)
    low = v.select(v.less(v.abs(high), v.const(800.0)), low, v.const(0.0))
    n, s = parts(v, v.clamp(high, -746.0, 710.0), EXP64, low=low)
    return v.scaled(v.add(s, v.const(1.0)), n)


def _log_of_one_plus(v: Vector, f: Any) -> tuple[Any, Any]:
    """log(1 + f) in two parts, for |f| < 0.42."""
    two = v.const(2.0)
    below = v.add(two, f)
    inverse = v.div(v.const(1.0), below)
    s = v.mul(f, inverse)
    rest = v.fma(v.neg(s), v.sub(f, v.sub(below, two)), v.fma(v.neg(s), below, f))
    s_low = v.mul(rest, inverse)
    z, z_low = _product(v, s, s_low, s, s_low)
    factor, factor_low = _sum(v, v.const(TWO_THIRDS[0]), v.mul(z, v.polynomial(z, R64[1:])), v.const(TWO_THIRDS[1]))
    factor, factor_low = _product(v, z, z_low, factor, factor_low)
    factor, factor_low = _sum(v, two, factor, factor_low)
    return _product(v, s, s_low, factor, factor_low)


def _sum(v: Vector, x: Any, y: Any, low: Any) -> tuple[Any, Any]:
    """X + y + low in two parts, for |x| >= |y| or x = 0."""
    total = v.add(x, y)
    return total, v.add(v.add(v.sub(x, total), y), low)


def _product(v: Vector, x: Any, x_low: Any, y: Any, y_low: Any) -> tuple[Any, Any]:
    """(x + x_low) (y + y_low) in two parts."""
    out = v.mul(x, y)
    return out, v.fma(x, y_low, v.fma(x_low, y, v.fma(x, y, v.neg(out))))


def _with_exceptions(v: Vector, x: Any, size: Any, y: Any, out: Any) -> Any:
    """x^y from |x|^y, which is right where |x| is positive and finite and no operand is NaN."""
    b = v.b
    zero, one, infinity, nan = (v.const(c) for c in (0.0, 1.0, float("inf"), float("nan")))
    usual = b.and_(v.greater(size, zero), v.less(size, infinity))
    grows = b.xor(v.greater(size, one), v.less(y, zero))
    out = v.select(usual, out, v.select(grows, infinity, zero))
    half = v.mul(y, v.const(0.5))
    whole = v.equal(v.intrinsic("trunc", y), y)
    odd = b.and_(whole, b.fcmp_unordered("!=", v.intrinsic("trunc", half), half))
    out = v.select(odd, v.with_sign_of(out, x), out)
    undefined = b.and_(b.and_(v.less(x, zero), usual), b.not_(whole))
    out = v.select(b.or_(undefined, b.fcmp_unordered("uno", x, y)), nan, out)
    return v.select(b.or_(v.equal(x, one), v.equal(y, zero)), one, out)


def cbrt(b: Any, x: Any) -> Any:
    """|x| = 8^q m with m from 1/3 to 3: m^(-1/3) by a polynomial and a step by the series of (1 - h)^(-1/3).

    m times its square is the root r, which is mended once more by (m - r^3) / (3 r^2).
    """
    v = Vector(b, x)
    size = v.abs(x)
    tiny = v.less(size, v.const(2.0 ** (1 - v.bias)))
    power = v.pick(24, 54)
    e, f = split(v, v.select(tiny, v.mul(size, v.const(2.0**power)), size))
    q, _ = v.nearest(v.to_float(e), 1 / 3)
    j = b.sub(e, b.mul(q, v.iconst(3)))
    q = v.select(tiny, b.sub(q, v.iconst(power // 3)), q)
    m = v.mul(v.add(f, v.const(1.0)), v.power_of_two(j))
    start = v.select(b.icmp_signed("<", j, v.iconst(0)), v.const(2 ** (1 / 3)), v.const(1.0))
    start = v.select(b.icmp_signed(">", j, v.iconst(0)), v.const(2 ** (-1 / 3)), start)
    inverse = v.mul(start, v.polynomial(f, INVERSE_CUBE_ROOT))
    square = v.mul(inverse, inverse)
    h = v.fma(v.mul(v.neg(m), square), inverse, v.const(1.0))
    inverse = v.fma(v.mul(inverse, h), v.polynomial(h, v.pick((1 / 3, 2 / 9), (1 / 3, 2 / 9, 14 / 81))), inverse)
    square = v.mul(inverse, inverse)
    root = v.mul(m, square)
    cube = v.mul(root, root)
    rest = v.fma(v.neg(cube), root, m)
    rest = v.fma(v.neg(v.fma(root, root, v.neg(cube))), root, rest)
    root = v.fma(v.mul(rest, square), v.const(1 / 3), root)
    out = v.with_sign_of(v.mul(root, v.power_of_two(q)), x)
    usual = b.and_(v.greater(size, v.const(0.0)), v.less(size, v.const(float("inf"))))
    return v.select(usual, out, x)


def half_of(v: Vector, y: Any) -> int | None:
    """Twice a known exponent, if that is a small odd number: the power is then one of a square root."""
    known = v.known(y)
    return int(2 * known) if known is not None and 2 * known in range(-7, 8, 2) else None


def by_roots(v: Vector, x: Any, twice: int) -> Any:
    """x^(twice / 2) = x^k sqrt(x), or divided instead of multiplied; IEEE's values at -0 and -inf."""
    root = v.abs(v.sqrt(x))
    root = v.select(v.equal(x, v.const(float("-inf"))), v.const(float("inf")), root)
    out, combine = (root, v.mul) if twice > 0 else (v.div(v.const(1.0), root), v.div)
    for _ in range(abs(twice) // 2):
        out = combine(out, v.abs(x))
    return out


TABLE = {"cbrt": cbrt, "pow": power, "rsqrt": rsqrt}
