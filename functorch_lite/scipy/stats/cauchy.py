"""Cauchy's distribution about `loc`, as `jax.scipy.stats.cauchy` names it."""

from __future__ import annotations

import math
from typing import Any

from ... import numpy as fnp
from .located import operands, standard

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, width = standard("cauchy.logpdf", x, loc, scale)
    return -fnp.log1p(z * z) - fnp.log(math.pi * width)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return fnp.arctan2(1, -standard("cauchy.cdf", x, loc, scale)[0]) / math.pi


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return fnp.log(cdf(x, loc, scale))


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return fnp.arctan2(1, standard("cauchy.sf", x, loc, scale)[0]) / math.pi


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return fnp.log(sf(x, loc, scale))


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`."""
    (p,) = operands("cauchy.ppf", q)
    return fnp.tan(math.pi * (p - 0.5)) * scale + loc


def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`."""
    (p,) = operands("cauchy.isf", q)
    return fnp.tan(math.pi * (0.5 - p)) * scale + loc
