"""The gamma function's family: factorials, binomial coefficients, beta and zeta functions."""

from __future__ import annotations

import functools
import math
from typing import Any

from .. import numpy as fnp
from ..errors import UnsupportedError
from ..numpy.operands import in_32_bits, like
from ..primitives import elementwise as e
from ..transforms.custom_jvp import custom_jvp
from .operands import real_operands

__all__ = ["beta", "betaln", "comb", "factorial", "gamma", "gammasgn", "multigammaln", "poch", "zeta"]


def gammasgn(x: Any) -> Any:
    """The sign of the gamma function: 1, or -1; NaN at negative integers, -inf and NaN."""
    (v,) = real_operands("gammasgn", x)
    whole = e.floor(v)
    odd = fnp.remainder(whole, 2) != 0
    negative = fnp.where(whole == v, math.nan, fnp.where(odd, -1.0, 1.0))
    other = fnp.where(v == v, 1.0, math.nan)
    sign = fnp.where(v < 0, negative, fnp.where(v == 0, fnp.copysign(like(v, 1), v), other))
    return fnp.astype(sign, v.dtype)


def gamma(x: Any) -> Any:
    """The gamma function, the integral of t^(x-1) exp(-t) over positive t."""
    return in_32_bits(_gamma, *real_operands("gamma", x))


def _gamma(v: Any) -> Any:
    """Near its pole at 0, of which the logarithm is large, by gamma(v + 1) / v."""
    near = abs(v) < 0.5
    moved = fnp.where(near, v + 1, v)
    return gammasgn(moved) * e.exp(e.lgamma(moved)) / fnp.where(near, v, 1)


def factorial(n: Any, exact: bool = False) -> Any:
    """N! = gamma(n + 1) in floating point; 0 for negative n."""
    if exact:
        raise UnsupportedError("factorial computes in floating point: pass exact=False.")
    return in_32_bits(lambda v: fnp.where(v < 0, 0, e.exp(e.lgamma(v + 1))), *real_operands("factorial", n))


def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """The number of ways to choose k of N things, with repetition or without; 0 unless 0 <= k <= N."""
    return in_32_bits(functools.partial(_comb, repetition), *real_operands("comb", N, k))


def _comb(repetition: bool, n: Any, m: Any) -> Any:
    nothing = (m == 0) & (n >= 0)
    if repetition:
        n = n + m - 1
    inside = (m >= 0) & (m <= n) & (n >= 0)
    n, m = fnp.where(inside, n, 1), fnp.where(inside, m, 1)
    some = e.exp(-_betaln(n - m + 1, m + 1)) / (n + 1)
    return fnp.where(nothing, 1, fnp.where(inside, some, 0))


def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol, gamma(z + m) / gamma(z)."""
    return in_32_bits(_poch, *real_operands("poch", z, m))


def _poch(z: Any, m: Any) -> Any:
    return fnp.where(m == 0, 1, gammasgn(z) * gammasgn(z + m) * e.exp(-_falling(m, z)))


_LARGE = 10
"""From where on Stirling's series, of the terms below, is exact to the last digit."""
_STIRLING = (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)


def _beyond_stirling(x: Any) -> Any:
    """Lgamma(x) less (x - 1/2) log x - x + log(2 pi) / 2, for large x."""
    inverse = 1 / x
    square, out = inverse * inverse, 0 * inverse
    for term in _STIRLING:
        out = out * square + term
    return out * inverse


@custom_jvp
def _falling(x: Any, y: Any) -> Any:
    """Lgamma(y) - lgamma(x + y); the difference of two large ones, which would lose their digits, by its own series."""
    large = (y >= _LARGE) & (x + y >= _LARGE) & (y < math.inf)
    p, q = fnp.where(large, x, 1), fnp.where(large, y, _LARGE)
    rest = _beyond_stirling(q) - _beyond_stirling(p + q)
    difference = p * (1 - fnp.log(q)) - (q + (p - 0.5)) * fnp.log1p(p / q) + rest
    return fnp.where(large, difference, e.lgamma(y) - e.lgamma(x + y))


@_falling.defjvp
def _falling_jvp(primals: Any, tangents: Any) -> Any:
    (x, y), (x_dot, y_dot) = primals, tangents
    both = e.digamma(x + y)
    return _falling(x, y), y_dot * (e.digamma(y) - both) - x_dot * both


@custom_jvp
def _betaln(a: Any, b: Any) -> Any:
    smaller = e.min_(a, b)
    return e.lgamma(smaller) + _falling(smaller, e.max_(a, b))


@_betaln.defjvp
def _betaln_jvp(primals: Any, tangents: Any) -> Any:
    (a, b), (a_dot, b_dot) = primals, tangents
    both = e.digamma(a + b)
    return _betaln(a, b), a_dot * (e.digamma(a) - both) + b_dot * (e.digamma(b) - both)


def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the absolute value of the beta function."""
    return in_32_bits(_betaln, *real_operands("betaln", a, b))


def beta(a: Any, b: Any) -> Any:
    """The beta function, gamma(a) gamma(b) / gamma(a + b)."""
    return in_32_bits(_beta, *real_operands("beta", a, b))


def _beta(x: Any, y: Any) -> Any:
    return gammasgn(x) * gammasgn(y) * gammasgn(x + y) * e.exp(_betaln(x, y))


def multigammaln(a: Any, d: Any) -> Any:
    """The logarithm of the multivariate gamma function of dimension d, an integer."""
    (v,) = real_operands("multigammaln", a)
    d = int(d)
    out = fnp.sum(e.lgamma(v[..., None] - fnp.arange(d, dtype=v.dtype) / 2), -1)
    return out + like(v, d * (d - 1) / 4 * math.log(math.pi))


def zeta(x: Any, q: Any = None) -> Any:
    """Hurwitz's zeta function, the sum of 1 / (k + q)^x over k = 0, 1, 2 ...; Riemann's for q = 1, the default."""
    return e.zeta(*real_operands("zeta", x, 1.0 if q is None else q))
