"""The beta distribution with shapes `a` and `b`, as `jax.scipy.stats.beta` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from ..special import betainc, betaln, xlog1py, xlogy
from .located import guarded, logarithm, standard

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density; NaN where `a` or `b` is not positive."""
    z, p, q, width = standard("beta.logpdf", x, a, b, loc, scale)
    density = guarded((z >= 0) & (z <= 1), lambda v, p, q: xlogy(p - 1, v) + xlog1py(q - 1, -v) - betaln(p, q), z, p, q)
    return fnp.where((p > 0) & (q > 0), density - fnp.log(width), fnp.nan)


def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, a, b, loc, scale))


def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    z, p, q, _ = standard("beta.cdf", x, a, b, loc, scale)
    return betainc(p, q, fnp.clip(z, 0, 1))


def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return logarithm(cdf(x, a, b, loc, scale), sf(x, a, b, loc, scale))


def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    z, p, q, _ = standard("beta.sf", x, a, b, loc, scale)
    return betainc(q, p, 1 - fnp.clip(z, 0, 1))


def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return logarithm(sf(x, a, b, loc, scale), cdf(x, a, b, loc, scale))
