"""`functorch_lite.scipy.special`: functions of mathematics and statistics, as `jax.scipy.special` names them.

They work element by element. Integers become floats; operands broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..arrays import from_host, type_of
from ..direct import inexact
from ..errors import DTypeError
from ..nn.normalising import log_softmax as _log_softmax
from ..nn.normalising import logsumexp
from ..nn.normalising import softmax as _softmax
from ..numpy.operands import like, named
from ..primitives import elementwise as e
from ..promotion import promote
from ..transforms.custom import custom_jvp

__all__ = [
    "beta",
    "betaln",
    "boxcox",
    "boxcox1p",
    "comb",
    "entr",
    "expit",
    "factorial",
    "gamma",
    "gammasgn",
    "i0",
    "i1",
    "kl_div",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "poch",
    "rel_entr",
    "softmax",
    "xlog1py",
    "xlogy",
    "zeta",
]


def _operands(name: str, *xs: Any, real: bool = True) -> list[Any]:
    """Operands of one inexact dtype and one shape, as arrays."""
    found = promote(name, *xs)
    found = inexact(*found)
    if real and dtypes.is_complex(type_of(found[0]).dtype):
        raise DTypeError(f"{name} is defined for real numbers here, got {type_of(found[0])}: pass real ones.")
    shape = max((x.shape for x in found), key=len)
    return [fnp.broadcast_to(from_host(x) if isinstance(x, np.generic) else x, shape) for x in found]


def _by_primitive(name: str, primitive: Any, doc: str, arity: int = 1) -> Callable[..., Any]:
    def one(x: Any) -> Any:
        return primitive(*_operands(name, x))

    def two(a: Any, x: Any) -> Any:
        return primitive(*_operands(name, a, x))

    def three(a: Any, b: Any, x: Any) -> Any:
        return primitive(*_operands(name, a, b, x))

    made = named((one, two, three)[arity - 1], name, f"{doc}, elementwise; integers become floats.")
    made.__module__ = __name__
    return made


_TABLE = {
    "erf": (e.erf, "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x", 1),
    "erfc": (e.erfc, "1 - erf(x), exact also for large x", 1),
    "erfinv": (e.erf_inv, "The inverse of erf", 1),
    "gammaln": (e.lgamma, "The logarithm of the absolute value of the gamma function", 1),
    "digamma": (e.digamma, "The derivative of gammaln", 1),
    "polygamma": (e.polygamma, "The n-th derivative of digamma at x, for natural numbers n", 2),
    "gammainc": (e.igamma, "The regularised lower incomplete gamma function P(a, x)", 2),
    "gammaincc": (e.igammac, "The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x)", 2),
    "betainc": (e.regularized_incomplete_beta, "The regularised incomplete beta function I(a, b, x)", 3),
    "i0e": (e.bessel_i0e, "The modified Bessel function of order 0, times exp(-|x|)", 1),
    "i1e": (e.bessel_i1e, "The modified Bessel function of order 1, times exp(-|x|)", 1),
}
"""Name -> primitive, what it is, how many operands."""

for _name, (_primitive, _doc, _arity) in _TABLE.items():
    globals()[_name] = _by_primitive(_name, _primitive, _doc, _arity)
    __all__ += [_name]


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0."""
    (v,) = _operands("i0", x)
    return e.mul(e.exp(e.abs_(v)), e.bessel_i0e(v))


