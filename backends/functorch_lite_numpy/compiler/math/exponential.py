"""exp and what is made of it: exp2, expm1, logistic, tanh, sinh, cosh.

exp(x) = 2^n exp(r), n = round(x / ln 2), r = x - n ln 2 with ln 2 in two parts. exp(r) = 1 + r + r^2 q(r), where q is
the minimax polynomial (Remez) on |r| <= ln(2) / 2, weighted so that the error of exp is even.
"""

from __future__ import annotations

from typing import Any

from .vector import Vector

__all__ = ["EXP32", "EXP64", "EXPM1_32", "TABLE", "cosh", "exp", "exp_moderate", "expm1", "parts", "sinh"]

# 2^-28 and 2^-64 relative to exp.
EXP32 = (0.5000000095414466, 0.1666651860217934, 0.0416662050616716, 0.008368917906691201, 0.0013950540659001293)
EXP64 = (
    0.5, 0.16666666666666685, 0.04166666666666673, 0.008333333333316685, 0.0013888888888858458, 0.0001984126989719432,
    2.4801587373703948e-05, 2.7557234099459726e-06, 2.7557233393040536e-07, 2.5112288389290535e-08,
    2.0926932972356538e-09,
)  # fmt: skip
# The same weighted for expm1: 2^-32 and 2^-68.
EXPM1_32 = (
    0.5000000046524898, 0.16666666816474149, 0.04166635416458525, 0.008333272947922975, 0.0013941050025085603,
    0.00019914231247489193,
)  # fmt: skip
EXPM1_64 = (
    0.5, 0.16666666666666666, 0.04166666666666669, 0.008333333333333338, 0.0013888888888871874,
    0.00019841269841245439, 2.4801587350170015e-05, 2.7557319277773353e-06, 2.7557251834023514e-07,
    2.5052047447428955e-08, 2.092160680583681e-09, 1.6093415435328836e-10,
)  # fmt: skip

# (sinh(r) - r) / r^3 and (cosh(r) - 1) / r^2 in r^2: 2^-37, 2^-74; 2^-34, 2^-70.
SINH32 = (0.16666666754761117, 0.00833328888358017, 0.00019905011677749781)
SINH64 = (
    0.16666666666666666, 0.008333333333333337, 0.00019841269841253153, 2.7557319265289116e-06, 2.5052056706622942e-08,
    1.609084591661351e-10,
)  # fmt: skip
COSH32 = (0.5000000079327195, 0.041666266434294545, 0.0013946276068696022)
COSH64 = (
    0.5, 0.04166666666666671, 0.001388888888886385, 2.4801587363553992e-05, 2.7557241692654504e-07,
    2.0924466124732028e-09,
)  # fmt: skip

LOG2_E = 1.4426950408889634
# ln 2 as a number and what is missing; with zeros at the end, so that products with whole numbers are exact.
LN2_32 = (0.6931471824645996, -1.904654299957768e-09)
LN2_64 = (0.6931471805599453, 2.3190468138462996e-17)
LN2_HIGH32, LN2_LOW32 = 0.693359375, -2.12194440e-4
LN2_HIGH64, LN2_LOW64 = 0.6931471803691238, 1.9082149292705877e-10


def reduced(v: Vector, x: Any, times: float = 1.0, less: float = 0.0) -> tuple[Any, Any, Any]:
    """N, as an integer and as a float, and r with x * times = n ln 2 + r; `times` is a power of two. N is that of x - `less`."""
    n, k = v.nearest(v.sub(x, v.const(less)) if less else x, LOG2_E * times)
    high, low = v.pick((LN2_HIGH32, LN2_LOW32), (LN2_HIGH64, LN2_LOW64))
    x = x if times == 1 else v.mul(x, v.const(times))
    return n, k, v.fma(k, v.const(-low), v.fma(k, v.const(-high), x))


def parts(v: Vector, x: Any, coefficients: Any, times: float = 1.0, low: Any = None) -> tuple[Any, Any]:
    """N and s with exp(x * times + low) = 2^n (1 + s), for a small `low`."""
    n, _, r = reduced(v, x, times)
    r = r if low is None else v.add(r, low)
    return n, v.fma(v.mul(r, r), v.polynomial(r, coefficients), r)


