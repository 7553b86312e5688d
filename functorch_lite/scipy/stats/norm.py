"""The normal distribution, with mean `loc` and standard deviation `scale`, as `jax.scipy.stats.norm` names it."""

from __future__ import annotations

import math
from typing import Any

from ... import numpy as fnp
from ..special import log_ndtr, ndtr, ndtri
from .located import operands, standard

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density, -z^2 / 2 - log(scale sqrt(2 pi)) with z = (x - loc) / scale."""
    z, width = standard("norm.logpdf", x, loc, scale)
    return -z / 2 * z - fnp.log(width) - 0.5 * math.log(2 * math.pi)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return ndtr(standard("norm.cdf", x, loc, scale)[0])


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`, exact far out too."""
    return log_ndtr(standard("norm.logcdf", x, loc, scale)[0])


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return ndtr(-standard("norm.sf", x, loc, scale)[0])


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`, exact far out too."""
    return log_ndtr(-standard("norm.logsf", x, loc, scale)[0])


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`."""
    q, loc, scale = operands("norm.ppf", q, loc, scale)
    return ndtri(q) * scale + loc


def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`."""
    q, loc, scale = operands("norm.isf", q, loc, scale)
    return loc - ndtri(q) * scale
