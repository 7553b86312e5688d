"""The gamma distribution with shape `a`, as `jax.scipy.stats.gamma` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from ..special import gammainc, gammaincc, gammaln, xlogy
from .located import guarded, logarithm, standard

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, shape, width = standard("gamma.logpdf", x, a, loc, scale)
    density = guarded(z >= 0, lambda v, s: xlogy(s - 1, v) - v - gammaln(s), z, shape)
    return density - fnp.log(width)


def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, a, loc, scale))


def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    z, shape, _ = standard("gamma.cdf", x, a, loc, scale)
    return gammainc(shape, fnp.maximum(z, 0))


def logcdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return logarithm(cdf(x, a, loc, scale), sf(x, a, loc, scale))


def sf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    z, shape, _ = standard("gamma.sf", x, a, loc, scale)
    return gammaincc(shape, fnp.maximum(z, 0))


def logsf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return logarithm(sf(x, a, loc, scale), cdf(x, a, loc, scale))