def exp(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    n, s = parts(v, v.clamp(x, v.pick(-104.0, -746.0), v.pick(89.0, 710.0)), v.pick(EXP32, EXP64))
    return v.scaled(v.add(s, v.const(1.0)), n)


def exp_moderate(v: Vector, x: Any) -> Any:
    """The exponential of numbers for which it neither overflows nor is subnormal."""
    n, s = parts(v, x, v.pick(EXP32, EXP64))
    power = v.power_of_two(n)
    return v.fma(power, s, power)


def exp2(b: Any, x: Any) -> Any:
    """2^n 2^f, with exp's polynomial, stretched."""
    v = Vector(b, x)
    x = v.clamp(x, v.pick(-151.0, -1076.0), v.pick(128.5, 1024.5))
    n, k = v.nearest(x, 1.0)
    f = v.sub(x, k)
    high, low = v.pick(LN2_32, LN2_64)
    stretched = [c * LN2_64[0] ** (i + 2) for i, c in enumerate(v.pick(EXP32, EXP64))]
    rest = v.fma(v.mul(f, f), v.polynomial(f, stretched), v.mul(f, v.const(low)))
    return v.scaled(v.add(v.fma(f, v.const(high), rest), v.const(1.0)), n)


def expm1(b: Any, x: Any) -> Any:
    """2^n ((1 - 2^-n) + exp(r) - 1)."""
    v = Vector(b, x)
    n, _, r = reduced(v, v.clamp(x, v.pick(-20.0, -40.0), v.pick(89.0, 710.0)))
    rest = v.polynomial(r, v.pick(EXPM1_32, EXPM1_64))
    missing = v.fma(v.power_of_two(b.sub(v.iconst(1), n)), v.const(-0.5), v.const(1.0))
    return v.with_sign_of(v.scaled(v.fma(v.mul(r, r), rest, v.add(missing, r)), n), x)


def logistic(b: Any, x: Any) -> Any:
    """With exp(-|x|) = 2^n (1 + s): q = 1 / (1 + exp(-|x|)), or of negative x q 2^n (1 + s)."""
    v = Vector(b, x)
    one = v.const(1.0)
    n, s = parts(v, v.at_least(v.neg(v.abs(x)), v.pick(-104.0, -746.0)), v.pick(EXP32, EXP64))
    power = v.scaled(one, n)
    more = v.add(power, one)
    total = v.fma(power, s, more)
    lost = v.fma(power, s, v.sub(more, total))
    q = v.div(one, total)
    q = v.fma(v.neg(v.mul(q, lost)), q, q)
    return v.select(v.less(x, v.const(0.0)), v.scaled(v.fma(q, s, q), n), q)


def tanh(b: Any, x: Any) -> Any:
    """Q = E / (E + 2), E = exp(2 |x|) - 1 = 2^n (1 + s) - 1; what the sum lost counts (1 - q) / 2 times in 1 / (E + 2).

    N becomes 1 so late that E is 1/2 then: a smaller difference would show what s lost by rounding.
    """
    v = Vector(b, x)
    n, _, r = reduced(v, v.at_most(v.abs(x), v.pick(10.0, 22.0)), 2.0, 0.05)
    s = v.fma(v.mul(r, r), v.polynomial(r, v.pick(EXPM1_32, EXPM1_64)), r)
    power = v.power_of_two(n)
    less = v.fma(power, s, v.sub(power, v.const(1.0)))
    total, lost = v.two_sum(less, v.const(2.0))
    q = v.div(less, total)
    return v.with_sign_of(v.fma(v.mul(lost, v.const(0.5)), v.fma(q, q, v.neg(q)), q), x)


def hyperbolic(v: Vector, x: Any) -> tuple[Any, Any]:
    """sinh(|x|) and cosh(|x|), by the addition theorems of n ln 2 and r.

    Twice sinh and cosh of n ln 2 are 2^n (1 -+ 4^-n).
    """
    b, one = v.b, v.const(1.0)
    n, _, r = reduced(v, v.at_most(v.abs(x), v.pick(89.5, 710.6)))
    z = v.mul(r, r)
    sinh_r = v.fma(v.mul(z, r), v.polynomial(z, v.pick(SINH32, SINH64)), r)
    cosh_r = v.mul(z, v.polynomial(z, v.pick(COSH32, COSH64)))  # less 1
    falling = v.power_of_two(b.sub(v.iconst(2), n))  # 4 times too large, so that it is 0 at the end of the range
    falling = v.mul(falling, falling)
    plus, minus = v.fma(falling, v.const(1 / 16), one), v.fma(falling, v.const(-1 / 16), one)
    sinh_ = v.add(minus, v.fma(minus, cosh_r, v.mul(plus, sinh_r)))
    cosh_ = v.add(plus, v.fma(plus, cosh_r, v.mul(minus, sinh_r)))
    n = b.sub(n, v.iconst(1))
    return v.scaled(sinh_, n), v.scaled(cosh_, n)


def sinh(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    return v.with_sign_of(hyperbolic(v, x)[0], x)


def cosh(b: Any, x: Any) -> Any:
    return hyperbolic(Vector(b, x), x)[1]


TABLE = {
    "cosh": cosh,
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "logistic": logistic,
    "sinh": sinh,
    "tanh": tanh,
}
