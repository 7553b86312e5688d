"""atan, atan2, asin, acos: minimax polynomials (Remez) in the square of an argument reduced to [0, 1] or [0, 1/2]."""

from __future__ import annotations

from typing import Any

from .vector import Vector

__all__ = ["TABLE", "atan2"]

# (atan(x) - x) / x^3 on [0, 1]: 2^-26, 2^-55; (asin(x) - x) / x^3 on [0, 1/2]: 2^-27, 2^-56.
ATAN32 = (
    -0.3333317983537182, 0.1999439126230764, -0.14216064443610096, 0.10685684800661063, -0.07594087174121002,
    0.043705189153998986, -0.01667062569375036, 0.0029961691883379714,
)  # fmt: skip
ATAN64 = (
    -0.33333333333333043, 0.19999999999891271, -0.1428571427729964, 0.1111111081779779, -0.09090903235927664,
    0.07692232242476668, -0.06665992246479328, 0.05877967832563305, -0.0524171266321631, 0.04681052233580163,
    -0.04108291557101659, 0.034334092100436434, -0.026175464476394114, 0.0173260633058706, -0.009444434200381257,
    0.003996461025397656, -0.001215980188437631, 0.00023474706614444408, -2.1479364703378617e-05,
)  # fmt: skip
ASIN32 = (0.16666723714319126, 0.07496181908381053, 0.04537872912897509, 0.024570830533457034, 0.04157446541821275)
ASIN64 = (
    0.16666666666666485, 0.07500000000137166, 0.04464285696498196, 0.03038195430460256, 0.022371859831638762,
    0.017358332426280276, 0.013897520796786486, 0.012095312676151732, 0.006823363802442688, 0.018775678645172746,
    -0.015118026235097158, 0.03119826918878275,
)  # fmt: skip
HALF_PI, HALF_PI_LOW = 1.5707963267948966, 6.123233995736766e-17
HALF_PI32, HALF_PI32_LOW = 1.5707963705062866, -4.371138828673793e-08


def _half_pi(v: Vector) -> tuple[Any, Any]:
    high, low = v.pick((HALF_PI32, HALF_PI32_LOW), (HALF_PI, HALF_PI_LOW))
    return v.const(high), v.const(low)


def _atan_unit(v: Vector, t: Any) -> Any:
    """The angle of 0 <= t <= 1."""
    z = v.mul(t, t)
    return v.fma(v.mul(z, t), v.polynomial(z, v.pick(ATAN32, ATAN64)), t)


def atan(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    a = v.abs(x)
    large = v.greater(a, v.const(1.0))
    high, low = _half_pi(v)
    inner = _atan_unit(v, v.select(large, v.div(v.const(1.0), a), a))
    return v.with_sign_of(v.select(large, v.add(v.sub(high, inner), low), inner), x)


def atan2(b: Any, y: Any, x: Any) -> Any:
    """The angle of the point (x, y), in the quadrant that the signs say; zeros and infinities as C has them."""
    v = Vector(b, x)
    ax, ay = v.abs(x), v.abs(y)
    infinity = v.const(float("inf"))
    both = b.and_(v.equal(ax, infinity), v.equal(ay, infinity))
    ax, ay = v.select(both, v.const(1.0), ax), v.select(both, v.const(1.0), ay)
    steep = v.greater(ay, ax)
    top, bottom = v.select(steep, ax, ay), v.select(steep, ay, ax)
    ratio = v.select(v.equal(top, v.const(0.0)), v.const(0.0), v.div(top, bottom))
    angle = _atan_unit(v, ratio)
    high, low = _half_pi(v)
    angle = v.select(steep, v.add(v.sub(high, angle), low), angle)
    left = b.icmp_signed("<", v.as_int(x), v.iconst(0))
    two = v.const(2.0)
    angle = v.select(left, v.add(v.sub(v.mul(high, two), angle), v.mul(low, two)), angle)
    nan = b.or_(v.is_nan(x), v.is_nan(y))
    return v.select(nan, v.const(float("nan")), v.with_sign_of(angle, y))


def _asin_half(v: Vector, t: Any) -> Any:
    z = v.mul(t, t)
    return v.fma(v.mul(z, t), v.polynomial(z, v.pick(ASIN32, ASIN64)), t)


def _reduced(v: Vector, x: Any) -> tuple[Any, Any, Any]:
    """|x|, whether it is above 1/2, and asin of it or of sqrt((1 - |x|) / 2)."""
    a = v.abs(x)
    large = v.greater(a, v.const(0.5))
    t = v.select(large, v.sqrt(v.mul(v.sub(v.const(1.0), a), v.const(0.5))), a)
    return a, large, _asin_half(v, t)


def asin(b: Any, x: Any) -> Any:
    """Of |x| > 1/2: pi/2 - 2 asin(sqrt((1 - |x|) / 2))."""
    v = Vector(b, x)
    _, large, inner = _reduced(v, x)
    high, low = _half_pi(v)
    out = v.add(v.sub(high, v.add(inner, inner)), low)
    return v.with_sign_of(v.select(large, out, inner), x)


def acos(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    _, large, inner = _reduced(v, x)
    high, low = _half_pi(v)
    two = v.add(inner, inner)
    negative = v.less(x, v.const(0.0))
    beyond = v.add(v.sub(v.add(high, high), two), v.add(low, low))
    near = v.sub(high, v.sub(v.with_sign_of(inner, x), low))
    return v.select(large, v.select(negative, beyond, two), near)


TABLE = {"acos": acos, "asin": asin, "atan": atan, "atan2": atan2}
