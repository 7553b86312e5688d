"""sin, cos and tan.

x = n pi/2 + r by Cody and Waite's subtraction of pi/2 in three parts; polynomials (Remez) for sin and cos of |r| <=
pi/4. Arguments beyond what that reduces well are rare: a vector that has one takes a branch to `large_angles`.
"""

from __future__ import annotations

from typing import Any

from . import large_angles
from .branching import where_any
from .vector import Vector

__all__ = ["TABLE", "cos", "sin", "sin_cos", "tan"]

# Errors relative to sin and cos: 2^-37 and 2^-68; 2^-33 and 2^-64.
SIN32 = (-0.166666666414265, 0.008333329362279318, -0.00019839327136236685, 2.7182372733064295e-06)
SIN64 = (
    -0.16666666666666666, 0.008333333333333323, -0.0001984126984125499, 2.7557319214148833e-06,
    -2.5052104900535474e-08, 1.6058365192737894e-10, -7.578625472722102e-13,
)  # fmt: skip
COS32 = (0.041666646747770916, -0.001388736145002487, 2.4437730081275813e-05)
COS64 = (
    0.041666666666666664, -0.0013888888888888879, 2.4801587301574786e-05, -2.755731921659183e-07,
    2.0876754606575035e-09, -1.1470317586808477e-11, 4.739098878055914e-14,
)  # fmt: skip
# pi/2 in parts of 24 and of 53 bits.
HALF_PI32 = (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15)
HALF_PI64 = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
LARGE = (4.8e4, 1e9)
"""Up to here the reduction is exact enough."""


def _reduced(v: Vector, x: Any) -> tuple[Any, Any, Any]:
    """The number of the quadrant, and r in two parts."""
    usual = _reduced_by_parts(v, x)
    b, size = v.b, v.abs(x)
    large = b.and_(v.greater(size, v.const(v.pick(*LARGE))), v.less(size, v.const(float("inf"))))
    n, r, low = where_any(v, large, usual, lambda: large_angles.reduced(v, x))
    return n, r, low


def _reduced_by_parts(v: Vector, x: Any) -> tuple[Any, Any, Any]:
    n, k = v.nearest(x, 0.6366197723675814)
    parts = v.pick(HALF_PI32, HALF_PI64)
    first = v.fma(k, v.const(-parts[0]), x)
    # The second product exactly, as a sum of two numbers; what is lost in the differences goes into `low`.
    product = v.mul(k, v.const(parts[1]))
    rest = v.fma(k, v.const(parts[1]), v.neg(product))
    second = v.sub(first, product)
    lost = v.sub(v.sub(first, second), product)
    r = v.sub(second, rest)
    low = v.add(v.sub(v.sub(second, r), rest), lost)
    low = v.fma(k, v.const(-parts[2]), low)
    return n, r, low


def _sin_cos(v: Vector, r: Any, low: Any) -> tuple[Any, Any]:
    z = v.mul(r, r)
    s = v.fma(v.mul(z, r), v.polynomial(z, v.pick(SIN32, SIN64)), low)
    sine = v.add(r, s)
    half = v.mul(z, v.const(0.5))
    w = v.sub(v.const(1.0), half)
    rest = v.sub(v.sub(v.const(1.0), w), half)
    c = v.fma(v.mul(z, z), v.polynomial(z, v.pick(COS32, COS64)), v.fma(v.neg(r), low, rest))
    return sine, v.add(w, c)


def sin_cos(v: Vector, r: Any) -> tuple[Any, Any]:
    """Sine and cosine of an angle of at most pi / 4."""
    return _sin_cos(v, r, v.const(0.0))


def _whole(b: Any, x: Any, quarter: int) -> Any:
    v = Vector(b, x)
    n, r, low = _reduced(v, x)
    sine, cosine = _sin_cos(v, r, low)
    n = b.add(n, v.iconst(quarter)) if quarter else n
    out = v.select(_odd(v, n), cosine, sine)
    return v.as_float(b.xor(v.as_int(out), b.shl(b.lshr(n, v.iconst(1)), v.iconst(v.bits - 1))))


def _odd(v: Vector, n: Any) -> Any:
    return v.b.icmp_unsigned("!=", v.b.and_(n, v.iconst(1)), v.iconst(0))


def sin(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    return v.select(v.equal(x, v.const(0.0)), x, _whole(b, x, 0))


def cos(b: Any, x: Any) -> Any:
    return _whole(b, x, 1)


def tan(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    n, r, low = _reduced(v, x)
    sine, cosine = _sin_cos(v, r, low)
    odd = _odd(v, n)
    out = v.div(v.select(odd, v.neg(cosine), sine), v.select(odd, sine, cosine))
    return v.select(v.equal(x, v.const(0.0)), x, out)


TABLE = {"cos": cos, "sin": sin, "tan": tan}
