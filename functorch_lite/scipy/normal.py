"""The normal distribution function, its logarithm and its inverse."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import numpy as fnp
from ..numpy.operands import in_32_bits, like
from ..primitives import elementwise as e
from ..transforms.custom_jvp import custom_jvp
from .operands import real_operands

__all__ = ["log_ndtr", "ndtr", "ndtri"]


_ROOT_HALF = math.sqrt(0.5)
_LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)


def ndtr(x: Any) -> Any:
    """The normal distribution function: the probability that a standard normal variate is at most x."""
    return in_32_bits(lambda v: like(v, 0.5) * e.erfc(v * like(v, -_ROOT_HALF)), *real_operands("ndtr", x))


def log_ndtr(x: Any, series_order: int = 3) -> Any:
    """The logarithm of `ndtr`, exact far out too.

    Args:
      x: an array.
      series_order: taken for JAX's sake.

    >>> import functorch_lite.scipy.special as special
    >>> round(float(special.log_ndtr(-10.0)), 3)
    -53.231
    """
    return in_32_bits(_log_ndtr, *real_operands("log_ndtr", x))


def _log_ndtr(v: Any) -> Any:
    far = v < (-20 if v.dtype == np.float64 else -8)
    right = v > 0
    z = fnp.where(far, v, -20)
    tail = -z / 2 * z - fnp.log(-z) - like(v, _LOG_ROOT_TAU) + fnp.log1p(_tail(1 / (z * z)))
    y = fnp.where(far, -1, fnp.where(right, -v, v))
    other = like(v, 0.5) * e.erfc(y * like(v, -_ROOT_HALF))
    upper = fnp.log1p(-fnp.where(right, other, 0))
    middle = fnp.log(fnp.where(right, 0.5, other))
    return fnp.where(far, tail, fnp.where(right, upper, middle))


def _tail(y: Any) -> Any:
    """-y + 3 y^2 - 15 y^3 + ...: what the tail of the distribution is besides 1, in y = 1 / x^2."""
    out = y * 0
    for k in range(15, 0, -2):
        out = -k * y * (1 + out)
    return out


# Wichura's algorithm AS 241 (1988): fractions of polynomials, the constant term first.
_MIDDLE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_OUTSIDE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def _fraction(x: Any, polynomials: tuple[tuple[float, ...], tuple[float, ...]]) -> Any:
    top, bottom = (functools.reduce(lambda out, c: out * x + c, reversed(of)) for of in polynomials)
    return top / bottom


@custom_jvp
def _ndtri(p: Any) -> Any:
    """Of what lies within 0.425 around 1/2, an odd function of the distance; else one of the root of the tail's logarithm."""
    q = p - 0.5
    middle = abs(q) <= 0.425
    tail = fnp.where(q < 0, p, 1 - p)
    r = fnp.sqrt(-fnp.log(fnp.where((tail > 0) & ~middle, tail, 0.05)))
    outside = fnp.where(r <= 5, _fraction(r - 1.6, _OUTSIDE), _fraction(r - 5, _FAR))
    inner = fnp.where(middle, q, 0)
    x = fnp.where(middle, inner * _fraction(0.180625 - inner * inner, _MIDDLE), fnp.where(q < 0, -outside, outside))
    return fnp.where(tail > 0, x, fnp.where(p == 0, -math.inf, fnp.where(p == 1, math.inf, math.nan)))


@_ndtri.defjvp
def _ndtri_jvp(primals: Any, tangents: Any) -> Any:
    (p,), (t,) = primals, tangents
    x = _ndtri(p)
    return x, t * fnp.exp(x * x / 2 + _LOG_ROOT_TAU)


def ndtri(p: Any) -> Any:
    """The inverse of `ndtr`: the x that a standard normal variate is at most with probability p."""
    return in_32_bits(_ndtri, *real_operands("ndtri", p))
