"""The exponential distribution from `loc` on, with mean `scale` above it, as `jax.scipy.stats.expon` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from .located import guarded, logarithm, operands, standard

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density; NaN where `scale` is not positive."""
    z, width = standard("expon.logpdf", x, loc, scale)
    return fnp.where((z < 0) & (width > 0), -fnp.inf, -z - fnp.log(width))


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return -fnp.expm1(-fnp.maximum(standard("expon.cdf", x, loc, scale)[0], 0))


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    (z, _) = standard("expon.logcdf", x, loc, scale)
    return guarded(z > 0, lambda v: logarithm(-fnp.expm1(-v), fnp.exp(-v)), z)


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return fnp.exp(logsf(x, loc, scale))


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return -fnp.maximum(standard("expon.logsf", x, loc, scale)[0], 0)


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`."""
    (p,) = operands("expon.ppf", q)
    return fnp.where((p >= 0) & (p <= 1), -fnp.log1p(-p) * scale + loc, fnp.nan)
