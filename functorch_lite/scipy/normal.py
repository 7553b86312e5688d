"""The normal distribution function, its logarithm and its inverse."""

from __future__ import annotations

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


@custom_jvp
def _ndtri(p: Any) -> Any:
    """Below 1/2, from erfinv or, far out, the tail's first terms, by Halley's method; above, by symmetry."""
    upper = p > 0.5
    q = fnp.where(upper, 1 - p, p)
    inside = (q > 0) & (q <= 0.5)
    q = fnp.where(inside, q, 0.25)
    far = q < 1e-4
    t = -2 * fnp.log(fnp.where(far, q, 1e-4))
    x = fnp.where(
        far, -fnp.sqrt(t - fnp.log(t) - 2 * _LOG_ROOT_TAU), e.erf_inv(2 * fnp.where(far, 0.25, q) - 1) / _ROOT_HALF
    )
    for _ in range(3):
        step = (1 - fnp.exp(fnp.log(q) - log_ndtr(x))) * fnp.exp(log_ndtr(x) + x * x / 2 + _LOG_ROOT_TAU)
        x = x - step / (1 + x * step / 2)
    x = fnp.where(upper, -x, x)
    return fnp.where(inside, x, fnp.where(p == 0, -math.inf, fnp.where(p == 1, math.inf, math.nan)))


@_ndtri.defjvp
def _ndtri_jvp(primals: Any, tangents: Any) -> Any:
    (p,), (t,) = primals, tangents
    x = _ndtri(p)
    return x, t * fnp.exp(x * x / 2 + _LOG_ROOT_TAU)


def ndtri(p: Any) -> Any:
    """The inverse of `ndtr`: the x that a standard normal variate is at most with probability p."""
    return in_32_bits(_ndtri, *real_operands("ndtri", p))
