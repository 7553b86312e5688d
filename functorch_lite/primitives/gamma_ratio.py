"""How the incomplete gamma function P(a, x) changes with a: (dP/da) / (dP/dx), which reparametrised sampling needs.

With the density p = x^(a-1) e^-x / gamma(a), both P / p and (1 - P) / p are free of large and small factors:

    P / p       = x/a + x^2/(a (a+1)) + ...                              for x below a + 1,
    (1 - P) / p = x / (x+1-a - 1 (1-a) / (x+3-a - 2 (2-a) / (x+5-a - ...)))   elsewhere,

and differentiating them term by term loses no digits.
"""

from __future__ import annotations

from typing import Any

__all__ = ["by_shape_over_density"]

_ENOUGH = 2.0**-54
_STEPS = 10_000


def by_shape_over_density(xp: Any, a: Any, x: Any) -> Any:
    """(dP/da) / (dP/dx).

    Args:
      xp: the namespace.
      a: float64, positive; the result is NaN where it is not.
      x: float64, not negative; likewise.
    """
    zero = xp.zeros_like(a + x)
    a, x = a + zero, x + zero
    fits = (a > 0) & (x >= 0) & xp.isfinite(a) & xp.isfinite(x)
    low = x <= a + 1
    inside = fits & (x > 0)
    one = zero + 1
    below = _by_series(xp, xp.where(inside & low, a, one), xp.where(inside & low, x, one))
    above = _by_fraction(xp, xp.where(inside & ~low, a, one), xp.where(inside & ~low, x, 3 * one))
    out = xp.where(low, below, above)
    out = xp.where(x == 0, zero, out)
    return xp.where(fits, out, xp.full_like(out, float("nan")))


def _by_series(xp: Any, a: Any, x: Any) -> Any:
    """The sum of x^(n+1) / (a (a+1) ... (a+n)) times log x - digamma(a+n+1)."""
    log, psi = xp.log(x), xp.special.digamma(a + 1)
    weight = x / a
    total = weight * (log - psi)
    for n in range(1, _STEPS):
        weight = weight * x / (a + n)
        psi = psi + 1 / (a + n)
        total = total + weight * (log - psi)
        if not xp.any(weight * (1 + xp.abs(log - psi)) > _ENOUGH * xp.abs(total)):
            break
    return total


def _by_fraction(xp: Any, a: Any, x: Any) -> Any:
    """Steed's algorithm, with the derivative by a of each quantity beside it (`d...`)."""
    b = x + 1 - a
    q = 1 / b
    dq = q * q
    f, df, change, dchange = q, dq, q, dq
    for n in range(1, _STEPS):
        k, dk = n * (n - a), -float(n)
        b = b + 2
        new = 1 / (b - k * q)
        dnew = (1 + dk * q + k * dq) * new * new
        dchange = dchange * (k * q * new) + change * (dk * q * new + k * (dq * new + q * dnew))
        change = change * (k * q * new)
        q, dq = new, dnew
        f, df = f + change, df + dchange
        if not xp.any((xp.abs(change) > _ENOUGH * f) | (xp.abs(dchange) > _ENOUGH * xp.abs(df))):
            break
    return -x * (f * (xp.log(x) - xp.special.digamma(a)) + df)
