"""The chi-square distribution with `df` degrees of freedom, as `jax.scipy.stats.chi2` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from . import gamma

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    return gamma.logpdf(x, df / 2, loc, scale * 2)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, df, loc, scale))


def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return gamma.cdf(x, df / 2, loc, scale * 2)


def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return gamma.logcdf(x, df / 2, loc, scale * 2)


def sf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return gamma.sf(x, df / 2, loc, scale * 2)


def logsf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return gamma.logsf(x, df / 2, loc, scale * 2)
