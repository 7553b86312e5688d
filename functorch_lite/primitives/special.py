"""The error function's, the gamma function's and Bessel's families: elementwise, a statement each. Values by SciPy."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from .. import dtypes
from ..errors import UnsupportedError
from ..primitive import NotDifferentiable
from .arithmetic import add, const, div, eq, mul, mul_strong, neg, select, sub
from .base import Elementwise
from .gamma_ratio import by_shape_over_density
from .inverse_erf import inverse_erf
from .parts import sign
from .transcendental import exp, log, log1p
from .zeta_by_exponent import zeta_by_exponent

__all__ = [
    "bessel_i0e",
    "bessel_i1e",
    "digamma",
    "erf",
    "erf_inv",
    "erfc",
    "igamma",
    "igamma_grad_a",
    "igammac",
    "lgamma",
    "polygamma",
    "random_gamma_grad",
    "regularized_incomplete_beta",
    "zeta",
]


def _undefined(primitive: str, by: str) -> Any:
    """The derivative that nobody has a formula for."""

    def contribution(*values: Any) -> NoReturn:
        raise UnsupportedError(
            f"{primitive} has no derivative by {by}: differentiate by the other operands only, or hold {by} fixed with "
            "lax.stop_gradient."
        )

    return contribution


# The error function.

_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)


def _bell(x: Any, factor: float) -> Any:
    """Factor exp(-x^2)."""
    return mul(const(x, factor), exp(neg(mul(x, x))))


erf = Elementwise(
    "erf",
    accepts="f",
    namespace="special.erf",
    widens=True,
    derivatives=(lambda t, y, x: mul(t, _bell(x, _TWO_OVER_ROOT_PI)),),
)
erfc = Elementwise(
    "erfc",
    accepts="f",
    namespace="special.erfc",
    widens=True,
    derivatives=(lambda t, y, x: mul(t, _bell(x, -_TWO_OVER_ROOT_PI)),),
)
erf_inv = Elementwise(
    "erf_inv",
    accepts="f",
    impl=inverse_erf,
    widens=True,
    derivatives=(lambda t, y, x: mul_strong(t, mul(const(x, 1 / _TWO_OVER_ROOT_PI), exp(mul(y, y)))),),
)

# The gamma function: logarithm, its derivatives, the zeta function behind these.


def _lgamma(xp: Any, x: Any) -> Any:
    """SciPy's, but infinite at minus infinity, as it is at the integers on the way there."""
    return xp.special.gammaln(xp.maximum(x, xp.asarray(dtypes.finfo(x.dtype).min, dtype=x.dtype)))


lgamma = Elementwise(
    "lgamma",
    accepts="f",
    impl=_lgamma,
    widens=True,
    derivatives=(lambda t, y, x: mul_strong(t, digamma(x)),),
)
digamma = Elementwise(
    "digamma",
    accepts="f",
    namespace="special.digamma",
    widens=True,
    derivatives=(lambda t, y, x: mul_strong(t, polygamma(const(x, 1), x)),),
)
zeta = Elementwise(
    "zeta",
    accepts="f",
    operands="x q",
    namespace="special.zeta",
    widens=True,
    derivatives=(
        lambda t, z, s, q: mul_strong(t, zeta_by_exponent(s, q)),
        lambda t, z, s, q: mul_strong(t, neg(mul(s, zeta(add(s, const(s, 1)), q)))),
    ),
)


def _polygamma(xp: Any, n: Any, x: Any) -> Any:
    """(-1)^(n+1) n! zeta(n+1, x), digamma for n = 0; NaN unless n is a natural number."""
    dtype = x.dtype
    n, x = xp.astype(n, dtypes.float64), xp.astype(x, dtypes.float64)
    sign = xp.where(n % 2 == 0, -xp.ones_like(n), xp.ones_like(n))
    out = sign * xp.special.gamma(n + 1) * xp.special.zeta(n + 1, x)
    out = xp.where((n > 0) & (xp.floor(n) == n), out, xp.full_like(n, math.nan))
    return xp.astype(xp.where(n == 0, xp.special.digamma(x), out), dtype)


polygamma = Elementwise(
    "polygamma",
    accepts="f",
    operands="m x",
    impl=_polygamma,
    derivatives=(
        _undefined("polygamma", "its order"),
        lambda t, z, n, x: mul_strong(t, polygamma(add(n, const(n, 1)), x)),
    ),
)

# Incomplete integrals.


def _where_defined(z: Any, density: Any) -> Any:
    """The density, NaN where the integral z is: a power of 0 hides what x is."""
    return select(eq(z, z), z, density)


