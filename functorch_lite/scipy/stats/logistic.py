"""The logistic distribution about `loc`, as `jax.scipy.stats.logistic` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from ..special import expit, logit
from .located import standard

__all__ = ["cdf", "isf", "logpdf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, width = standard("logistic.logpdf", x, loc, scale)
    return -fnp.abs(z) - 2 * fnp.log1p(fnp.exp(-fnp.abs(z))) - fnp.log(width)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return expit(standard("logistic.cdf", x, loc, scale)[0])


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return expit(-standard("logistic.sf", x, loc, scale)[0])


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`."""
    return logit(q) * scale + loc


def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`."""
    return loc - logit(q) * scale
