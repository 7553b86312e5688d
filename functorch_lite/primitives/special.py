"""The error function's and the gamma function's families: elementwise, a statement each; values by SciPy's functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .arithmetic import add, const, div, eq, mul, mul_strong, neg, select, sign, sub
from .base import Elementwise
from .transcendental import exp, log, log1p

__all__ = [
    "bessel_i0e",
    "bessel_i1e",
    "digamma",
    "erf",
    "erf_inv",
    "erfc",
    "igamma",
    "igammac",
    "lgamma",
    "polygamma",
    "regularized_incomplete_beta",
    "zeta",
]


def _special(name: str) -> Callable[..., Any]:
    """The function of that name in the bundle's `special`, in the operands' dtype (16-bit floats by way of 32)."""

    def impl(xp: Any, *buffers: Any) -> Any:
        dtype = buffers[0].dtype
        wide = [xp.astype(x, xp.float32) for x in buffers] if dtype.itemsize == 2 else buffers
        return xp.astype(getattr(xp.special, name)(*wide), dtype)

    return impl


_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)

erf = Elementwise(
    "erf",
    accepts="f",
    impl=_special("erf"),
    derivatives=(lambda t, y, x: mul(t, mul(const(x, _TWO_OVER_ROOT_PI), exp(neg(mul(x, x))))),),
)
erfc = Elementwise(
    "erfc",
    accepts="f",
    impl=_special("erfc"),
    derivatives=(lambda t, y, x: mul(t, mul(const(x, -_TWO_OVER_ROOT_PI), exp(neg(mul(x, x))))),),
)
erf_inv = Elementwise(
    "erf_inv",
    accepts="f",
    impl=_special("erfinv"),
    derivatives=(lambda t, y, x: mul_strong(t, mul(const(x, 1 / _TWO_OVER_ROOT_PI), exp(mul(y, y)))),),
)
lgamma = Elementwise(
    "lgamma", accepts="f", impl=_special("gammaln"), derivatives=(lambda t, y, x: mul_strong(t, digamma(x)),)
)
digamma = Elementwise(
    "digamma",
    accepts="f",
    impl=_special("digamma"),
    derivatives=(lambda t, y, x: mul_strong(t, polygamma(const(x, 1), x)),),
)
polygamma = Elementwise(
    "polygamma",
    accepts="f",
    arity=2,
    impl=lambda xp, n, x: xp.astype(_polygamma(xp, n, x), x.dtype),
    derivatives=(None, lambda t, z, n, x: mul_strong(t, polygamma(add(n, const(n, 1)), x))),
)


def _polygamma(xp: Any, n: Any, x: Any) -> Any:
    """psi^(n)(x) = (-1)^(n+1) n! zeta(n+1, x)."""
    wide = [xp.astype(v, xp.float64) for v in (n, x)]
    sign = xp.where(wide[0] % 2 == 0, -xp.ones_like(wide[0]), xp.ones_like(wide[0]))
    values = sign * xp.special.gamma(wide[0] + 1) * xp.special.zeta(wide[0] + 1, wide[1])
    return xp.where(wide[0] == 0, xp.special.digamma(wide[1]), values)


zeta = Elementwise(
    "zeta",
    accepts="f",
    arity=2,
    impl=_special("zeta"),
    derivatives=(None, lambda t, z, s, q: mul_strong(t, neg(mul(s, zeta(add(s, const(s, 1)), q))))),
)


def _gamma_density(a: Any, x: Any) -> Any:
    """x^(a-1) exp(-x) / gamma(a): the derivative of igamma by x."""
    return exp(sub(sub(mul(sub(a, const(a, 1)), log(x)), x), lgamma(a)))


igamma = Elementwise(
    "igamma",
    accepts="f",
    arity=2,
    impl=_special("gammainc"),
    derivatives=(None, lambda t, z, a, x: mul_strong(t, _gamma_density(a, x))),
)
igammac = Elementwise(
    "igammac",
    accepts="f",
    arity=2,
    impl=_special("gammaincc"),
    derivatives=(None, lambda t, z, a, x: neg(mul_strong(t, _gamma_density(a, x)))),
)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """x^(a-1) (1-x)^(b-1) / B(a, b): the derivative of the incomplete beta function by x."""
    norm = sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)))
    powers = add(mul(sub(a, const(a, 1)), log(x)), mul(sub(b, const(b, 1)), log1p(neg(x))))
    return exp(sub(powers, norm))


regularized_incomplete_beta = Elementwise(
    "regularized_incomplete_beta",
    accepts="f",
    arity=3,
    impl=_special("betainc"),
    derivatives=(None, None, lambda t, z, a, b, x: mul_strong(t, _beta_density(a, b, x))),
)


def _i1e_over(x: Any, y: Any) -> Any:
    """i1e(x) / x, 1/2 at zero."""
    at_zero = eq(x, const(x, 0))
    return select(at_zero, div(y, select(at_zero, x, const(x, 1))), const(x, 0.5))


bessel_i0e = Elementwise(
    "bessel_i0e",
    accepts="f",
    impl=_special("i0e"),
    derivatives=(lambda t, y, x: mul(t, sub(bessel_i1e(x), mul(sign(x), y))),),
)
bessel_i1e = Elementwise(
    "bessel_i1e",
    accepts="f",
    impl=_special("i1e"),
    derivatives=(lambda t, y, x: mul(t, sub(sub(bessel_i0e(x), mul(sign(x), y)), _i1e_over(x, y))),),
)