def i1(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 1."""
    (v,) = _operands("i1", x)
    return e.mul(e.exp(e.abs_(v)), e.bessel_i1e(v))


def expit(x: Any) -> Any:
    """1 / (1 + exp(-x)), the inverse of `logit`."""
    return e.logistic(*_operands("expit", x, real=False))


@custom_jvp
def _logit(x: Any) -> Any:
    return e.log(e.div(x, e.sub(like(x, 1), x)))


@_logit.defjvp
def _logit_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _logit(x), e.div(t, e.mul(x, e.sub(like(x, 1), x)))


def logit(x: Any) -> Any:
    """log(x / (1 - x)), the inverse of `expit`."""
    return _logit(*_operands("logit", x))


# Products with logarithms, zero where the factor is.


def _vanishes(x: Any, y: Any) -> Any:
    """Whether x is 0, and y a number at all."""
    return e.and_(e.eq(x, like(x, 0)), e.eq(y, y))


@custom_jvp
def _xlogy(x: Any, y: Any) -> Any:
    return e.select(_vanishes(x, y), e.mul(x, e.log(y)), fnp.zeros_like(x))


@_xlogy.defjvp
def _xlogy_jvp(primals: Any, tangents: Any) -> Any:
    (x, y), (x_dot, y_dot) = primals, tangents
    return _xlogy(x, y), e.add(e.mul(x_dot, e.log(y)), e.mul(y_dot, e.div(x, y)))


def xlogy(x: Any, y: Any) -> Any:
    """X log(y), 0 where x is 0.

    >>> import functorch_lite.scipy.special as special
    >>> float(special.xlogy(0.0, 0.0))
    0.0
    """
    return _xlogy(*_operands("xlogy", x, y))


@custom_jvp
def _xlog1py(x: Any, y: Any) -> Any:
    return e.select(_vanishes(x, y), e.mul(x, e.log1p(y)), fnp.zeros_like(x))


@_xlog1py.defjvp
def _xlog1py_jvp(primals: Any, tangents: Any) -> Any:
    (x, y), (x_dot, y_dot) = primals, tangents
    return _xlog1py(x, y), e.add(e.mul(x_dot, e.log1p(y)), e.mul(y_dot, e.div(x, e.add(like(y, 1), y))))


def xlog1py(x: Any, y: Any) -> Any:
    """X log(1 + y), 0 where x is 0."""
    return _xlog1py(*_operands("xlog1py", x, y))


@custom_jvp
def _entr(x: Any) -> Any:
    return fnp.where(x < 0, -math.inf, e.neg(_xlogy(x, x)))


@_entr.defjvp
def _entr_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _entr(x), e.neg(e.mul(t, e.add(e.log(x), like(x, 1))))


def entr(x: Any) -> Any:
    """-x log(x), 0 at x = 0, -inf for negative x."""
    return _entr(*_operands("entr", x))


def _positive(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """Where both are positive, and each of them there; 1 elsewhere."""
    both = (p > 0) & (q > 0)
    return both, fnp.where(both, p, 1), fnp.where(both, q, 1)


def _log_ratio(a: Any, b: Any) -> Any:
    """log(a / b), exact where they are close, also where the ratio overflows or underflows."""
    ratio = a / b
    outside = (ratio < float(dtypes.finfo(ratio.dtype).tiny)) | (ratio == math.inf)
    far = fnp.where(outside, fnp.log(a) - fnp.log(b), fnp.log(ratio))
    return fnp.where(fnp.abs(ratio - 1) < 0.5, fnp.log1p((a - b) / b), far)


@custom_jvp
def _rel_entr(p: Any, q: Any) -> Any:
    both, a, b = _positive(p, q)
    outside = fnp.where((p == 0) & (q >= 0), 0, fnp.where((p == p) & (q == q), math.inf, math.nan))
    return fnp.where(both, a * _log_ratio(a, b), fnp.astype(outside, p.dtype))


@_rel_entr.defjvp
def _rel_entr_jvp(primals: Any, tangents: Any) -> Any:
    (p, q), (p_dot, q_dot) = primals, tangents
    both, a, b = _positive(p, q)
    return _rel_entr(p, q), fnp.where(both, p_dot * (_log_ratio(a, b) + 1) - q_dot * (a / b), 0)


def rel_entr(p: Any, q: Any) -> Any:
    """P log(p / q), 0 for p = 0; infinite where an operand is negative, or q alone is 0."""
    return _rel_entr(*_operands("rel_entr", p, q))


def kl_div(p: Any, q: Any) -> Any:
    """P log(p / q) - p + q, q for p = 0; infinite where a finite operand is negative, or q alone is 0."""
    a, b = _operands("kl_div", p, q)
    return _rel_entr(a, b) + (b - a)


def boxcox(x: Any, lmbda: Any) -> Any:
    """(x^lmbda - 1) / lmbda; log(x) for lmbda = 0."""
    v, power = _operands("boxcox", x, lmbda)
    return _boxcox(e.log(v), power)


def boxcox1p(x: Any, lmbda: Any) -> Any:
    """((1 + x)^lmbda - 1) / lmbda; log(1 + x) for lmbda = 0."""
    v, power = _operands("boxcox1p", x, lmbda)
    return _boxcox(e.log1p(v), power)


def _boxcox(logarithm: Any, power: Any) -> Any:
    some = fnp.where(power == 0, 1, power)
    return fnp.where(power == 0, logarithm, fnp.expm1(some * logarithm) / some)


# The gamma function's family.


def gammasgn(x: Any) -> Any:
    """The sign of the gamma function: 1, or -1; NaN at negative integers, -inf and NaN."""
    (v,) = _operands("gammasgn", x)
    whole = e.floor(v)
    odd = fnp.remainder(whole, 2) != 0
    negative = fnp.where(whole == v, math.nan, fnp.where(odd, -1.0, 1.0))
    other = fnp.where(v == v, 1.0, math.nan)
    sign = fnp.where(v < 0, negative, fnp.where(v == 0, fnp.copysign(like(v, 1), v), other))
    return fnp.astype(sign, v.dtype)


def gamma(x: Any) -> Any:
    """The gamma function, the integral of t^(x-1) exp(-t) over positive t."""
    (v,) = _operands("gamma", x)
    return gammasgn(v) * e.exp(e.lgamma(v))


def factorial(n: Any, exact: bool = False) -> Any:
    """N! = gamma(n + 1) in floating point; 0 for negative n."""
    if exact:
        raise NotImplementedError("factorial computes in floating point: pass exact=False.")
    (v,) = _operands("factorial", n)
    return fnp.where(v < 0, 0, e.exp(e.lgamma(v + 1)))


def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """The number of ways to choose k of N things, with repetition or without; 0 unless 0 <= k <= N."""
    n, m = _operands("comb", N, k)
    nothing = (m == 0) & (n >= 0)
    if repetition:
        n = n + m - 1
    inside = (m >= 0) & (m <= n) & (n >= 0)
    n, m = fnp.where(inside, n, 1), fnp.where(inside, m, 1)
    some = e.exp(-_betaln(n - m + 1, m + 1)) / (n + 1)
    return fnp.where(nothing, 1, fnp.where(inside, some, 0))


def poch(z: Any, m: Any) -> Any:
    """Pochhammer's symbol, gamma(z + m) / gamma(z)."""
    a, b = _operands("poch", z, m)
    return fnp.where(b == 0, 1, gammasgn(a) * gammasgn(a + b) * e.exp(e.lgamma(a + b) - e.lgamma(a)))


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
def _betaln(a: Any, b: Any) -> Any:
    """By logarithms of gamma; the difference of two large ones, which would lose their digits, by its own series."""
    x, y = e.min_(a, b), e.max_(a, b)
    large = (y >= _LARGE) & (x + y >= _LARGE) & (y < math.inf)
    p, q = fnp.where(large, x, 1), fnp.where(large, y, _LARGE)
    rest = _beyond_stirling(q) - _beyond_stirling(p + q)
    difference = p * (1 - fnp.log(q)) - (q + (p - 0.5)) * fnp.log1p(p / q) + rest
    return e.lgamma(x) + fnp.where(large, difference, e.lgamma(y) - e.lgamma(x + y))


@_betaln.defjvp
def _betaln_jvp(primals: Any, tangents: Any) -> Any:
    (x, y), (x_dot, y_dot) = primals, tangents
    both = e.digamma(x + y)
    return _betaln(x, y), x_dot * (e.digamma(x) - both) + y_dot * (e.digamma(y) - both)


def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the absolute value of the beta function."""
    return _betaln(*_operands("betaln", a, b))


def beta(a: Any, b: Any) -> Any:
    """The beta function, gamma(a) gamma(b) / gamma(a + b)."""
    x, y = _operands("beta", a, b)
    return gammasgn(x) * gammasgn(y) * gammasgn(x + y) * e.exp(_betaln(x, y))


def multigammaln(a: Any, d: Any) -> Any:
    """The logarithm of the multivariate gamma function of dimension d, an integer."""
    (v,) = _operands("multigammaln", a)
    d = int(d)
    out = fnp.sum(e.lgamma(v[..., None] - fnp.arange(d, dtype=v.dtype) / 2), -1)
    return out + like(v, d * (d - 1) / 4 * math.log(math.pi))


def zeta(x: Any, q: Any = None) -> Any:
    """Hurwitz's zeta function, the sum of 1 / (k + q)^x over k = 0, 1, 2 ...; Riemann's for q = 1, the default."""
    return e.zeta(*_operands("zeta", x, 1.0 if q is None else q))


# The normal distribution.

_ROOT_HALF = math.sqrt(0.5)
_LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)


def ndtr(x: Any) -> Any:
    """The normal distribution function: the probability that a standard normal variate is at most x."""
    (v,) = _operands("ndtr", x)
    return like(v, 0.5) * e.erfc(v * like(v, -_ROOT_HALF))


def log_ndtr(x: Any, series_order: int = 3) -> Any:
    """The logarithm of `ndtr`, exact far out too.

    Args:
      x: an array.
      series_order: taken for JAX's sake.

    >>> import functorch_lite.scipy.special as special
    >>> round(float(special.log_ndtr(-10.0)), 3)
    -53.231
    """
    (v,) = _operands("log_ndtr", x)
    far = v < (-20 if v.dtype == np.float64 else -8)
    right = v > 0
    z = fnp.where(far, v, -20)
    tail = -z * z / 2 - fnp.log(-z) - like(v, _LOG_ROOT_TAU) + fnp.log1p(_tail(1 / (z * z)))
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
    return _ndtri(*_operands("ndtri", p))


def softmax(x: Any, /, *, axis: Any = None) -> Any:
    """exp(x) over its sum along axes; None: all."""
    return _softmax(x, axis=axis)


def log_softmax(x: Any, /, *, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return _log_softmax(x, axis=axis)


if TYPE_CHECKING:  # names made from the table, which a type checker cannot see

    def __getattr__(name: str) -> Any: ...
