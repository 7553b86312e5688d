"""exp and what is made of it: exp2, expm1, logistic, tanh, sinh, cosh.

exp(x) = 2^n exp(r), n = round(x / ln 2), r = x - n ln 2 with ln 2 in two parts. exp(r) = 1 + r + r^2 q(r), where q is the minimax
polynomial (Remez) on |r| <= ln(2) / 2, weighted so that the error of exp is even.
"""

from __future__ import annotations

from typing import Any

from .vector import Vector

__all__ = ["TABLE", "exp"]

# 2^-28 and 2^-64 relative to exp.
EXP32 = (0.5000000095414466, 0.1666651860217934, 0.0416662050616716, 0.008368917906691201, 0.0013950540659001293)
EXP64 = (
    0.5, 0.16666666666666685, 0.04166666666666673, 0.008333333333316685, 0.0013888888888858458, 0.0001984126989719432,
    2.4801587373703948e-05, 2.7557234099459726e-06, 2.7557233393040536e-07, 2.5112288389290535e-08, 2.0926932972356538e-09,
)  # fmt: skip
# The same weighted for expm1: 2^-32 and 2^-68.
EXPM1_32 = (
    0.5000000046524898, 0.16666666816474149, 0.04166635416458525, 0.008333272947922975, 0.0013941050025085603,
    0.00019914231247489193,
)  # fmt: skip
EXPM1_64 = (
    0.5, 0.16666666666666666, 0.04166666666666669, 0.008333333333333338, 0.0013888888888871874, 0.00019841269841245439,
    2.4801587350170015e-05, 2.7557319277773353e-06, 2.7557251834023514e-07, 2.5052047447428955e-08, 2.092160680583681e-09,
    1.6093415435328836e-10,
)  # fmt: skip

# Of (tanh(x) - x) / x^3 in x^2: 2^-29 and 2^-65.
TANH32 = (-0.3333331451241866, 0.13332471360251835, -0.05383924697283053, 0.02101427927484891, -0.006188640603673464)
TANH64 = (
    -0.3333333333333333, 0.13333333333332925, -0.05396825396794478, 0.021869488524389132, -0.008863235267126113,
    0.0035921242919950947, -0.0014557986856207842, 0.0005897939685999045, -0.00023807394058000843, 9.364951245608017e-05,
    -3.255350353948514e-05, 7.215218005724846e-06,
)  # fmt: skip

LOG2_E = 1.4426950408889634
LN2_HIGH32, LN2_LOW32 = 0.693359375, -2.12194440e-4
LN2_HIGH64, LN2_LOW64 = 0.6931471803691238, 1.9082149292705877e-10


def reduced(v: Vector, x: Any) -> tuple[Any, Any]:
    """N, an integer, and r with x = n ln 2 + r."""
    n, k = v.nearest(x, LOG2_E)
    r = v.fma(k, v.const(-v.pick(LN2_HIGH32, LN2_HIGH64)), x)
    return n, v.fma(k, v.const(-v.pick(LN2_LOW32, LN2_LOW64)), r)


def exp(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    x = v.clamp(x, v.pick(-104.0, -746.0), v.pick(89.0, 710.0))
    n, r = reduced(v, x)
    q = v.polynomial(r, v.pick(EXP32, EXP64))
    return v.scaled(_sum(v, r, q), n)


def _sum(v: Vector, r: Any, q: Any) -> Any:
    """1 + r + r^2 q, added from the smallest."""
    return v.add(v.fma(v.mul(r, r), q, r), v.const(1.0))


def exp2(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    x = v.clamp(x, v.pick(-151.0, -1076.0), v.pick(128.5, 1024.5))
    n, k = v.nearest(x, 1.0)
    f = v.sub(x, k)
    r = v.mul(f, v.const(0.6931471805599453))
    low = v.fma(f, v.const(0.6931471805599453), v.neg(r))
    q = v.polynomial(r, v.pick(EXP32, EXP64))
    small = v.fma(v.mul(r, r), q, v.fma(f, v.const(v.pick(-1.9046543e-09, 2.3190468138462996e-17)), v.add(r, low)))
    return v.scaled(v.add(small, v.const(1.0)), n)


def expm1(b: Any, x: Any) -> Any:
    """2^n (exp(r) - 1) + (2^n - 1); for large n the halves are added, lest 2^n overflow."""
    v = Vector(b, x)
    clamped = v.clamp(x, v.pick(-20.0, -40.0), v.pick(89.0, 710.0))
    n, r = reduced(v, clamped)
    p = v.fma(v.mul(r, r), v.polynomial(r, v.pick(EXPM1_32, EXPM1_64)), r)
    half = v.power_of_two(b.sub(n, v.iconst(1)))
    out = v.mul(v.fma(half, p, v.sub(half, v.const(0.5))), v.const(2.0))
    zero = b.icmp_signed("==", n, v.iconst(0))
    out = v.select(zero, p, out)
    return v.select(v.equal(x, v.const(0.0)), x, out)


def logistic(b: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)), with exp(-|x|), which does not overflow; what rounding took from the sum is made good."""
    v = Vector(b, x)
    e = exp(b, v.neg(v.abs(x)))
    one = v.const(1.0)
    negative = v.less(x, v.const(0.0))
    total = v.add(one, e)
    lost = v.sub(e, v.sub(total, one))
    out = v.div(v.select(negative, e, one), total)
    inverse = v.select(negative, v.sub(one, out), out)
    return v.fma(v.neg(out), v.mul(lost, inverse), out)


def tanh(b: Any, x: Any) -> Any:
    """Of |x| < 9/16: x + x^3 P(x^2), P by Remez; else 1 - 2 / (exp(2 |x|) + 1)."""
    v = Vector(b, x)
    a = v.clamp(v.abs(x), 0.0, v.pick(10.0, 22.0))
    z = v.mul(x, x)
    small = v.fma(v.mul(z, x), v.polynomial(z, v.pick(TANH32, TANH64)), x)
    e = exp(b, v.add(a, a))
    large = v.sub(v.const(1.0), v.div(v.const(2.0), v.add(e, v.const(1.0))))
    return v.with_sign_of(v.select(v.less(a, v.const(0.5625)), small, large), x)


def sinh(b: Any, x: Any) -> Any:
    """(t + t / (t + 1)) / 2 with t = expm1(|x|); near overflow exp(|x| / 2)^2 / 2."""
    v = Vector(b, x)
    a = v.abs(x)
    t = expm1(b, a)
    small = v.mul(v.add(t, v.div(t, v.add(t, v.const(1.0)))), v.const(0.5))
    return v.with_sign_of(_or_large(b, v, a, small), x)


def cosh(b: Any, x: Any) -> Any:
    """(e + 1 / e) / 2 with e = exp(|x|)."""
    v = Vector(b, x)
    a = v.abs(x)
    e = exp(b, a)
    half = v.const(0.5)
    return _or_large(b, v, a, v.fma(e, half, v.div(half, e)))


def _or_large(b: Any, v: Vector, a: Any, small: Any) -> Any:
    limit = v.pick(88.0, 709.0)
    h = exp(b, v.mul(a, v.const(0.5)))
    large = v.mul(v.mul(h, v.const(0.5)), h)
    return v.select(v.greater(a, v.const(limit)), large, small)


TABLE = {
    "cosh": cosh,
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "logistic": logistic,
    "sinh": sinh,
    "tanh": tanh,
}
