"""Exponentials, logarithms, powers, trigonometric and hyperbolic functions: elementwise, a statement each."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from .arithmetic import add, const, div, div_strong, eq, mul, mul_strong, neg, select, square, sub
from .base import Elementwise, either

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "logistic",
    "pow_",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]

_LN2 = math.log(2)


def one(x: Any) -> Any:
    """1, in the dtype of `x`."""
    return const(x, 1)


def _exp2(xp: Any, x: Any) -> Any:
    if dtypes.is_complex(x.dtype):
        return xp.exp(xp.multiply(x, xp.full_like(x, _LN2)))
    return either("exp2", lambda xp, x: xp.pow(xp.full_like(x, 2), x))(xp, x)


exp = Elementwise("exp", accepts="fc", namespace="exp", derivatives=(lambda t, y, x: mul(t, y),))
exp2 = Elementwise(
    "exp2",
    accepts="fc",
    impl=_exp2,
    widens=True,
    derivatives=(lambda t, y, x: mul(t, mul(y, const(x, _LN2))),),
)
expm1 = Elementwise("expm1", accepts="fc", namespace="expm1", derivatives=(lambda t, y, x: mul(t, add(y, one(x))),))
log = Elementwise("log", accepts="fc", namespace="log", derivatives=(lambda t, y, x: div_strong(t, x),))
log1p = Elementwise(
    "log1p", accepts="fc", namespace="log1p", derivatives=(lambda t, y, x: div_strong(t, add(x, one(x))),)
)
sqrt = Elementwise(
    "sqrt", accepts="fc", namespace="sqrt", derivatives=(lambda t, y, x: div_strong(t, mul(const(y, 2), y)),)
)
rsqrt = Elementwise(
    "rsqrt",
    accepts="fc",
    impl=lambda xp, x: xp.divide(xp.ones_like(x), xp.sqrt(x)),
    widens=True,
    derivatives=(lambda t, y, x: mul_strong(t, mul(const(x, -0.5), div(y, x))),),
)


def _cbrt(xp: Any, x: Any) -> Any:
    """The real cube root; one step of Newton's method mends the rounding of the power."""
    size = xp.abs(x)
    root = xp.pow(size, xp.full_like(size, 1 / 3))
    safe = xp.where(root == 0, xp.ones_like(root), root)
    mended = root - (root - size / (safe * safe)) / 3
    return xp.where(xp.isfinite(mended) & (root != 0), xp.sign(x) * mended, xp.sign(x) * root)


cbrt = Elementwise(
    "cbrt",
    accepts="f",
    impl=either("cbrt", _cbrt),
    widens=True,
    derivatives=(lambda t, y, x: div_strong(t, mul(const(y, 3), square(y))),),
)


def _logistic(xp: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)): where exp overflows, the quotient is zero as it should."""
    one = xp.ones_like(x)
    return xp.divide(one, xp.add(one, xp.exp(xp.negative(x))))


logistic = Elementwise(
    "logistic",
    accepts="fc",
    impl=_logistic,
    widens=True,
    derivatives=(lambda t, y, x: mul(t, mul(y, sub(one(y), y))),),
)

# Powers.


def _power_by_base(t: Any, z: Any, x: Any, y: Any) -> Any:
    """Y x^(y-1), zero where y is zero, also at x = 0."""
    return mul_strong(t, mul_strong(y, pow_(x, sub(y, one(y)))))


def _power_by_exponent(t: Any, z: Any, x: Any, y: Any) -> Any:
    """x^y log x, zero at x = 0: the limit for y > 0."""
    return mul_strong(t, mul_strong(log(select(eq(x, const(x, 0)), x, one(x))), z))


pow_ = Elementwise(
    "pow",
    accepts="fc",
    operands="x y",
    namespace="pow",
    derivatives=(_power_by_base, _power_by_exponent),
)

# Trigonometric and hyperbolic functions.

sin = Elementwise("sin", accepts="fc", namespace="sin", derivatives=(lambda t, y, x: mul(t, cos(x)),))
cos = Elementwise("cos", accepts="fc", namespace="cos", derivatives=(lambda t, y, x: neg(mul(t, sin(x))),))
tan = Elementwise("tan", accepts="fc", namespace="tan", derivatives=(lambda t, y, x: mul(t, add(one(y), square(y))),))
sinh = Elementwise("sinh", accepts="fc", namespace="sinh", derivatives=(lambda t, y, x: mul(t, cosh(x)),))
cosh = Elementwise("cosh", accepts="fc", namespace="cosh", derivatives=(lambda t, y, x: mul(t, sinh(x)),))
tanh = Elementwise(
    "tanh", accepts="fc", namespace="tanh", derivatives=(lambda t, y, x: mul(t, sub(one(y), square(y))),)
)


def _one_less_square(x: Any) -> Any:
    """1 - x^2, by factors: exact near 1."""
    return mul(sub(one(x), x), add(one(x), x))


asin = Elementwise(
    "asin", accepts="fc", namespace="asin", derivatives=(lambda t, y, x: mul_strong(t, rsqrt(_one_less_square(x))),)
)
acos = Elementwise(
    "acos",
    accepts="fc",
    namespace="acos",
    derivatives=(lambda t, y, x: neg(mul_strong(t, rsqrt(_one_less_square(x)))),),
)
atan = Elementwise(
    "atan", accepts="fc", namespace="atan", derivatives=(lambda t, y, x: div_strong(t, add(one(x), square(x))),)
)
asinh = Elementwise(
    "asinh", accepts="fc", namespace="asinh", derivatives=(lambda t, y, x: mul(t, rsqrt(add(square(x), one(x)))),)
)
acosh = Elementwise(
    "acosh",
    accepts="fc",
    namespace="acosh",
    derivatives=(lambda t, y, x: mul_strong(t, mul(rsqrt(sub(x, one(x))), rsqrt(add(x, one(x))))),),
)
atanh = Elementwise(
    "atanh", accepts="fc", namespace="atanh", derivatives=(lambda t, y, x: div_strong(t, _one_less_square(x)),)
)


def _square_sum(x: Any, y: Any) -> Any:
    return add(square(x), square(y))


def _atan2(xp: Any, x: Any, y: Any) -> Any:
    """For complex numbers, -i log((y + ix) / sqrt(x^2 + y^2))."""
    if not dtypes.is_complex(x.dtype):
        return xp.atan2(x, y)
    i = xp.asarray(1j, dtype=x.dtype)
    length = xp.sqrt(xp.add(xp.multiply(x, x), xp.multiply(y, y)))
    return xp.multiply(xp.negative(i), xp.log(xp.divide(xp.add(y, xp.multiply(i, x)), length)))


atan2 = Elementwise(
    "atan2",
    accepts="fc",
    operands="x y",
    impl=_atan2,
    derivatives=(
        lambda t, z, x, y: mul_strong(t, div(y, _square_sum(x, y))),
        lambda t, z, x, y: mul_strong(t, div(neg(x), _square_sum(x, y))),
    ),
)
"""The angle, between -pi and pi, of the point whose height is the first operand and whose abscissa is the second."""