def _gamma_density(z: Any, a: Any, x: Any) -> Any:
    """x^(a-1) exp(-x) / gamma(a): the derivative of igamma by x."""
    return _where_defined(z, exp(sub(sub(_times_log(sub(a, const(a, 1)), x), x), lgamma(a))))


def _times_log(a: Any, x: Any) -> Any:
    """A log x, zero where a is."""
    return mul_strong(a, log(x))


igamma = Elementwise(
    "igamma",
    accepts="f",
    operands="a x",
    namespace="special.gammainc",
    widens=True,
    derivatives=(
        lambda t, z, a, x: mul_strong(t, igamma_grad_a(a, x)),
        lambda t, z, a, x: mul_strong(t, _gamma_density(z, a, x)),
    ),
)
igammac = Elementwise(
    "igammac",
    accepts="f",
    operands="a x",
    namespace="special.gammaincc",
    widens=True,
    derivatives=(
        lambda t, z, a, x: neg(mul_strong(t, igamma_grad_a(a, x))),
        lambda t, z, a, x: neg(mul_strong(t, _gamma_density(z, a, x))),
    ),
)


class _LastDerivative(NotDifferentiable, Elementwise):
    """A derivative that has none of its own."""


def _igamma_grad_a(xp: Any, a: Any, x: Any) -> Any:
    dtype = a.dtype
    a, x = xp.astype(a, dtypes.float64), xp.astype(x, dtypes.float64)
    inside = (x > 0) & (x < math.inf)
    safe = xp.where(inside, x, xp.ones_like(x))
    density = xp.exp((a - 1) * xp.log(safe) - safe - xp.special.gammaln(a))
    out = by_shape_over_density(xp, a, x) * density
    out = xp.where((x == 0) | (x == math.inf), xp.zeros_like(out), out)
    return xp.astype(xp.where((a > 0) & (x >= 0), out, xp.full_like(out, math.nan)), dtype)


def _random_gamma_grad(xp: Any, a: Any, x: Any) -> Any:
    wide = xp.astype(a, dtypes.float64), xp.astype(x, dtypes.float64)
    return xp.astype(-by_shape_over_density(xp, *wide), a.dtype)


igamma_grad_a = _LastDerivative("igamma_grad_a", accepts="f", operands="a x", impl=_igamma_grad_a)
"""The derivative of igamma by its first operand."""
random_gamma_grad = _LastDerivative("random_gamma_grad", accepts="f", operands="a sample", impl=_random_gamma_grad)
"""The derivative, by the shape a, of a gamma variate that has come out as x: -(dP/da) / (dP/dx) with P = igamma."""


def _beta_density(z: Any, a: Any, b: Any, x: Any) -> Any:
    """x^(a-1) (1-x)^(b-1) / B(a, b): the derivative of the incomplete beta function by x."""
    one = const(x, 1)
    norm = sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)))
    powers = add(_times_log(sub(a, one), x), mul_strong(sub(b, one), log1p(neg(x))))
    return _where_defined(z, exp(sub(powers, norm)))


def _incomplete_beta(xp: Any, a: Any, b: Any, x: Any) -> Any:
    """In double precision: in single precision SciPy can lose all digits."""
    wide = (xp.astype(v, dtypes.float64) for v in (a, b, x))
    return xp.astype(xp.special.betainc(*wide), x.dtype)


regularized_incomplete_beta = Elementwise(
    "regularized_incomplete_beta",
    accepts="f",
    operands="a b x",
    impl=_incomplete_beta,
    derivatives=(
        _undefined("betainc", "its first operand"),
        _undefined("betainc", "its second operand"),
        lambda t, z, a, b, x: mul_strong(t, _beta_density(z, a, b, x)),
    ),
)

# Bessel functions, times exp(-|x|).


def _i1e(xp: Any, x: Any) -> Any:
    """SciPy's, but odd at zero too."""
    return xp.copysign(xp.special.i1e(x), x)


def _i1e_over(x: Any, y: Any) -> Any:
    """i1e(x) / x, 1/2 at zero."""
    at_zero = eq(x, const(x, 0))
    return select(at_zero, div(y, select(at_zero, x, const(x, 1))), const(x, 0.5))


bessel_i0e = Elementwise(
    "bessel_i0e",
    accepts="f",
    namespace="special.i0e",
    widens=True,
    derivatives=(lambda t, y, x: mul(t, sub(bessel_i1e(x), mul(sign(x), y))),),
)
bessel_i1e = Elementwise(
    "bessel_i1e",
    accepts="f",
    impl=_i1e,
    widens=True,
    derivatives=(lambda t, y, x: mul(t, sub(sub(bessel_i0e(x), mul(sign(x), y)), _i1e_over(x, y))),),
)
